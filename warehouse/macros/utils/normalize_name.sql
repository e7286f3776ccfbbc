{#- A name in the form in which names are compared: lower case, outer space removed, inner space single.
    Takes  expression: SQL giving text.
    Gives  an expression: VARCHAR. -#}
{% macro normalize_name(expression) -%}
lower(trim(regexp_replace({{ expression }}, '\s+', ' ', 'g')))
{%- endmacro %}
