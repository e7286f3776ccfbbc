{#- The rows a tenant landed and has not pushed yet, wrapped as sink rows.
    Takes  route: tenant, platform, object, source_schema_hash, has_key: literals decided by Python.
           landing, loads: the landing table and dlt's table of finished loads.
           record: SQL generated from the contract: parsed, canonical, payload, key, payload_date, version_at.
    Gives  the sink's columns, and covered_at (when the export of the row's slice was made), is_dated
           (the export says when it was made).
    Note   payload_hash is taken over the canonical payload and the occurrence ordinal: 1, 2, ... among identical
           records of one file where the object has no key. Rows of a load that dlt has not finished are not seen.
           An export that does not say when it was made was made when it landed, the files of a load in order of name;
           together they are one export of each day they hold. -#}
{% macro generate_staging_pusher(route, landing, loads, record) -%}
with files as (
    select
        _dlt_load_id,
        _source_file,
        max(_landed_at) + to_microseconds(row_number() over (partition by _dlt_load_id order by _source_file)) as file_at
    from {{ landing }}
    where _dlt_load_id in ({{ unpushed_loads(route, loads) }})
    group by _dlt_load_id, _source_file
),

unpushed as (
    select *, max(file_at) over (partition by _dlt_load_id) as load_at from files
),

landed as (
    select
        landing.*,
        {% if record.parsed -%} {{ record.parsed }}, {% endif -%}
        coalesce(landing._exported_at, unpushed.file_at) as exported_at,
        coalesce(landing._exported_at, unpushed.load_at) as covered_at
    from {{ landing }} as landing
    inner join unpushed using (_dlt_load_id, _source_file)
),

hashed as (
    select
        _account as source_account,
        {{ record.payload }} as raw_data_payload,
        {{ record.payload_date }} as payload_date,
        {{ record.version_at }} as version_at,
        {{ record.key if route.has_key else "null::varchar" }} as natural_key,
        md5({{ record.canonical }}) as content_hash,
        _dlt_load_id as load_id,
        _landed_at as loaded_at,
        exported_at,
        _exported_at is not null as is_dated,
        covered_at,
        _source_file as source_file,
        _source_line as source_position
    from landed
),

numbered as (
    select
        *,
        {% if route.has_key -%} 1 {%- else -%}
        dense_rank() over (partition by load_id, source_account, source_file, content_hash order by source_position)
        {%- endif %} as ordinal
    from hashed
)

select
    '{{ route.tenant }}' as tenant_slug,
    '{{ route.platform }}' as source_platform,
    source_account,
    {{ gen_tenant_key(['tenant_slug', 'source_platform', 'source_account', 'coalesce(natural_key, content_hash)', 'ordinal']) }} as tenant_skey,
    '{{ route.source_schema_hash }}' as source_schema_hash,
    loaded_at,
    raw_data_payload,
    md5_number(content_hash || '|' || ordinal) as payload_hash,
    payload_date,
    load_id,
    version_at,
    exported_at,
    source_position,
    covered_at,
    is_dated
from numbered
{%- endmacro %}

{#- The finished loads of this tenant that have not been pushed into this object's sink.
    Takes  route, loads: as above.
    Gives  a select of one column, load_id. -#}
{% macro unpushed_loads(route, loads) -%}
select load_id
from {{ loads }}
where status = 0 and load_id not in (
    select load_id
    from {{ source('hub', 'platform_ops__push_ledger') }}
    where tenant_slug = '{{ route.tenant }}' and source_platform = '{{ route.platform }}' and source_object = '{{ route.object }}'
)
{%- endmacro %}
