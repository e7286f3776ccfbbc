{#- Text that says something: what analytics tools write for nothing is NULL.
    Takes  expression: SQL giving text.  nothing: texts that say nothing, beside '' and '(not set)'.
    Gives  an expression: VARCHAR, outer space gone. -#}
{% macro said(expression, nothing=()) -%}
{%- set words = ['', '(not set)'] + (nothing | list) -%}
{{ 'nullif(' * (words | length) }}trim({{ expression }}){% for word in words %}, '{{ word }}'){% endfor %}
{%- endmacro %}
