{#- A dimension made mostly of keys that only facts name: its own export is missing.
    Takes  model: a dimension table.  at_most: the largest share of inferred rows, a fraction.
    Gives  one finding. -#}
{% test few_inferred_rows(model, at_most) -%}
select
    sum(is_inferred::bigint) || ' of ' || count(*) || ' rows of {{ model.identifier }} are only named by facts.' as finding
from {{ model }}
having avg(is_inferred::bigint) > {{ at_most }}
{%- endtest %}
