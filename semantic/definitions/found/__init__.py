"""Tables that nobody declared: found in a star, read, and defined like those of our own."""
