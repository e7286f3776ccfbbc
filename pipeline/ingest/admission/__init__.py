"""The conditions on which a file is read at all."""
