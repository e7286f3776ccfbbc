{#- A name in the form in which names are compared: lower case, outer space removed, inner space single.
    Takes  expression: SQL giving text.
    Gives  an expression: VARCHAR. -#}
{% macro normalize_name(expression) -%}
lower(trim(regexp_replace({{ expression }}, '\s+', ' ', 'g')))
{%- endmacro %}

{#- The codes of a list as one text: each once, in capitals as shops ignore their case, sorted and joined by commas.
    Takes  codes: SQL giving a list of text, or NULL; exports write several codes into one text, with commas.
    Gives  an expression: VARCHAR, NULL without a code. -#}
{% macro joined_codes(codes) -%}
nullif(array_to_string(list_sort(list_distinct(list_filter(
    list_transform(
        flatten(list_transform({{ codes }}, lambda code: string_split(code, ','))), lambda code: upper(trim(code))
    ),
    lambda code: code <> ''
))), ', '), '')
{%- endmacro %}
