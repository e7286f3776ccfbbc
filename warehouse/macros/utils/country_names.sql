{#- The English name of each country that a column names by code, name or common name.
    Takes  relation: a table.  column: its column.
    Gives  a query: said (the text as it is), country. A text that is no known spelling has no row. -#}
{% macro country_names(relation, column) -%}
select
    texts.{{ column }} as said,
    known.country
from (select distinct {{ column }} from {{ relation }}) as texts
inner join {{ source('hub', 'platform_ref__countries') }} as known
    on known.spelling = {{ normalize_name('texts.' ~ column) }}
{%- endmacro %}
