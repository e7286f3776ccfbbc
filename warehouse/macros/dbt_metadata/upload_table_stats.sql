{#- Write what DuckDB knows of the tables that a run wrote: rows, bytes, and statistics of each column.
    Takes  results: as `metadata_nodes`. Tables of the hub that a pusher wrote count, under the library that has them.
    Gives  a checkpoint and one INSERT, or nothing.
    Note   It costs no pass over the data, but for the NULLs of tables that the run made whole: the rest stands in
           DuckDB's own metadata. Of texts no value is kept, for they may be personal data. -#}
{% macro upload_table_stats(results) -%}
{%- if execute and flags.WHICH not in ["compile", "generate"] -%}
{%- set tables = written_tables(results) %}
{%- if tables %}
checkpoint {{ adapter.quote(target.database) }};
insert into {{ artifact_table('table_stats__history') }} by name
select
    '{{ metadata_run_id() }}' as run_id,
    '{{ invocation_id }}' as invocation_id,
    now() at time zone 'UTC' as recorded_at,
    stats.*
from (
    {%- for name, table in tables.items() %}
    {{ table_stats(name, table) }}
    {{- ' union all by name' if not loop.last }}
    {%- endfor %}
) as stats
{%- endif %}
{%- endif -%}
{%- endmacro %}

{#- The tables that a run wrote.
    Gives  a dictionary: table -> columns (pairs of name and type), project, tenant_slug, is_new (the run made it whole).
    Note   A table that only grows and has no row yet is none: the library makes sixty of them. -#}
{% macro written_tables(results) -%}
{%- set written, growing = {}, [] %}
{%- for each in metadata_nodes(results) if (each.result.status ~ '') == 'success' %}
    {%- set made_of = each.node.config.materialized %}
    {%- if made_of in ('table', 'incremental', 'seed', 'snapshot') %}
        {%- do written.update({each.node.alias: {
            'project': project_name, 'tenant_slug': var('tenant_slug'), 'is_new': made_of in ('table', 'seed')
        }}) %}
        {%- if made_of == 'incremental' %}{% do growing.append(sql_text(each.node.alias)) %}{% endif %}
    {%- endif %}
    {%- for parent in each.node.depends_on.nodes or [] %}
        {%- set source = graph.sources.get(parent) %}
        {%- if source and source.source_name == 'hub' and source.database == target.database %}
            {%- do written.update({source.identifier: {
                'project': 'gata_library', 'tenant_slug': '*', 'is_new': false
            }}) %}
        {%- endif %}
    {%- endfor %}
{%- endfor %}
{%- set found = {} %}
{%- if written %}
    {%- set query -%}
    select table_name, list([column_name, data_type] order by column_index)
    from duckdb_columns()
    inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
    where (estimated_size > 0 or table_name not in ({{ growing | join(', ') or "''" }})) and database_name = '{{ target.database }}' and schema_name = '{{ target.schema }}'
        and table_name in ({% for name in written %}{{ sql_text(name) }}{{ ', ' if not loop.last }}{% endfor %})
    group by all
    order by all
    {%- endset %}
    {%- for row in run_query(query).rows %}
        {%- do found.update({row[0]: dict(written[row[0]], columns=fromjson(row[1]) if row[1] is string else row[1])}) %}
    {%- endfor %}
{%- endif %}
{%- do return(found) -%}
{%- endmacro %}

{#- A query of one row: what DuckDB knows of a table.
    Note   `stats` is a text of the column's statistics, such as
           [Min: 1, Max: 9][Has Null: false, Has No Null: true][Approx Unique: 9]; a block that two tables share counts
           for both. -#}
{% macro table_stats(name, table) -%}
{%- set relation = artifact_table(adapter.quote(name)) %}
{%- set names, types, texts, nulls = [], [], [], [] %}
{%- for column, type in table.columns %}
    {%- do names.append(sql_text(column)) %}
    {%- do types.append(sql_text(type)) %}
    {%- do texts.append('stats(' ~ adapter.quote(column) ~ ')') %}
    {%- do nulls.append('count(*) - count(' ~ adapter.quote(column) ~ ')') %}
{%- endfor -%}
select
    '{{ table.tenant_slug }}' as tenant_slug,
    '{{ table.project }}' as project,
    {{ sql_text(name) }} as table_name,
    (
        select estimated_size
        from duckdb_tables()
        where database_name = '{{ target.database }}' and schema_name = '{{ target.schema }}' and table_name = {{ sql_text(name) }}
    ) as "rows",
    (
        select count(distinct block) * (select any_value(block_size) from pragma_database_size())
        from (
            select unnest(list_append(additional_block_ids, block_id)) as block
            from pragma_storage_info({{ sql_text(target.database ~ '.' ~ target.schema ~ '.' ~ name) }})
        )
        where block >= 0
    ) as bytes,
    list_transform(
        list_zip(
            [{{ names | join(', ') }}],
            [{{ types | join(', ') }}],
            coalesce((select [{{ texts | join(', ') }}] from {{ relation }} limit 1), []),
            {{ '(select [' ~ nulls | join(', ') ~ '] from ' ~ relation ~ ')' if table.is_new else '[]::bigint[]' }}
        ),
        lambda known: {{ column_stats('known') }}
    ) as columns
{%- endmacro %}

{#- What DuckDB's text says of one column, as a struct.
    Takes  known: an expression of (name, type, text, NULLs). -#}
{% macro column_stats(known) -%}
{%- set text = known ~ '[3]' -%}
{
    'name': {{ known }}[1],
    'type': {{ known }}[2],
    'has_nulls': contains({{ text }}, '[Has Null: true'),
    'nulls': {{ known }}[4],
    'distinct_count': nullif(regexp_extract({{ text }}, 'Approx Unique: (\d+)', 1), '')::bigint,
    'smallest': case when {{ has_range(known) }} then nullif(regexp_extract({{ text }}, '^\[Min: (.*), Max: ([^\]]*)\]', 1), '') end,
    'largest': case when {{ has_range(known) }} then nullif(regexp_extract({{ text }}, '^\[Min: (.*), Max: ([^\]]*)\]', 2), '') end,
    'longest': nullif(regexp_extract({{ text }}, 'Max String Length: (\d+)', 1), '')::bigint
}
{%- endmacro %}

{#- Whether a column is of numbers or times, whose smallest and largest value name nobody. -#}
{% macro has_range(known) -%}
regexp_matches({{ known }}[2], '^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL|DATE|TIME)')
and not contains({{ known }}[2], '[')
{%- endmacro %}
