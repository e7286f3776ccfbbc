{#- The channel of each way that visits came: the first rule that fits its source, medium and campaign.
    Takes  tenant: a slug.  the CTE visits: traffic_source, traffic_medium, traffic_campaign.
    Gives  the CTE channels: traffic_source, traffic_medium, traffic_campaign, channel; no row where no rule fits.
    Note   a site is known by its name or its host, whatever its country or device. Each pattern is matched once with each
           text: DuckDB compiles a pattern that comes from a table anew for every row. -#}
{% macro channels_of_visits(tenant) -%}
{%- set rules = ref('int_' ~ tenant ~ '__channel_rules') -%}
touches as (
    select
        *,
        regexp_replace(source_text, '^(www|m|l|lm|mobile|web|touch|away|([a-z]{2,3}\.)?search(\.tb)?)\.', '') as host
    from (
        select distinct
            traffic_source,
            traffic_medium,
            traffic_campaign,
            coalesce({{ normalize_name('traffic_source') }}, '') as source_text,
            coalesce({{ normalize_name('traffic_medium') }}, '') as medium_text,
            coalesce({{ normalize_name('traffic_campaign') }}, '') as campaign_text
        from visits
    )
),

placed_touches as (
    select touches.*, coalesce(by_host.site_kind, by_name.site_kind) as site_kind
    from touches
    left join {{ source('hub', 'platform_ref__traffic_sites') }} as by_host on by_host.site = touches.host
    left join {{ source('hub', 'platform_ref__traffic_sites') }} as by_name
        on by_name.site = regexp_replace(touches.host, '\.(com|org|net|((co|com)\.)?[a-z]{2})$', '')
),
{%- for part in ('source', 'medium', 'campaign') %}

fitting_{{ part }} as (
    select texts.{{ part }}_text, patterns.traffic_{{ part }}
    from (select distinct {{ part }}_text from touches) as texts
    inner join (select distinct traffic_{{ part }} from {{ rules }} where traffic_{{ part }} is not null) as patterns
        on regexp_full_match(texts.{{ part }}_text, patterns.traffic_{{ part }})
),
{%- endfor %}

channels as (
    select
        touches.traffic_source,
        touches.traffic_medium,
        touches.traffic_campaign,
        arg_min(rules.channel, rules.position) as channel
    from placed_touches as touches
    inner join {{ rules }} as rules on rules.site_kind is null or rules.site_kind = touches.site_kind
    {%- for part in ('source', 'medium', 'campaign') %}
    left join fitting_{{ part }}
        on
            fitting_{{ part }}.{{ part }}_text = touches.{{ part }}_text
            and fitting_{{ part }}.traffic_{{ part }} = rules.traffic_{{ part }}
    {%- endfor %}
    where
        (rules.traffic_source is null or fitting_source.traffic_source is not null)
        and (rules.traffic_medium is null or fitting_medium.traffic_medium is not null)
        and (rules.traffic_campaign is null or fitting_campaign.traffic_campaign is not null)
    group by all
)
{%- endmacro %}
