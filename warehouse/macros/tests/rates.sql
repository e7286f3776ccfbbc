{#- Amounts that no rate is known for: they are in no number in the reporting currency.
    Takes  model: a fact.  fact: its name in sentences.  converted: each of its amounts with the column that holds it in the
           reporting currency.  day: the column of its day.  file: the name of the rates file, as a SQL literal.
    Gives  one finding per platform, account and currency. -#}
{% test every_amount_has_a_rate(model, fact, converted, day, file) -%}
select
    count(*) || ' rows of {{ fact }} of ' || source_platform || ' ' || source_account
    || coalesce(' in ' || currency, ' that say no currency') || coalesce(', ' || min({{ day }}) || ' to ' || max({{ day }}) || ',', '')
    || ' have no rate in ' || {{ file }} || ' on or before their day: they are in no amount.' as finding
from {{ model }}
where
    {% for amount, column in converted.items() -%}
    {{ "or " if not loop.first }}({{ amount }} <> 0 and {{ column }} is null)
    {% endfor %}
group by source_platform, source_account, currency
order by source_platform, source_account, currency
{%- endtest %}

{#- Rates that have grown old: the file ends long before the rows do, or has a gap.
    Takes  model: a fact.  fact: its name in sentences.  day: the column of its day.  at_most: days.
           file: the name of the rates file, as a SQL literal.
    Gives  one finding per currency. -#}
{% test rates_are_recent(model, fact, day, file, at_most) -%}
select
    count(*) || ' rows of {{ fact }} in ' || currency || ', ' || min({{ day }}) || ' to ' || max({{ day }})
    || ', are converted by rates of ' || {{ file }} || ' that are more than {{ at_most }} days older.' as finding
from {{ model }}
where {{ day }} - exchange_rate_date > {{ at_most }}
group by currency
order by currency
{%- endtest %}
