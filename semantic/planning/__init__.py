"""From a query to a plan: names, reach, windows, currency rules, repairs."""
