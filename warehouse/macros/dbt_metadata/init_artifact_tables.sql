{#- Create what dbt metadata is written to, in the database of the project: the hub, or the tenant's star file.
    Gives  SQL of several statements: `<name>__history` tables, columns that tables of earlier releases lack, and the
           `<name>__current` views over them.
    Note   Runs at the start of the library, whose models read the views, and at the end of every project. -#}
{% macro init_artifact_tables() -%}
{%- if execute and flags.WHICH not in ["compile", "generate"] -%}
{%- set known = {} %}
{%- for row in run_query(
    "select table_name, string_agg(column_name, ',') from duckdb_columns() where database_name = '" ~ target.database
    ~ "' and schema_name = '" ~ target.schema ~ "' and ends_with(table_name, '__history') group by all"
).rows %}{% do known.update({row[0]: row[1].split(',')}) %}{% endfor %}
{%- for table, columns in artifact_tables().items() %}
{%- if table not in known %}
create table {{ artifact_table(table) }} (
    {%- for name, type in columns.items() %}{{ adapter.quote(name) }} {{ type }}{{ ', ' if not loop.last }}{% endfor -%}
);
{%- else %}
{%- for name, type in columns.items() if name not in known[table] %}
alter table {{ artifact_table(table) }} add column {{ adapter.quote(name) }} {{ type }};
{%- endfor %}
{%- endif %}
{%- endfor %}
{{ artifact_views() }}
{%- endif -%}
{%- endmacro %}

{#- The views of what is so now.
    Gives  SQL of several statements.
    Note   A definition is written when it changes, a result at every run: the last of a node counts, while the project
           still has the node. dbt may run a part of a project, so what the last invocation did not run is still so. -#}
{% macro artifact_views() -%}
{%- for name in ('model_artifacts', 'test_artifacts', 'run_results') %}
create or replace view {{ artifact_table(name ~ '__current') }} as
select history.*
from {{ artifact_table(name ~ '__history') }} as history
left join (
    select
        tenant_slug,
        project,
        node_ids
    from {{ artifact_table('invocations__history') }}
    qualify row_number() over (partition by tenant_slug, project order by recorded_at desc, run_id desc) = 1
) as invocation
    on history.tenant_slug = invocation.tenant_slug and history.project = invocation.project
where coalesce(list_contains(invocation.node_ids, history.node_id), true) or history.resource_type = 'unit_test'
qualify row_number() over (
    partition by history.tenant_slug, history.project, history.node_id
    order by history.recorded_at desc, history.run_id desc
) = 1;
{%- endfor %}
create or replace view {{ artifact_table('table_stats__current') }} as
select *
from {{ artifact_table('table_stats__history') }}
qualify row_number() over (
    partition by tenant_slug, project, table_name order by recorded_at desc, run_id desc
) = 1
{%- endmacro %}
