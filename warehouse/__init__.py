"""Raw rows become stars: generated dbt projects and the macros they call."""
