{#- The rows a tenant landed and has not pushed yet, wrapped as sink rows.
    Takes  route: tenant, platform, object, source_schema_hash, has_key (every record has one): literals decided by
           Python.
           landing, loads: the landing table and dlt's table of finished loads.
           deliveries: the ledger of the tenant's landed deliveries.
           record: SQL generated from the contract: parsed, canonical, payload, key, payload_date, version_at.
    Gives  the sink's columns; covered_at (from when the row's delivery counts), is_dated (the delivery says its own
           time); and its lineage: batch_id, source_file, event_id (SHA-256 of the object and the record's key).
    Note   payload_hash is taken over the canonical payload and the occurrence ordinal: 1, 2, ... among identical
           records of one file where the record has no key. Rows of a load that dlt has not finished are not seen.
           The files of a delivery without a time of its own follow each other in order of name. Rows that landed before
           there were deliveries have none: the files of their load are one. -#}
{% macro generate_staging_pusher(route, landing, loads, deliveries, record) -%}
with files as (
    select
        _dlt_load_id,
        coalesce(_batch_id, '') as batch_id,
        _source_file,
        max(_landed_at) as landed_at,
        row_number() over (partition by _dlt_load_id, coalesce(_batch_id, '') order by _source_file) as file_number,
        count(*) over (partition by _dlt_load_id, coalesce(_batch_id, '')) as file_count
    from {{ landing }}
    where _dlt_load_id in ({{ unpushed_loads(route, loads) }})
    group by _dlt_load_id, coalesce(_batch_id, ''), _source_file
),

delivered as (
    select distinct _dlt_load_id, batch_id, delivered_at
    from {{ deliveries }}
    where platform = '{{ route.platform }}' and object = '{{ route.object }}' and refused is null
),

unpushed as (
    select
        files._dlt_load_id,
        files.batch_id,
        files._source_file,
        coalesce(
            delivered.delivered_at - to_microseconds(files.file_count - files.file_number),
            files.landed_at + to_microseconds(files.file_number)
        ) as file_at,
        coalesce(delivered.delivered_at, files.landed_at + to_microseconds(files.file_count)) as load_at
    from files
    left join delivered on delivered._dlt_load_id = files._dlt_load_id and delivered.batch_id = files.batch_id
),

landed as (
    select
        landing.*,
        {% if record.parsed -%} {{ record.parsed }}, {% endif -%}
        coalesce(landing._exported_at, unpushed.file_at) as exported_at,
        coalesce(landing._exported_at, unpushed.load_at) as covered_at,
        unpushed.batch_id
    from {{ landing }} as landing
    inner join unpushed
        on unpushed._dlt_load_id = landing._dlt_load_id
        and unpushed.batch_id = coalesce(landing._batch_id, '')
        and unpushed._source_file = landing._source_file
),

hashed as (
    select
        _account as source_account,
        {{ record.payload }} as raw_data_payload,
        {{ record.payload_date }} as payload_date,
        {{ record.version_at }} as version_at,
        {{ record.key }} as natural_key,
        md5({{ record.canonical }}) as content_hash,
        _dlt_load_id as load_id,
        _landed_at as loaded_at,
        exported_at,
        _exported_at is not null as is_dated,
        covered_at,
        batch_id,
        _source_file as source_file,
        _source_line as source_position
    from landed
),

numbered as (
    select
        *,
        {% if route.has_key -%} 1 {%- else -%}
        case
            when natural_key is not null then 1
            else dense_rank() over (
                partition by load_id, source_account, batch_id, source_file, content_hash order by source_position
            )
        end
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
    is_dated,
    nullif(batch_id, '') as batch_id,
    source_file,
    sha256(
        '{{ route.platform }}__{{ route.object }}|' || source_account || '|' || coalesce(natural_key, content_hash) || '|' || ordinal
    ) as event_id
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
