"""From the configuration to published runs, and what is known of them."""
