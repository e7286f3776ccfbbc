{#- Mark what the newest delivery of a day no longer holds: the vendor withdrew it, so it stops counting; history stays.
    Takes  route, sink, loads, deliveries: as in sync_to_master_hub; reads pushed_batch after its MERGE.
    Gives  a MERGE of tombstones and one of the slices' coverage.
    Note   A slice is (account, payload_date); a delivery covers the days that the ledger of deliveries lists, with rows or
           without; a row of another day withdraws nothing. An older delivery landed late covers nothing: what only it
           brings is marked as withdrawn by the newer one already known. Rows that landed before there were deliveries cover
           the days they have. -#}
{% macro merge_tombstones(route, sink, loads, deliveries) -%}
{%- set coverage = source('hub', 'platform_ops__slice_coverage') -%}
{%- set of_route -%}
tenant_slug = '{{ route.tenant }}' and source_platform = '{{ route.platform }}'
{%- endset -%}
create or replace temp table pushed_slices as
with ledger as (
    select account as source_account, delivered_at as covered_at, days
    from {{ deliveries }}
    where
        platform = '{{ route.platform }}' and object = '{{ route.object }}' and refused is null
        and _dlt_load_id in ({{ unpushed_loads(route, loads) }})
),

delivered as (
    select distinct source_account, covered_at, unnest(from_json(days, '["DATE"]')) as payload_date from ledger
),

landed as (
    select distinct source_account, covered_at, payload_date from pushed_batch
),

covered as (
    select source_account, covered_at, payload_date from delivered
    union all
    select
        landed.source_account,
        case when landed.covered_at in (select covered_at from ledger) then {{ covers_nothing() }} else landed.covered_at end
            as covered_at,
        landed.payload_date
    from landed
    anti join delivered
        on delivered.source_account = landed.source_account and delivered.covered_at = landed.covered_at
        and delivered.payload_date = landed.payload_date
),

seen as (
    select source_account, payload_date, max(covered_at) as batch_at, count(distinct covered_at) as exports
    from covered
    group by source_account, payload_date
),

before as (
    select source_account, slice_date, covered_at
    from {{ coverage }}
    where {{ of_route }} and source_object = '{{ route.object }}'
)

select
    seen.source_account,
    seen.payload_date,
    seen.batch_at >= coalesce(before.covered_at, seen.batch_at) as is_newest,
    greatest(seen.batch_at, coalesce(before.covered_at, seen.batch_at)) as covered_at,
    seen.exports > 1 or before.covered_at is not null as is_covered_again
from seen
left join before on before.source_account = seen.source_account and before.slice_date = seen.payload_date;

merge into {{ sink }} as t
using (
    with again as (
        select * from pushed_slices where is_covered_again
    ),

    current_rows as (
        select
            t.source_account,
            t.tenant_skey,
            t.payload_date,
            arg_max(t.payload_hash, {{ version_order('t') }}) = md5_number('tombstone|' || t.tenant_skey) as is_withdrawn,
            arg_max(t.load_id, {{ version_order('t') }}) as load_id,
            arg_max(t.exported_at, {{ version_order('t') }}) as current_at,
            any_value(t.source_schema_hash) as source_schema_hash,
            any_value(again.is_newest) as is_newest,
            any_value(again.covered_at) as covered_at
        from {{ sink }} as t
        inner join again on again.source_account = t.source_account and again.payload_date = t.payload_date
        where t.{{ of_route | replace(' and ', ' and t.') }}
        group by t.source_account, t.tenant_skey, t.payload_date
    ),

    batch as (
        select max(_dlt_load_id) as load_id, max(_landed_at) as loaded_at
        from {{ deliveries }}
        where _dlt_load_id in ({{ unpushed_loads(route, loads) }})
        union all
        select max(load_id) as load_id, max(loaded_at) as loaded_at from pushed_batch
        order by load_id desc nulls last
        limit 1
    )

    select
        c.source_account,
        c.tenant_skey,
        c.payload_date,
        c.source_schema_hash,
        c.covered_at,
        md5_number('tombstone|' || c.tenant_skey) as payload_hash,
        batch.load_id,
        batch.loaded_at
    from current_rows as c
    cross join batch
    where
        not c.is_withdrawn
        and c.current_at <= c.covered_at
        and case
            when c.is_newest then not exists (
                select 1
                from pushed_batch as b
                where b.source_account = c.source_account and b.tenant_skey = c.tenant_skey and b.covered_at >= c.covered_at
            )
            else c.load_id in (select load_id from pushed_batch)
        end
) as s
on t.{{ of_route | replace(' and ', ' and t.') }} and t.source_account = s.source_account and t.payload_hash = s.payload_hash
when matched then update set loaded_at = s.loaded_at, load_id = s.load_id, exported_at = s.covered_at
when not matched then insert
    ({{ sink_columns() }})
values (
    '{{ route.tenant }}', '{{ route.platform }}', s.source_account, s.tenant_skey, s.source_schema_hash,
    s.loaded_at, '{{ tombstone_payload() }}', s.payload_hash, s.payload_date, s.load_id,
    null, s.covered_at, 0
);

merge into {{ coverage }} as t
using pushed_slices as s
on t.{{ of_route | replace(' and ', ' and t.') }} and t.source_object = '{{ route.object }}'
    and t.source_account = s.source_account and t.slice_date = s.payload_date
when matched and s.covered_at > t.covered_at then update set covered_at = s.covered_at
when not matched then insert (tenant_slug, source_platform, source_object, source_account, slice_date, covered_at)
values ('{{ route.tenant }}', '{{ route.platform }}', '{{ route.object }}', s.source_account, s.payload_date, s.covered_at);

drop table pushed_slices
{%- endmacro %}

{#- When the rows of a day count from that their delivery does not cover: any delivery of the day is later.
    Gives  a timestamp. -#}
{% macro covers_nothing() -%}
timestamp '0001-01-01'
{%- endmacro %}

{#- What stands in place of a withdrawn record.
    Gives  JSON text. -#}
{% macro tombstone_payload() -%}
{"_tombstone":true}
{%- endmacro %}
