"""What a request over HTTP passes before anybody answers it."""
