{#- A natural key of several columns: no two rows share it.
    Takes  model: any relation.  columns: of the key.
    Gives  one row per key that occurs more than once. -#}
{% test unique_together(model, columns) -%}
select {{ columns | join(', ') }}
from {{ model }}
group by all
having count(*) > 1
{%- endtest %}

{#- Text that is compared by its normalized form is kept normalized.
    Takes  model, column_name.
    Gives  the texts that are not. -#}
{% test is_normalized(model, column_name) -%}
select {{ column_name }}
from {{ model }}
where {{ column_name }} <> {{ normalize_name(column_name) }}
{%- endtest %}
