{#- Write rows into a metadata table.
    Takes  table: of `artifact_tables`. rows: a list of dictionaries, under the names of its columns; what a row lacks
           is NULL. unless: a condition on `new`, the row, that keeps it out.
    Gives  one INSERT, or nothing where there are no rows. The rows travel as one JSON text, so no value is SQL.
    Note   Every row carries the run, the invocation, the tenant and the project it is of. -#}
{% macro insert_metadata(table, rows, unless=none) -%}
{%- if rows %}
{%- set columns = artifact_tables()[table] %}
{%- set structure = {} %}
{%- for name, type in columns.items() if name not in stamped() and name != 'definition_hash' %}
    {%- do structure.update({name: ['VARCHAR'] if type == 'varchar[]' else 'VARCHAR' if type == 'json' else type | upper}) %}
{%- endfor %}
insert into {{ artifact_table(table) }} by name
select
    '{{ metadata_run_id() }}' as run_id,
    '{{ invocation_id }}' as invocation_id,
    '{{ var("tenant_slug") }}' as tenant_slug,
    '{{ project_name }}' as project,
    now() at time zone 'UTC' as recorded_at,
    new.*
from (
    select
        {%- if 'definition_hash' in columns %} md5(to_json(parsed)::varchar) as definition_hash,{% endif %}
        unnest(parsed)
    from (select unnest(from_json({{ sql_text(tojson(rows)) }}, {{ sql_text(tojson([structure])) }})) as parsed)
) as new
{%- if unless %}
where not ({{ unless }})
{%- endif %}
{%- endif -%}
{%- endmacro %}

{#- The columns that `insert_metadata` fills by itself. -#}
{% macro stamped() -%}
{%- do return(('run_id', 'invocation_id', 'tenant_slug', 'project', 'recorded_at')) -%}
{%- endmacro %}

{#- The run that rows belong to.
    Gives  the id of the gata command that started dbt; where a person did, an id of the same form. Ids sort by time. -#}
{% macro metadata_run_id() -%}
{{ env_var('GATA_RUN_ID', run_started_at.strftime('%Y%m%dT%H%M%S%fZ_') ~ invocation_id[:6]) }}
{%- endmacro %}

{#- A text as a SQL literal. -#}
{% macro sql_text(value) -%}
'{{ value | replace("'", "''") }}'
{%- endmacro %}

{#- A result under the names that the uploads read.
    Takes  results: dbt's own results as on-run-end gets them, or rows of a run_results.json: whoever runs the SQL
           passes what happened.
    Gives  a list of dictionaries: node_id, node (of the graph, where it is there), result. Exposures and hooks are none. -#}
{% macro metadata_nodes(results) -%}
{%- set found = [] %}
{%- for result in results %}
    {%- set node_id = result.unique_id or result.node.unique_id %}
    {%- if node_id.split('.')[0] in ('model', 'seed', 'snapshot', 'test', 'unit_test') %}
        {%- do found.append({'node_id': node_id, 'node': graph.nodes.get(node_id) or result.node, 'result': result}) %}
    {%- endif %}
{%- endfor %}
{%- do return(found) -%}
{%- endmacro %}
