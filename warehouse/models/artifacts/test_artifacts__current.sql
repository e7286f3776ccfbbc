{#- The tests of each project as its last run had them. -#}
{{ config(materialized='view') }}
select *
from {{ ref('test_artifacts__history') }}
qualify run_id = max(run_id) over (partition by tenant_slug, project)
