"""The tables of a star that nobody declared, as `Table`s."""
