{#- Write how a run went: a row per node, with status, time, rows and failures; and a row for the run itself.
    Takes  results: as `metadata_nodes`. counted: a query of (name, rows) that says how many rows a node brought; left
           out, a node has the rows of the table it left.
    Gives  SQL of two statements.
    Note   The row of the run lists the project's nodes: the views of what is so now leave out what it no longer has. -#}
{% macro upload_run_results(results, counted=none) -%}
{%- if execute and flags.WHICH not in ["compile", "generate"] -%}
{%- set rows, node_ids, counts = [], [], {} %}
{%- for row in run_query(counted or rows_of_tables()).rows %}{% do counts.update({row[0]: row[1] | int}) %}{% endfor %}
{%- for each in metadata_nodes(results) %}
    {%- set result, timing = each.result, {} %}
    {%- for phase in result.timing or [] %}{% do timing.update({phase.name: phase}) %}{% endfor %}
    {%- set compiled, executed = timing.get('compile', {}), timing.get('execute', {}) %}
    {%- do rows.append({
        'node_id': each.node_id,
        'name': each.node.name,
        'resource_type': each.node.resource_type ~ '',
        'status': result.status ~ '',
        'seconds': result.execution_time,
        'rows': counts.get(each.node.alias) if (result.status ~ '') == 'success' else none,
        'failures': result.failures,
        'message': (result.message or '')[:4000],
        'thread': result.thread_id,
        'compile_seconds': seconds_between(compiled.started_at, compiled.completed_at),
        'started_at': (executed.started_at ~ '') if executed.started_at else none,
        'completed_at': (executed.completed_at ~ '') if executed.completed_at else none
    }) %}
{%- endfor %}
{%- for node_id in graph.nodes if not node_id.startswith('operation.') %}{% do node_ids.append(node_id) %}{% endfor %}
{{ insert_metadata('run_results__history', rows) }};
{{ insert_metadata('invocations__history', [{
    'command': invocation_args_dict.which,
    'target': target.name,
    'dbt_version': dbt_version,
    'started_at': run_started_at.strftime('%Y-%m-%d %H:%M:%S.%f'),
    'node_ids': node_ids
}]) }};
{%- endif -%}
{%- endmacro %}

{#- A query of the rows of each table in the project's database: (name, rows). DuckDB knows them without looking. -#}
{% macro rows_of_tables() -%}
select table_name, estimated_size
from duckdb_tables()
where database_name = '{{ target.database }}' and schema_name = '{{ target.schema }}'
{%- endmacro %}

{#- A query of the rows that each pusher took from its landing table in this run: (name, rows). -#}
{% macro rows_of_pushers() -%}
select 'stg_' || tenant_slug || '__' || source_platform || '_' || source_object, max(batch_rows)
from {{ artifact_table('platform_ops__push_ledger') }}
where tenant_slug = '{{ var("tenant_slug") }}' and pushed_at >= '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}'
group by all
{%- endmacro %}

{#- The seconds between two moments, as dbt has them (datetimes) or as run_results.json does (text). -#}
{% macro seconds_between(start, end) -%}
{%- if start and end -%}
    {%- set moments = [] %}
    {%- for moment in (start, end) %}
        {%- do moments.append(modules.datetime.datetime.fromisoformat(moment) if moment is string else moment) %}
    {%- endfor %}
    {%- do return((moments[1] - moments[0]).total_seconds()) %}
{%- endif -%}
{%- do return(none) -%}
{%- endmacro %}
