{#- The last result of every node of every dbt project. -#}
{{ config(materialized='view') }}
select *
from {{ source('dbt_metadata', 'run_results__current') }}
