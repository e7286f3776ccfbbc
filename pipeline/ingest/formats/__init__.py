"""Export files of every format, read in bulk into the wire types of a contract."""
