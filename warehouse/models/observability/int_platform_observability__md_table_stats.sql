{#- One row per table of the hub and of every star: rows, bytes, and what DuckDB knows of each column. -#}
{{ config(materialized='view') }}
select
    tenant_slug,
    project,
    table_name,
    {{ layer_of('table_name', "'model'") }} as layer,
    "rows",
    bytes,
    len(columns) as column_count,
    columns,
    run_id,
    recorded_at
from {{ source('dbt_metadata', 'table_stats__current') }}
