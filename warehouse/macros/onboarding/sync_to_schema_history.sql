{#- Record the shape each account's new loads were seen to hold; a shape seen before only moves its last_seen_at.
    Takes  route, landing, loads: as in generate_staging_pusher; fields: {contract field: 'column:type'}.
    Gives  one MERGE.
    Note   Runs before the push: it looks at the loads that the ledger does not hold yet. -#}
{% macro sync_to_schema_history(route, landing, loads, fields) -%}
merge into {{ source('hub', 'platform_sat__source_schema_history') }} as t
using (
    with landed as (
        select * from {{ landing }} where _dlt_load_id in ({{ unpushed_loads(route, loads) }})
    ),

    present as (
        select
            _account as source_account,
            list_filter([
                {%- for field, typed in fields.items() %}
                case when count("{{ field }}") > 0 then '{{ typed }}' end{{ "," if not loop.last }}
                {%- endfor %}
            ], lambda f: f is not null) as observed_fields,
            coalesce(
                list_sort(list_distinct(flatten(list(json_keys(_extra)) filter (where _extra is not null)))), []
            ) as unknown_fields,
            max(_landed_at) as seen_at
        from landed
        group by _account
    )

    select *, md5(observed_fields::varchar || '|' || unknown_fields::varchar) as observed_hash from present
) as s
on t.tenant_slug = '{{ route.tenant }}' and t.source_platform = '{{ route.platform }}' and t.source_object = '{{ route.object }}'
    and t.source_account = s.source_account and t.observed_hash = s.observed_hash
when matched then update set last_seen_at = s.seen_at
when not matched then insert (
    tenant_slug, source_platform, source_account, source_object, source_schema_hash,
    observed_hash, observed_fields, unknown_fields, first_seen_at, last_seen_at
)
values (
    '{{ route.tenant }}', '{{ route.platform }}', s.source_account, '{{ route.object }}', '{{ route.source_schema_hash }}',
    s.observed_hash, s.observed_fields, s.unknown_fields, s.seen_at, s.seen_at
)
{%- endmacro %}
