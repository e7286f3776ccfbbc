{#- The ad performance star: report rows summed over their breakdowns.
    Takes  tenant: a slug.
    Gives  one row per ad platform, account, day, campaign, ad group, ad and currency.
    Note   conversions stay NULL where the platform reports none, and are kept to nine decimals: sums of doubles would depend
           on the order in which they are added. Names are the newest known, also on old days. -#}
{% macro build_fct_ad_performance(tenant) -%}
with counted as (
    select * from {{ ref('int_' ~ tenant ~ '__ad_performance') }} where is_counted
),

ad_names as (
    select source_platform, source_account, ad_id, arg_max(ad_name, struct_pack(d := report_date, n := ad_name)) as ad_name
    from counted
    group by source_platform, source_account, ad_id
),

ad_group_names as (
    select source_platform, source_account, ad_group_id, arg_max(ad_group_name, struct_pack(d := report_date, n := ad_group_name)) as ad_group_name
    from counted
    group by source_platform, source_account, ad_group_id
),

summed as (
    select
        source_platform,
        source_account,
        report_date,
        campaign_id,
        ad_group_id,
        ad_id,
        currency,
        sum(spend) as spend,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        sum(cast(conversions as decimal(38, 9))) as conversions,
        sum(conversion_value) as conversion_value
    from counted
    group by all
)

select
    {{ md5_key([
        'summed.source_platform', 'summed.source_account', 'summed.report_date', 'summed.campaign_id',
        'summed.ad_group_id', 'summed.ad_id', 'summed.currency',
    ]) }} as performance_key,
    '{{ tenant }}' as tenant_slug,
    summed.source_platform,
    summed.source_account,
    summed.report_date,
    summed.campaign_id,
    case
        when summed.campaign_id is not null
            then {{ md5_key(['summed.source_platform', 'summed.source_account', 'summed.campaign_id']) }}
    end as campaign_key,
    summed.ad_group_id,
    ad_group_names.ad_group_name,
    summed.ad_id,
    ad_names.ad_name,
    cast(summed.spend as decimal(18, 6)) as spend,
    summed.currency,
    cast(summed.impressions as bigint) as impressions,
    cast(summed.clicks as bigint) as clicks,
    cast(summed.conversions as decimal(18, 9)) as conversions,
    cast(summed.conversion_value as decimal(18, 6)) as conversion_value
from summed
left join ad_names
    on
        ad_names.source_platform = summed.source_platform
        and ad_names.source_account = summed.source_account
        and ad_names.ad_id = summed.ad_id
left join ad_group_names
    on
        ad_group_names.source_platform = summed.source_platform
        and ad_group_names.source_account = summed.source_account
        and ad_group_names.ad_group_id = summed.ad_group_id
{%- endmacro %}
