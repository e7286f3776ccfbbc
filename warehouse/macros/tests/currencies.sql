{#- Currencies that are in no list: their money is kept as it came, and never converted or counted in minor units.
    Takes  model: a table with source_platform, source_account and currency.
    Gives  one finding per platform, account and code. -#}
{% test every_currency_is_known(model) -%}
select
    count(*) || ' rows of ' || source_platform || ' ' || source_account || ' are in the unknown currency ' || currency
    || '.' as finding,
    source_platform,
    source_account,
    count(*) as records,
    any_value(currency) as currency
from {{ model }}
where currency not in (select currency from {{ source('hub', 'platform_ref__currencies') }})
group by source_platform, source_account, currency
{%- endtest %}
