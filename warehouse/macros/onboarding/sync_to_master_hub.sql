{#- Push what a staging view holds into its sink: MERGE, keys, tombstones, ledger, all in one transaction.
    Takes  route: as in generate_staging_pusher, and daily_slice (an export of a day holds the whole day).
           sink: the master model.  loads: dlt's table of finished loads.  Reads pushed_batch, see stage_batch.
           deliveries: as in generate_staging_pusher. A delivery without a row may still cover days.
    Gives  SQL of several statements, or `select 1` when there is nothing to push.
    Note   Dates are literal bounds taken from the batch, so that zone maps keep the cost with the batch, not with the
           history; payload_date is a function of the payload, so equal payloads always meet. -#}
{% macro sync_to_master_hub(route, sink, loads, deliveries) -%}
{%- if not execute -%} select 1 {%- else -%}
{%- set load_ids = run_query("select string_agg(load_id, ',') from (" ~ unpushed_loads(route, loads) ~ ")").rows[0][0] -%}
{%- set batch = run_query("select count(*), min(payload_date), max(payload_date) from pushed_batch").rows[0] -%}
{%- if batch[0] %}
{{ merge_batch(route, sink, batch[1], batch[2]) }};
{{ register_keys(route, batch[1], batch[2]) }};
{%- endif %}
{%- if route.daily_slice and load_ids %}
{{ merge_tombstones(route, sink, loads, deliveries) }};
{%- endif %}
{%- if load_ids %}
{{ push_ledger_rows(route, load_ids, batch[0]) }};
{%- endif %}
drop table pushed_batch
{%- endif -%}
{%- endmacro %}

{#- The rows to push, computed once: payloads and hashes are dear, and the push reads them several times.
    Gives  a CREATE TABLE in the connection's temporary space, between the transaction of the view's build and the push's.
    Note   DuckDB takes a table of its own transaction for empty, and would hash whole payloads to join them. -#}
{% macro stage_batch() -%}
commit;
create or replace temp table pushed_batch as select * exclude (batch_id, source_file, event_id) from {{ this }};
begin
{%- endmacro %}

{#- One row per pushed load.
    Takes  route; load_ids: joined by commas; rows: of the whole push.
    Gives  an INSERT. -#}
{% macro push_ledger_rows(route, load_ids, rows) -%}
insert into {{ source('hub', 'platform_ops__push_ledger') }}
    (tenant_slug, source_platform, source_object, load_id, pushed_at, batch_rows)
select '{{ route.tenant }}', '{{ route.platform }}', '{{ route.object }}', unnest(string_split('{{ load_ids }}', ',')),
    now() at time zone 'UTC', {{ rows }}
{%- endmacro %}

{#- How versions of a record are ordered: the vendor's own version time, the export's time, the place in the file.
    Takes  alias: of a relation with the sink's columns.
    Gives  a struct expression; structs compare field by field. -#}
{% macro version_order(alias) -%}
{'v': coalesce({{ alias }}.version_at, timestamp '0001-01-01'), 'e': {{ alias }}.exported_at, 'p': {{ alias }}.source_position, 'h': {{ alias }}.payload_hash}
{%- endmacro %}

{#- MERGE the batch into the sink: new payloads are inserted; a known payload that the newest export brings back after
    another one renews its row (10, restated to 12, corrected to 10), and a dated export confirms what it repeats.
    Takes  route, sink; first_date, last_date: the batch's payload dates.
    Gives  one MERGE. -#}
{% macro merge_batch(route, sink, first_date, last_date) -%}
{%- set ours -%}
t.tenant_slug = '{{ route.tenant }}' and t.source_platform = '{{ route.platform }}'
{%- endset -%}
{%- set in_bounds -%}
t.payload_date between date '{{ first_date }}' and date '{{ last_date }}'
{%- endset -%}
merge into {{ sink }} as t
using (
    with latest as (
        select arg_max(rowid, {{ version_order('b') }}) as batch_row from pushed_batch as b group by source_account, payload_hash
    ),

    known as (
        select
            s.source_account,
            s.payload_hash,
            s.tenant_skey,
            s.is_dated,
            s.exported_at > t.exported_at as is_later,
            {{ version_order('s') }} as new_order,
            {{ version_order('t') }} as old_order
        from pushed_batch as s
        inner join {{ sink }} as t
            on {{ ours }} and {{ in_bounds }}
            and t.source_account = s.source_account and t.payload_hash = s.payload_hash
        where s.rowid in (select batch_row from latest) and {{ version_order('s') }} > {{ version_order('t') }}
    ),

    versions as (
        select t.tenant_skey, t.payload_hash, {{ version_order('t') }} as version_order
        from {{ sink }} as t
        where {{ ours }} and t.tenant_skey in (select tenant_skey from known)
        union all
        select s.tenant_skey, s.payload_hash, {{ version_order('s') }} as version_order
        from pushed_batch as s
        where s.rowid in (select batch_row from latest) and s.tenant_skey in (select tenant_skey from known)
    ),

    rivals as (
        select known.source_account, known.payload_hash, max(versions.version_order) as top_order
        from known
        inner join versions on versions.tenant_skey = known.tenant_skey and versions.payload_hash <> known.payload_hash
        group by known.source_account, known.payload_hash
    ),

    renewed as (
        select known.source_account, known.payload_hash
        from known
        left join rivals on rivals.source_account = known.source_account and rivals.payload_hash = known.payload_hash
        where
            (known.old_order < rivals.top_order and known.new_order > rivals.top_order)
            or (known.is_dated and known.is_later)
    )

    select s.*, renewed.payload_hash is not null as is_renewed
    from pushed_batch as s
    left join renewed on renewed.source_account = s.source_account and renewed.payload_hash = s.payload_hash
    where s.rowid in (select batch_row from latest)
) as s
on {{ ours }} and {{ in_bounds }} and t.source_account = s.source_account and t.payload_hash = s.payload_hash
when matched and s.is_renewed then update set
    loaded_at = s.loaded_at, load_id = s.load_id, exported_at = s.exported_at, source_position = s.source_position
when not matched then insert
    ({{ sink_columns() }})
values
    ({{ sink_columns('s.') }})
{%- endmacro %}

{#- The sink's columns, in order.
    Takes  prefix: an alias with its dot.
    Gives  a list of columns. -#}
{% macro sink_columns(prefix='') -%}
{{ prefix }}tenant_slug, {{ prefix }}source_platform, {{ prefix }}source_account, {{ prefix }}tenant_skey, {{ prefix }}source_schema_hash,
    {{ prefix }}loaded_at, {{ prefix }}raw_data_payload, {{ prefix }}payload_hash, {{ prefix }}payload_date, {{ prefix }}load_id,
    {{ prefix }}version_at, {{ prefix }}exported_at, {{ prefix }}source_position
{%- endmacro %}
