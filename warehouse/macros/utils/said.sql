{#- Text that says something: what analytics tools write for nothing is NULL.
    Takes  expression: SQL giving text.  nothing: texts that say nothing, beside '' and '(not set)'.
    Gives  an expression: VARCHAR, outer space gone.
    Note   not nullif, which DuckDB computes twice for each text. -#}
{% macro said(expression, nothing=()) -%}
case when trim({{ expression }}) not in ({{ text_list(['', '(not set)'] + (nothing | list)) }}) then trim({{ expression }}) end
{%- endmacro %}
