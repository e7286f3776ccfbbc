{#- The tables of dbt metadata and their columns.
    Gives  a dictionary: table -> column -> DuckDB type.
    Note   Rows are only ever added. A new column goes to the end: `init_artifact_tables` adds it to older tables. -#}
{% macro artifact_tables() -%}
{%- do return({
    'invocations__history': {
        'run_id': 'varchar', 'tenant_slug': 'varchar', 'project': 'varchar', 'recorded_at': 'timestamp',
        'invocation_id': 'varchar', 'command': 'varchar', 'target': 'varchar', 'dbt_version': 'varchar',
        'started_at': 'timestamp', 'node_ids': 'varchar[]'
    },
    'model_artifacts__history': {
        'run_id': 'varchar', 'tenant_slug': 'varchar', 'project': 'varchar', 'node_id': 'varchar', 'name': 'varchar',
        'resource_type': 'varchar', 'materialization': 'varchar', 'depends_on': 'varchar[]', 'tags': 'varchar[]',
        'config': 'json', 'definition_hash': 'varchar', 'recorded_at': 'timestamp', 'invocation_id': 'varchar',
        'relation': 'varchar', 'path': 'varchar', 'description': 'varchar', 'columns': 'json', 'meta': 'json',
        'text_hash': 'varchar'
    },
    'test_artifacts__history': {
        'run_id': 'varchar', 'tenant_slug': 'varchar', 'project': 'varchar', 'node_id': 'varchar', 'name': 'varchar',
        'test_name': 'varchar', 'tested_node': 'varchar', 'column_name': 'varchar', 'depends_on': 'varchar[]',
        'severity': 'varchar', 'recorded_at': 'timestamp', 'invocation_id': 'varchar', 'resource_type': 'varchar',
        'arguments': 'json', 'tags': 'varchar[]', 'config': 'json', 'path': 'varchar', 'description': 'varchar',
        'definition_hash': 'varchar'
    },
    'run_results__history': {
        'run_id': 'varchar', 'tenant_slug': 'varchar', 'project': 'varchar', 'node_id': 'varchar', 'name': 'varchar',
        'resource_type': 'varchar', 'status': 'varchar', 'seconds': 'double', 'rows': 'bigint', 'failures': 'bigint',
        'message': 'varchar', 'recorded_at': 'timestamp', 'invocation_id': 'varchar', 'thread': 'varchar',
        'compile_seconds': 'double', 'started_at': 'timestamp', 'completed_at': 'timestamp'
    },
    'table_stats__history': {
        'run_id': 'varchar', 'tenant_slug': 'varchar', 'project': 'varchar', 'recorded_at': 'timestamp',
        'invocation_id': 'varchar', 'table_name': 'varchar', 'rows': 'bigint', 'bytes': 'bigint',
        'columns': 'struct(name varchar, type varchar, has_nulls boolean, nulls bigint, distinct_count bigint, '
            ~ 'smallest varchar, largest varchar, longest bigint)[]'
    }
}) -%}
{%- endmacro %}

{#- The name of a table in the database that this project writes. It names no database, so that views work in a copy. -#}
{% macro artifact_table(name) -%}
{{ adapter.quote(target.schema) }}.{{ name }}
{%- endmacro %}
