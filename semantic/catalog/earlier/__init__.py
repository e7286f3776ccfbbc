"""Definitions of earlier releases, brought to the version of this one as they are read."""
