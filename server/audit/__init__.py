"""Every call is written down."""
