{#- A natural key of several columns: no two rows share it.
    Takes  model: any relation.  columns: of the key.
    Gives  one row per key that occurs more than once. -#}
{% test unique_together(model, columns) -%}
select {{ columns | join(', ') }}
from {{ model }}
group by all
having count(*) > 1
{%- endtest %}

{#- Text that is compared by its folded form is kept folded.
    Takes  model, column_name.
    Gives  the texts that are not. -#}
{% test is_folded(model, column_name) -%}
select {{ column_name }}
from {{ model }}
where {{ column_name }} <> {{ folded(column_name) }}
{%- endtest %}
