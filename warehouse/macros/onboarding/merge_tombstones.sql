{#- Mark what the newest export of a day no longer holds: the vendor withdrew it, so it stops counting; history stays.
    Takes  route, sink: as in sync_to_master_hub; reads pushed_batch after its MERGE.
    Gives  a MERGE of tombstones and one of the slices' coverage.
    Note   A slice is (account, payload_date). An older export landed late covers nothing: what only it brings is marked
           as withdrawn by the newer one already known. -#}
{% macro merge_tombstones(route, sink) -%}
{%- set coverage = source('hub', 'platform_ops__slice_coverage') -%}
{%- set of_route -%}
tenant_slug = '{{ route.tenant }}' and source_platform = '{{ route.platform }}'
{%- endset -%}
create or replace temp table pushed_slices as
with seen as (
    select source_account, payload_date, max(covered_at) as batch_at, count(distinct covered_at) as exports
    from pushed_batch
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
            any_value(t.source_schema_hash) as source_schema_hash,
            any_value(again.is_newest) as is_newest,
            any_value(again.covered_at) as covered_at
        from {{ sink }} as t
        inner join again on again.source_account = t.source_account and again.payload_date = t.payload_date
        where t.{{ of_route | replace(' and ', ' and t.') }}
        group by t.source_account, t.tenant_skey, t.payload_date
    ),

    batch as (
        select max(load_id) as load_id, max(loaded_at) as loaded_at from pushed_batch
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
        and case
            when c.is_newest then not exists (
                select 1
                from pushed_batch as b
                where b.source_account = c.source_account and b.tenant_skey = c.tenant_skey and b.covered_at = c.covered_at
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

{#- What stands in place of a withdrawn record.
    Gives  JSON text. -#}
{% macro tombstone_payload() -%}
{"_tombstone":true}
{%- endmacro %}
