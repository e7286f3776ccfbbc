{#- The nodes of every dbt project as they were last defined: models, seeds and snapshots of the library and the tenants. -#}
{{ config(materialized='view') }}
select *
from {{ source('dbt_metadata', 'model_artifacts__current') }}
