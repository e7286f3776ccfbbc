"""Answers go out: over MCP, over REST, on the command line."""
