{#- A wire value in the type of its meaning: the one place where text becomes a number, a time or a date.
    Takes  expression: SQL giving the value as the vendor sent it, text or number.
           meaning: a word of pipeline/contracts/meaning.py, such as decimal or instant.
           form: of date_as, such as %d.%m.%Y.
    Gives  an expression; blank text is NULL. decimal, micros, percent: DECIMAL(18,6), in major units and as a fraction
           (12.5% is 0.125); integer, minor_units: BIGINT; flag: BOOLEAN; instant, utc_time, rfc_2822, epoch_*: TIMESTAMP
           in UTC; local_time: TIMESTAMP of the account's clock; date, compact_date, date_as: DATE; anything: JSON; text: VARCHAR.
    Note   landing has proved that the value reads so; what does not read fails here, it never becomes NULL. -#}
{% macro cast_as(expression, meaning, form=none) -%}
{%- set text -%} nullif(trim(cast({{ expression }} as varchar)), '') {%- endset -%}
{%- if meaning == 'decimal' -%} cast({{ text }} as decimal(18, 6))
{%- elif meaning == 'micros' -%} cast(cast({{ text }} as decimal(18, 0)) * 0.000001 as decimal(18, 6))
{%- elif meaning == 'percent' -%} cast(cast(rtrim({{ text }}, '% ') as decimal(18, 6)) * 0.01 as decimal(18, 6))
{%- elif meaning in ('integer', 'minor_units') -%} cast({{ text }} as bigint)
{%- elif meaning == 'flag' -%} cast({{ text }} as boolean)
{%- elif meaning == 'instant' -%} timezone('UTC', cast({{ text }} as timestamptz))
{%- elif meaning == 'utc_time' -%} timezone('UTC', cast({{ with_zone(text) }} as timestamptz))
{%- elif meaning == 'rfc_2822' -%} timezone('UTC', cast({{ rfc_2822_as_iso(text) }} as timestamptz))
{%- elif meaning == 'local_time' -%} cast({{ text }} as timestamp)
{%- elif meaning == 'epoch_seconds' -%} make_timestamp(cast({{ text }} as bigint) * 1000000)
{%- elif meaning == 'epoch_millis' -%} make_timestamp(cast({{ text }} as bigint) * 1000)
{%- elif meaning == 'epoch_micros' -%} make_timestamp(cast({{ expression }} as bigint))
{%- elif meaning == 'date' -%} cast({{ text }} as date)
{%- elif meaning == 'compact_date' -%} cast(strptime({{ text }}, '%Y%m%d') as date)
{%- elif meaning == 'date_as' -%} cast(strptime({{ text }}, '{{ form }}') as date)
{%- elif meaning == 'anything' -%} cast({{ expression }} as json)
{%- elif meaning == 'text' -%} {{ text }}
{%- else -%} {{ exceptions.raise_compiler_error("cast_as knows no meaning named '" ~ meaning ~ "'.") }}
{%- endif -%}
{%- endmacro %}

{#- An ISO time that is UTC where it carries no offset, with its offset.
    Takes  text: SQL giving the time as text, without space around it.
    Gives  a VARCHAR expression that casts to a TIMESTAMPTZ in any session. -#}
{% macro with_zone(text) -%}
case when regexp_matches(substr({{ text }}, 11), '[ZC+-]') then {{ text }} else {{ text }} || 'Z' end
{%- endmacro %}

{#- A time of RFC 2822, such as Sat, 03 Mar 2018 02:35:28 +0000, in ISO 8601.
    Takes  text: SQL giving the time as text, without space around it.
    Gives  a VARCHAR expression that casts to a TIMESTAMPTZ in any session.
    Note   strptime of the clock alone: with %z, DuckDB takes 31 February for 3 March. -#}
{% macro rfc_2822_as_iso(text) -%}
strftime(strptime(regexp_extract({{ text }}, '[0-9]+ [A-Za-z]+ [0-9]+ [0-9:]+'), '%d %b %Y %H:%M:%S'), '%Y-%m-%dT%H:%M:%S')
|| coalesce(nullif(regexp_extract({{ text }}, '[+-][0-9]{4}$'), ''), 'Z')
{%- endmacro %}

{#- The types of what canonical rows hold as lists, so that engines of a domain give the same.
    Takes  what: order lines, refunds, refund lines or unit costs.
    Gives  a type: STRUCT[]. -#}
{% macro list_type(what) -%}
{%- if what == 'order lines' -%}
struct(
        line_id varchar, product_id varchar, sku varchar, item_name varchar, quantity decimal(19, 6), unit_price decimal(18, 6),
        discount_amount decimal(18, 6), amount decimal(18, 6), variant_id varchar, cost_amount decimal(18, 6)
    )[]
{%- elif what == 'refunds' -%}
struct(
        refund_id varchar, refunded_at timestamp, amount decimal(18, 6),
        lines struct(order_item_id varchar, quantity decimal(19, 6), amount decimal(18, 6))[]
    )[]
{%- elif what == 'refund lines' -%}
struct(order_item_id varchar, quantity decimal(19, 6), amount decimal(18, 6))[]
{%- elif what == 'unit costs' -%}
struct(variant_id varchar, unit_cost decimal(18, 6), currency varchar)[]
{%- else -%} {{ exceptions.raise_compiler_error("list_type knows no list named '" ~ what ~ "'.") }}
{%- endif -%}
{%- endmacro %}
