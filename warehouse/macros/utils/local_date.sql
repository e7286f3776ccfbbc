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

{#- The hour of a UTC time in a time zone, its daylight saving included.
    Takes  expression: SQL giving a TIMESTAMP in UTC.  timezone: an IANA name.
    Gives  an expression: INTEGER, 0 to 23. -#}
{% macro local_hour(expression, timezone) -%}
{%- if timezone == 'UTC' -%}
cast(extract('hour' from {{ expression }}) as integer)
{%- else -%}
cast(extract('hour' from timezone('{{ timezone }}', timezone('UTC', {{ expression }}))) as integer)
{%- endif -%}
{%- endmacro %}
