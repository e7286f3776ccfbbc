{#- Note the surrogate keys that the batch is the first to bring; a key that is known stays as it is.
    Takes  route: as in sync_to_master_hub, and has_dated_key (records of one key have one date).
           first_date, last_date: the batch's payload dates.  Reads pushed_batch.
    Gives  one INSERT.
    Note   With a dated key a known one can only stand between the batch's dates, so the cost follows the batch; else the
           keys of the object are read, and only when a key is not found between the dates. -#}
{% macro register_keys(route, first_date, last_date) -%}
{%- set registry = source('hub', 'hub_key_registry') -%}
{%- set ours -%}
known.tenant_slug = '{{ route.tenant }}' and known.source_platform = '{{ route.platform }}'
    and known.source_object = '{{ route.object }}' and known.tenant_skey = brought.tenant_skey
{%- endset -%}
{%- set in_bounds -%}
known.first_payload_date between date '{{ first_date }}' and date '{{ last_date }}'
{%- endset -%}
insert into {{ registry }}
with brought as (
    select
        source_account,
        tenant_skey,
        min(loaded_at) as first_seen_at,
        min(load_id) as first_load_id,
        arg_min(payload_date, load_id) as first_payload_date
    from pushed_batch
    group by source_account, tenant_skey
),

unknown as materialized (
    select *
    from brought
    where not exists (select 1 from {{ registry }} as known where {{ ours }} and {{ in_bounds }})
)

select
    '{{ route.tenant }}' as tenant_slug,
    '{{ route.platform }}' as source_platform,
    brought.source_account,
    '{{ route.object }}' as source_object,
    brought.tenant_skey,
    brought.first_seen_at,
    brought.first_load_id,
    brought.first_payload_date
from unknown as brought
{%- if not route.has_dated_key %}
where not exists (select 1 from {{ registry }} as known where {{ ours }} and not {{ in_bounds }})
{%- endif %}
{%- endmacro %}
