{#- Stripe charges, in the canonical columns of charges.
    Takes  tenant: a slug.  platform: stripe, or a connector like it.
    Gives  one row per charge: charged_at (UTC), captured_amount and refunded_amount (major units of currency), refunds
           where the charge lists them, ...
    Note   amounts are minor units, by Stripe's own count where it differs from ISO 4217. Without amount_captured, a charge
           that succeeded and is captured took its whole amount. livemode false is a test. Amounts of a currency that is
           in no list stay NULL. The bank has the money of a dispute that is open or lost; a won one and a mere inquiry took
           none. A disputed charge says what came of it only where the dispute is expanded: else disputed_amount is NULL. -#}
{% macro engine_stripe_charges(tenant, platform) -%}
with charges as (
    select
        *,
        upper({{ cast_as('currency', 'text') }}) as charge_currency,
        coalesce(
            {{ cast_as('amount_captured', 'minor_units') }},
            case when status = 'succeeded' and captured then {{ cast_as('amount', 'minor_units') }} else 0 end
        ) as captured_units,
        coalesce({{ cast_as('amount_refunded', 'minor_units') }}, 0) as refunded_units,
        coalesce(payment_intent ->> '$.id', payment_intent ->> '$') as intent_id,
        case
            when not coalesce(disputed, (dispute ->> '$') is not null) then 0
            when dispute ->> '$.status' in (
                'won', 'prevented', 'warning_needs_response', 'warning_under_review', 'warning_closed', 'charge_refunded'
            )
                then 0
            when dispute ->> '$.status' in ('lost', 'needs_response', 'under_review')
                and coalesce(upper(dispute ->> '$.currency'), charge_currency) = charge_currency
                then {{ cast_as("dispute ->> '$.amount'", 'minor_units') }}
        end as disputed_units
    from {{ ref('int_' ~ tenant ~ '__' ~ platform ~ '_charges') }}
)

select
    '{{ platform }}' as source_platform,
    charges.source_account,
    {{ cast_as('charges.id', 'text') }} as charge_id,
    list_filter([{{ cast_as('charges.intent_id', 'text') }}], lambda other: other is not null) as other_ids,
    {{ cast_as('charges.created', 'epoch_seconds') }} as charged_at,
    {{ major_units('charges.captured_units', 'currencies.stripe_exponent') }} as captured_amount,
    {{ major_units('charges.refunded_units', 'currencies.stripe_exponent') }} as refunded_amount,
    {{ major_units('charges.disputed_units', 'currencies.stripe_exponent') }} as disputed_amount,
    cast(list_transform(
        list_filter(charges.refunds.data, lambda refund: coalesce(refund.status, 'succeeded') = 'succeeded'),
        lambda refund: struct_pack(
            refund_id := {{ cast_as('refund.id', 'text') }},
            refunded_at := {{ cast_as('refund.created', 'epoch_seconds') }},
            amount := {{ major_units("cast(refund.amount as bigint)", 'currencies.stripe_exponent') }}
        )
    ) as {{ list_type('refunds') }}) as refunds,
    charges.charge_currency as currency,
    {{ cast_as('charges.status', 'text') }} as status,
    not coalesce(charges.livemode, true) as is_test
from charges
left join {{ source('hub', 'platform_ref__currencies') }} as currencies on currencies.currency = charges.charge_currency
{%- endmacro %}
