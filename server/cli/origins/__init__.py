"""Where names of a run come from."""
