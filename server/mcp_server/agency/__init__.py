"""Calls over MCP with a token of several tenants."""
