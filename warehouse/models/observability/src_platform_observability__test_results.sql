{#- The tests of every dbt project as they were last defined, each with its last result. -#}
{{ config(materialized='view') }}
select
    results.*,
    tests.* exclude (run_id, tenant_slug, project, node_id, name, resource_type, recorded_at, invocation_id)
from {{ source('dbt_metadata', 'run_results__current') }} as results
left join {{ source('dbt_metadata', 'test_artifacts__current') }} as tests
    on
        results.tenant_slug = tests.tenant_slug
        and results.project = tests.project
        and results.node_id = tests.node_id
where results.resource_type in ('test', 'unit_test')
