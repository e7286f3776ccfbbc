{#- Orders of which a number is not proven by their record: each finding gives source_platform, source_account, how many
    records, and their money with its currency, where that is known.

    Orders with a parent that they are not proven to be a part of: they count as orders of their own.
    Takes  model: canonical orders.
    Gives  one finding per platform, account and currency. -#}
{% test parts_of_orders_are_proven(model) -%}
select
    count(*) || ' orders of ' || source_platform || ' ' || source_account || ' have a parent order and are not proven to be '
    || 'parts of it (made with it, and together what it comes to): they count as orders of their own'
    || coalesce(', ' || sum(total_price) || ' ' || currency, '') || '.' as finding,
    {{ about_records('total_price') }}
from {{ model }}
where list_contains(doubts, 'unproven_parent')
group by source_platform, source_account, currency
{%- endtest %}

{#- Edited orders whose lines do not say what is left of them, or whose totals do not say what the edit took off.
    Takes  model: canonical orders.
    Gives  one finding per platform, account and currency. -#}
{% test edits_are_proven(model) -%}
select
    count(*) || ' orders of ' || source_platform || ' ' || source_account || ' were edited, and neither their lines nor their '
    || 'totals say what is left: they count as first ordered'
    || coalesce(', ' || sum(total_price) || ' ' || currency, '') || '. Export current_quantity and current_total_price.' as finding,
    {{ about_records('total_price') }}
from {{ model }}
where list_contains(doubts, 'unproven_edit')
group by source_platform, source_account, currency
{%- endtest %}

{#- Orders at prices with tax whose lines do not say the tax: item_amount is with it.
    Takes  model: canonical orders.
    Gives  one finding per platform, account and currency. -#}
{% test taxes_of_lines_are_known(model) -%}
select
    count(*) || ' orders of ' || source_platform || ' ' || source_account || ' have prices with tax and lines without '
    || 'tax_lines: item_amount of these is with tax.' as finding,
    {{ about_records('total_price') }}
from {{ model }}
where list_contains(doubts, 'unproven_tax')
group by source_platform, source_account, currency
{%- endtest %}

{#- Disputed charges that do not say what came of the dispute: the net_paid_amount of their orders is NULL.
    Takes  model: canonical charges.
    Gives  one finding per platform, account and currency. -#}
{% test disputes_say_what_came_of_them(model) -%}
select
    count(*) || ' charges of ' || source_platform || ' ' || source_account || ' are disputed and do not say what came of it: '
    || 'the net_paid_amount of their orders is unknown'
    || coalesce(', ' || sum(captured_amount) || ' ' || currency, '') || '. Export charges with their dispute expanded.' as finding,
    {{ about_records('captured_amount') }}
from {{ model }}
where disputed_amount is null and captured_amount is not null
group by source_platform, source_account, currency
{%- endtest %}

{#- What a finding about records of one currency says beside its sentence.
    Takes  amount: SQL of the money of a record.
    Gives  select items: source_platform, source_account, records, amount (major units of currency), currency. -#}
{% macro about_records(amount) -%}
source_platform,
    source_account,
    count(*) as records,
    sum({{ amount }}) as amount,
    currency
{%- endmacro %}
