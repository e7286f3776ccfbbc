"""Downloads of web pages: recognised by their titles, read in the locale that the file declares or proves."""
