{#- The channel of each way that visits came: the first rule that fits its source, medium and campaign.
    Takes  tenant: a slug.  the CTE visits: traffic_source, traffic_medium, traffic_campaign.
    Gives  the CTE channels: traffic_source, traffic_medium, traffic_campaign, source_text and medium_text (folded), channel.
    Note   a site is known by its name or its host, whatever its country or device. Texts are folded and matched once each,
           not once per visit: DuckDB compiles a pattern that comes from a table anew for every row. -#}
{% macro channels_of_visits(tenant) -%}
{%- set rules = ref('int_' ~ tenant ~ '__channel_rules') -%}
ways as materialized (
    select distinct traffic_source, traffic_medium, traffic_campaign from visits
),

folded_ways as (
    select
        *,
        coalesce({{ normalize_name('traffic_source') }}, '') as source_text,
        coalesce({{ normalize_name('traffic_medium') }}, '') as medium_text,
        coalesce({{ normalize_name('traffic_campaign') }}, '') as campaign_text,
        regexp_replace(
            {{ normalize_name('traffic_source') }}, '^(www|m|l|lm|mobile|web|touch|away|([a-z]{2,3}\.)?search(\.tb)?)\.', ''
        ) as host
    from ways
),

touches as materialized (
    select folded_ways.*, coalesce(by_host.site_kind, by_name.site_kind) as site_kind
    from folded_ways
    left join {{ source('hub', 'platform_ref__traffic_sites') }} as by_host on by_host.site = folded_ways.host
    left join {{ source('hub', 'platform_ref__traffic_sites') }} as by_name
        on by_name.site = regexp_replace(folded_ways.host, '\.(com|org|net|((co|com)\.)?[a-z]{2})$', '')
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
        nullif(touches.source_text, '') as source_text,
        nullif(touches.medium_text, '') as medium_text,
        coalesce(
            arg_min(rules.channel, rules.position) filter (
                where (rules.site_kind is null or rules.site_kind = touches.site_kind)
                {%- for part in ('source', 'medium', 'campaign') %}
                and (rules.traffic_{{ part }} is null or fitting_{{ part }}.traffic_{{ part }} is not null)
                {%- endfor %}
            ),
            'Unassigned'
        ) as channel
    from touches
    cross join {{ rules }} as rules
    {%- for part in ('source', 'medium', 'campaign') %}
    left join fitting_{{ part }}
        on
            fitting_{{ part }}.{{ part }}_text = touches.{{ part }}_text
            and fitting_{{ part }}.traffic_{{ part }} = rules.traffic_{{ part }}
    {%- endfor %}
    group by all
)
{%- endmacro %}
