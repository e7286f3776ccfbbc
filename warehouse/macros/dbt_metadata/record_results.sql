{#- Write dbt metadata for whoever runs the SQL of a project: `dbt run-operation record_results --args '{results: [...]}'`.
    Takes  results, counted: as `upload_run_results`; described: as `upload_model_definitions`.
    Note   A dbt run does the same by itself: these are its on-run-end hooks, in their order. -#}
{% macro record_results(results, counted=none, described={}) -%}
{%- do run_query(init_artifact_tables()) %}
{%- for statement in (
    upload_model_definitions(results, described), upload_test_definitions(results), upload_table_stats(results),
    upload_run_results(results, counted)
) if statement | trim %}
    {%- do run_query(statement) %}
{%- endfor %}
{%- endmacro %}
