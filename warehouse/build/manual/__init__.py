"""What a person needs to run dbt on a generated project."""
