"""How tenants.yaml and supported_connectors.yaml are read: every wrong value is named with its file and line."""
