{#- Texts as a list of SQL literals.
    Takes  words: texts, such as event names of tenants.yaml.
    Gives  'a', 'b'; an empty text alone where there is none, which matches nothing. -#}
{% macro text_list(words) -%}
{%- for word in words or [''] %}{{ ", " if not loop.first }}'{{ word | replace("'", "''") }}'{% endfor -%}
{%- endmacro %}
