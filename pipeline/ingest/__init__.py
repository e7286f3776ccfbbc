"""From export files to landing tables: read, checked, staged, loaded."""
