{#- Text, or NULL where it is empty or what analytics tools write for nothing.
    Takes  expression: SQL giving text.  nothing: texts that stand for no value, beside '' and '(not set)'.
    Gives  an expression: VARCHAR, outer space gone.
    Note   not nullif, which DuckDB computes twice for each text. -#}
{% macro nullif_empty(expression, nothing=()) -%}
case when trim({{ expression }}) not in ({{ text_list(['', '(not set)'] + (nothing | list)) }}) then trim({{ expression }}) end
{%- endmacro %}
