"""Plans queries: names, join paths, windows, currency rules, repairs."""
