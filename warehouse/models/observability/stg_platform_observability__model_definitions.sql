{#- Definitions with the layer that each model is of, and its columns as a list. -#}
{{ config(materialized='view') }}
select
    tenant_slug,
    project,
    node_id,
    name,
    resource_type,
    {{ layer_of('name', 'resource_type') }} as layer,
    materialization,
    relation,
    path,
    nullif(description, '') as description,
    depends_on,
    tags,
    config,
    meta,
    from_json(
        columns,
        '[{"name": "VARCHAR", "data_type": "VARCHAR", "description": "VARCHAR", "tags": ["VARCHAR"], "meta": "JSON"}]'
    ) as columns,
    definition_hash,
    text_hash,
    run_id as changed_in_run_id,
    recorded_at as changed_at
from {{ ref('src_platform_observability__model_definitions') }}
