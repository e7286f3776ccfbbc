"""What agents read and call over MCP, within their budget."""
