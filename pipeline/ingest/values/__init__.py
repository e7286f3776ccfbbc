"""Values of records: proved to convert, brought to the wire types of a contract."""
