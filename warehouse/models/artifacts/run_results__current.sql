{#- How each project's last run went: its models, and the last time that its tests ran. -#}
{{ config(materialized='view') }}
select *
from {{ ref('run_results__history') }}
qualify run_id = max(run_id) over (partition by tenant_slug, project, resource_type = 'test')
