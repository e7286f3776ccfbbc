"""Recognition of files: the connector whose records a file holds, with what of it would land."""
