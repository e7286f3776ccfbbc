{#- A conversion pattern that is no action_type, but resembles several: the tenant has to say which one it means.
    Takes  model: canonical ad performance.  patterns: every conversion_event_pattern of the tenant.
    Gives  one finding per platform. -#}
{% test one_action_type(model, patterns) -%}
select
    'conversion_event_pattern ' || {{ text_list([patterns | join(', ')]) }} || ' is no action_type of ' || source_platform
    || ' and resembles several: ' || array_to_string(types, ', ') || '. Write one of them.' as finding
from ({{ similar_action_types(model) }})
where len(types) > 1 and not list_has_any(types, [{{ text_list(patterns) }}])
{%- endtest %}

{#- A conversion pattern that is no action_type, but resembles one: another type never stands in, so conversions are 0.
    Takes  model: canonical ad performance.  patterns: every conversion_event_pattern of the tenant.
    Gives  one finding per platform. -#}
{% test a_known_action_type(model, patterns) -%}
select
    'conversion_event_pattern ' || {{ text_list([patterns | join(', ')]) }} || ' is no action_type of ' || source_platform
    || '. Did you mean ' || types[1] || '?' as finding
from ({{ similar_action_types(model) }})
where len(types) = 1 and not list_has_any(types, [{{ text_list(patterns) }}])
{%- endtest %}

{#- The action types that equal or resemble a tenant's patterns.
    Takes  model: canonical ad performance.
    Gives  a select: source_platform, types in alphabetical order. -#}
{% macro similar_action_types(model) -%}
select source_platform, list_sort(list_distinct(flatten(list(conversion_types)))) as types
from {{ model }}
where len(conversion_types) > 0
group by source_platform
{%- endmacro %}

{#- Report rows that cover several days: they count on their first day.
    Takes  model: canonical ad performance.
    Gives  one finding per platform and account. -#}
{% test rows_of_one_day(model) -%}
select
    count(*) || ' rows of ' || source_platform || ' ' || source_account
    || ' cover several days and count on the first. Export one row per day.' as finding
from {{ model }}
where last_date <> report_date
group by source_platform, source_account
{%- endtest %}

{#- One ad's day reported under two breakdowns: only one of them is counted.
    Takes  model: canonical ad performance.
    Gives  one finding per platform and account. -#}
{% test one_breakdown(model) -%}
select
    count(*) || ' rows of ' || source_platform || ' ' || source_account
    || ' repeat days under another breakdown and are not counted. Export one breakdown.' as finding
from {{ model }}
where not is_counted
group by source_platform, source_account
{%- endtest %}
