"""From built tables and configuration to the definitions of a run."""
