{#- A fact with its amounts also in the tenant's reporting currency.
    Takes  fact: SQL of the fact.  tenant: a slug.  reporting: the currency to convert to.
           day: the fact's column of its day.  money: its columns of amounts in the row's currency.
           added: by amount, a column of the fact with more of it, in the reporting currency already.
    Gives  the columns of the fact as they are, without those of added; <amount>_converted, DECIMAL(18,6); exchange_rate and exchange_rate_date.
    Note   the last rate on or before the row's day counts; each amount is rounded once, half away from zero. Where there is
           none, or the row does not say its currency or day, the amount is NULL and a gate finding: never 0, never 1 to 1.
           An asof join takes a NULL day for later than all, and would find the last rate; so it is a day before all. -#}
{% macro in_reporting_currency(fact, tenant, reporting, day, money, added={}) -%}
with fact as (
    {{ fact | trim | replace("\n", "\n    ") }}
)

select
    fact.*{% if added %} exclude ({{ added.values() | join(', ') }}){% endif %},
    {% for amount in money -%}
    cast(case
        when fact.{{ amount }} = 0 or fact.currency = '{{ reporting }}' then fact.{{ amount }}
        else fact.{{ amount }} * rates.rate
    end as decimal(18, 6)){% if amount in added %} + fact.{{ added[amount] }}{% endif %} as {{ amount }}_converted,
    {% endfor -%}
    case when fact.currency = '{{ reporting }}' then cast(1 as decimal(28, 18)) else rates.rate end as exchange_rate,
    rates.rate_date as exchange_rate_date
from fact
asof left join {{ ref('int_' ~ tenant ~ '__rates') }} as rates
    on rates.currency = fact.currency and rates.rate_date <= coalesce(fact.{{ day }}, date '0001-01-01')
{%- endmacro %}
