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

{#- What a finding about report rows says beside its sentence.
    Takes  first_day, last_day: SQL of the days of a row.
    Gives  select items: source_platform, source_account, records, amount (spend in major units of currency; both NULL where
           the rows have several currencies), currency, first_day, last_day. -#}
{% macro about_report_rows(first_day='report_date', last_day='report_date') -%}
source_platform,
    source_account,
    count(*) as records,
    case when count(distinct currency) = 1 then sum(spend) end as amount,
    case when count(distinct currency) = 1 then any_value(currency) end as currency,
    min({{ first_day }}) as first_day,
    max({{ last_day }}) as last_day
{%- endmacro %}

{#- The spend of some report rows, in words.
    Gives  an expression: VARCHAR, such as ', with 12.50 EUR of spend'; empty where it is not of one currency. -#}
{% macro spend_in_words() -%}
case
        when count(distinct currency) = 1
            then ', with ' || coalesce(cast(cast(sum(spend) as decimal(18, 2)) as varchar), 'an unknown amount of')
                || ' ' || any_value(currency) || ' of spend'
        else ''
    end
{%- endmacro %}

{#- Report rows that cover several days: they do not say what was spent on which, and are not counted.
    Takes  model: canonical ad performance.
    Gives  one finding per platform and account. -#}
{% test rows_of_one_day(model) -%}
select
    count(*) || ' rows of ' || source_platform || ' ' || source_account || ' cover several days between '
    || min(report_date) || ' and ' || max(last_date) || ' and are not counted' || {{ spend_in_words() }}
    || '. Export one row per day (time_increment=1 of Meta, timeGranularity=DAILY of LinkedIn).' as finding,
    {{ about_report_rows(last_day='last_date') }}
from {{ model }}
where last_date <> report_date
group by source_platform, source_account
{%- endtest %}

{#- One ad's day reported under two breakdowns: only one of them is counted.
    Takes  model: canonical ad performance.
    Gives  one finding per platform and account.
    Note   the report of an account, a campaign or an ad group beside reports of its parts is a total, not a breakdown, as
           long as the parts that count come to it; each of them may be rounded to a cent. -#}
{% test one_breakdown(model) -%}
{%- set day -%} source_platform, source_account, report_date {%- endset -%}
with reports as (
    select
        *,
        case
            when ad_id is not null then 3 when ad_group_id is not null then 2 when campaign_id is not null then 1 else 0
        end as level,
        coalesce(ad_group_id, campaign_id, '') as thing
    from {{ model }}
),

parts as (
    {% for thing in ["''", 'campaign_id', 'ad_group_id'] -%}
    select {{ day }}, {{ loop.index0 }} as level, {{ thing }} as thing, sum(spend) as spend, count(*) as parts
    from reports
    where is_counted and level > {{ loop.index0 }}
    group by all
    {% if not loop.last %}union all{% endif %}
    {% endfor -%}
)

select
    count(*) || ' rows of ' || source_platform || ' ' || source_account
    || ' repeat days under another breakdown and are not counted. Export one breakdown.' as finding,
    {{ about_report_rows() }}
from (
    select reports.*
    from reports
    left join parts using ({{ day }}, level, thing)
    where
        not reports.is_counted
        and coalesce(reports.last_date, reports.report_date) = reports.report_date
        and coalesce(reports.spend > parts.spend + 0.01 * parts.parts, true)
) as repeated
group by source_platform, source_account
{%- endtest %}

{#- One ad's day that both of Meta's sources sent for the same platform: it counts twice.
    Takes  model: canonical ad performance.  tenant: a slug.
    Gives  one finding per account of instagram_ads.
    Note   a row without publisher_platform is of all platforms from facebook_ads, of Instagram from instagram_ads. An ad
           has its id in no other account; a report by ad set or campaign is compared by that one's id. -#}
{% test one_source_of_meta(model, tenant) -%}
select
    count(distinct struct_pack(i := coalesce(instagram.ad_id, instagram.adset_id, instagram.campaign_id), d := instagram.date_start))
    || ' days of ads of instagram_ads ' || instagram.source_account
    || ' were also sent by facebook_ads and count twice. Let one source deliver each platform.' as finding
from {{ ref('int_' ~ tenant ~ '__instagram_ads_facebook_insights') }} as instagram
inner join {{ ref('int_' ~ tenant ~ '__facebook_ads_facebook_insights') }} as facebook
    on coalesce(facebook.ad_id, facebook.adset_id, facebook.campaign_id)
        = coalesce(instagram.ad_id, instagram.adset_id, instagram.campaign_id)
    and {{ cast_as('facebook.date_start', 'date') }} = {{ cast_as('instagram.date_start', 'date') }}
where
    facebook.publisher_platform is null
    or (lower(facebook.publisher_platform) = 'instagram')
    = coalesce(lower(instagram.publisher_platform) = 'instagram', true)
group by instagram.source_account
{%- endtest %}

{#- Report rows with a number below nothing: a vendor's correction, or a column that was read as another.
    Takes  model: canonical ad performance.
    Gives  one finding per platform and account. -#}
{% test nothing_below_zero(model) -%}
select
    count(*) || ' rows of ' || source_platform || ' ' || source_account
    || ' have spend, impressions, clicks or conversions below 0 and lower the totals.' as finding,
    source_platform,
    source_account,
    count(*) as records,
    min(report_date) as first_day,
    max(report_date) as last_day
from {{ model }}
where is_counted and least(spend, impressions, clicks, conversions) < 0
group by source_platform, source_account
{%- endtest %}
