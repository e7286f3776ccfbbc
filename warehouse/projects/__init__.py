"""The generated dbt projects, as {path: text}."""
