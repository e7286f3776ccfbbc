"""The checks of `gata doctor`."""
