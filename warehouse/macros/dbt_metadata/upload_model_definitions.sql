{#- Write what the nodes of a run are: models, seeds and snapshots, with dependencies, configuration, tags and columns.
    Takes  results: as `metadata_nodes`; described: what the project's own macro `described_nodes` gives.
    Gives  one INSERT of the definitions that changed since they were last written, or nothing.
    Note   What `described` says of a model counts: builds do not parse the property files that a person's dbt does, and a
           definition must not depend on who runs it. -#}
{% macro upload_model_definitions(results, described={}) -%}
{%- if execute and flags.WHICH not in ["compile", "generate"] -%}
{%- set rows = [] %}
{%- for each in metadata_nodes(results) if each.node.resource_type not in ('test', 'unit_test') %}
    {%- set node, said = each.node, described.get(each.node.name, {}) %}
    {%- set columns = said.get('columns', []) | list %}
    {%- for column in node.columns.values() if not said %}
        {%- do columns.append({
            'name': column.name, 'data_type': column.data_type, 'description': column.description, 'tags': column.tags,
            'meta': column.meta
        }) %}
    {%- endfor %}
    {%- do rows.append({
        'node_id': each.node_id,
        'name': node.name,
        'resource_type': node.resource_type ~ '',
        'materialization': node.config.materialized,
        'depends_on': (node.depends_on.nodes or []) | unique | sort,
        'tags': node.tags,
        'config': tojson(node.unrendered_config, sort_keys=true),
        'relation': node.relation_name,
        'path': node.original_file_path,
        'description': said.description or node.description,
        'columns': tojson(columns),
        'meta': tojson(node.meta, sort_keys=true),
        'text_hash': local_md5(node.raw_code or '')
    }) %}
{%- endfor %}
{{ insert_metadata('model_artifacts__history', rows, unless=is_written('model_artifacts__history')) }}
{%- endif -%}
{%- endmacro %}

{#- Whether the last definition that was written of a node is this one: a condition on `new`. -#}
{% macro is_written(table) -%}
exists (
    select 1
    from (
        select
            node_id,
            definition_hash
        from {{ artifact_table(table) }}
        where tenant_slug = '{{ var("tenant_slug") }}' and project = '{{ project_name }}'
        qualify row_number() over (partition by node_id order by recorded_at desc, run_id desc) = 1
    ) as written
    where written.node_id = new.node_id and written.definition_hash = new.definition_hash
)
{%- endmacro %}
