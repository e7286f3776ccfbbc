"""Hidden measures of what metrics lack: rows that do not say them, money that no amount has."""
