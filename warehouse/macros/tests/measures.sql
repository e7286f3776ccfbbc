{#- Numbers that a vendor did not say: they are unknown, in no sum, and never 0.
    Takes  model: a fact.  fact: its name in sentences.  day: the column of its day.  columns: the numbers.
    Gives  one finding per number, platform and account; none where an account says no conversion_value or item_cost at all. -#}
{% test every_measure_is_said(model, fact, day, columns) -%}
{% for column in columns -%}
select
    count(*) - count({{ column }}) || ' of ' || count(*) || ' rows of {{ fact }} of ' || source_platform || ' ' || source_account
    || ' do not say {{ column }}: there it is unknown, not 0.' as finding,
    case when count({{ column }}) = 0 and '{{ column }}' = 'conversions' then 'unreported_conversions' else 'unknown_measure' end as kind,
    '{{ column }}' as measure,
    source_platform,
    source_account,
    count(*) - count({{ column }}) as records,
    min({{ day }}) filter (where {{ column }} is null) as first_day,
    max({{ day }}) filter (where {{ column }} is null) as last_day
from {{ model }}
group by source_platform, source_account
having count({{ column }}) < count(*){{ ' and count(' ~ column ~ ') > 0' if column in ('conversion_value', 'item_cost') }}
{% if not loop.last %}union all{% endif %}
{% endfor -%}
{%- endtest %}
