"""The layers of the configuration, put together into the settings of a process."""
