{#- The calendar day of a UTC time in a time zone, its daylight saving included.
    Takes  expression: SQL giving a TIMESTAMP in UTC.  timezone: an IANA name.
    Gives  an expression: DATE. -#}
{% macro local_date(expression, timezone) -%}
{%- if timezone == 'UTC' -%}
cast({{ expression }} as date)
{%- else -%}
cast(timezone('{{ timezone }}', timezone('UTC', {{ expression }})) as date)
{%- endif -%}
{%- endmacro %}
