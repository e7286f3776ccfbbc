"""Answers go out: MCP, REST and the command line."""
