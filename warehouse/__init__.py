"""Raw rows become stars: generated dbt projects, the macros they call, the builds that run them."""
