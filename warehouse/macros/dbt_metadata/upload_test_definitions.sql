{#- Write what the tests of a run are: what each checks, with which arguments, and how much it matters.
    Takes  results: as `metadata_nodes`.
    Gives  one INSERT of the definitions that changed since they were last written, or nothing. -#}
{% macro upload_test_definitions(results) -%}
{%- if execute and flags.WHICH not in ["compile", "generate"] -%}
{%- set rows = [] %}
{%- for each in metadata_nodes(results) if each.node.resource_type in ('test', 'unit_test') %}
    {%- set node = each.node %}
    {%- set generic, arguments = node.test_metadata, {} %}
    {%- for name, value in (generic.kwargs if generic else {}).items() if name not in ('model', 'column_name') %}
        {%- do arguments.update({name: value}) %}
    {%- endfor %}
    {%- do rows.append({
        'node_id': each.node_id,
        'name': node.name,
        'resource_type': node.resource_type ~ '',
        'test_name': generic.name if generic else none,
        'tested_node': node.attached_node or node.tested_node_unique_id or none,
        'column_name': node.column_name or none,
        'depends_on': (node.depends_on.nodes or []) | unique | sort,
        'severity': (node.config.severity or '') | lower or none,
        'arguments': tojson(arguments, sort_keys=true),
        'tags': node.tags or node.config.tags or [],
        'config': tojson(node.unrendered_config or {}, sort_keys=true),
        'path': node.original_file_path,
        'description': node.description
    }) %}
{%- endfor %}
{{ insert_metadata('test_artifacts__history', rows, unless=is_written('test_artifacts__history')) }}
{%- endif -%}
{%- endmacro %}
