{#- Text as names are compared: lower case, outer space gone, inner space single.
    Takes  expression: SQL giving text.
    Gives  an expression: VARCHAR. -#}
{% macro folded(expression) -%}
lower(trim(regexp_replace({{ expression }}, '\s+', ' ', 'g')))
{%- endmacro %}
