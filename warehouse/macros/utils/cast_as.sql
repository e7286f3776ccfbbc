{#- A wire value as what it means: the one place where text becomes a number, a time or a date.
    Takes  expression: SQL giving the value as the vendor sent it, text or number.
           meaning: a word of pipeline/contracts/fields.py, such as decimal or instant.
    Gives  an expression: DECIMAL(18,6), BIGINT, BOOLEAN, TIMESTAMP (UTC), DATE, JSON or VARCHAR; blank text is NULL.
    Note   landing has proved that the value reads so; what does not read fails here, it never becomes NULL. -#}
{% macro cast_as(expression, meaning) -%}
{%- set said -%} nullif(trim(cast({{ expression }} as varchar)), '') {%- endset -%}
{%- if meaning == 'decimal' -%} cast({{ said }} as decimal(18, 6))
{%- elif meaning == 'integer' -%} cast({{ said }} as bigint)
{%- elif meaning == 'flag' -%} cast({{ said }} as boolean)
{%- elif meaning == 'instant' -%} timezone('UTC', cast({{ said }} as timestamptz))
{%- elif meaning == 'epoch_micros' -%} make_timestamp(cast({{ expression }} as bigint))
{%- elif meaning == 'date' -%} cast({{ said }} as date)
{%- elif meaning == 'compact_date' -%} cast(strptime({{ said }}, '%Y%m%d') as date)
{%- elif meaning == 'anything' -%} cast({{ expression }} as json)
{%- elif meaning == 'text' -%} {{ said }}
{%- else -%} {{ exceptions.raise_compiler_error("cast_as knows no meaning named '" ~ meaning ~ "'.") }}
{%- endif -%}
{%- endmacro %}
