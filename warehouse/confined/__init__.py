"""SQL that a tenant wrote, run on one star in a process of its own."""
