{#- The ad platform whose click brought a visit, by the click id that the platform adds to its links.
    Takes  url: SQL of the page's address.  gclid, dclid, gclsrc, msclkid, ttclid: SQL of what the tool has taken from it.
    Gives  an expression: VARCHAR, a traffic source: google, bing, tiktok or dv360; NULL where no id says it.
    Note   a click id is added to links of ads alone, so it is known to be paid, also where the page's referrer says
           organic. gclsrc ds and 3p.ds are clicks that Search Ads 360 bought of other engines. Sources:
           support.google.com/google-ads/answer/16193746 (gclid, gbraid, wbraid, gad_campaignid), .../searchads/answer/6292795
           (gclsrc), .../dcm/answer/9182069 (dclid), help.ads.microsoft.com 56892 (msclkid), ads.tiktok.com/help (ttclid).
           fbclid and li_fat_id are on links that nobody paid for, too. -#}
{% macro ad_click(url, gclid='null', dclid='null', gclsrc='null', msclkid='null', ttclid='null') -%}
case
        when coalesce({{ gclid }}, {{ dclid }}, {{ msclkid }}, {{ ttclid }}) is null
            and not coalesce(contains({{ url }}, 'lid=') or contains({{ url }}, 'lkid=') or contains({{ url }}, 'raid='), false)
            then null
        when coalesce({{ gclsrc }}, regexp_extract({{ url }}, '[?&]gclsrc=([^&#]+)', 1), '') not in ('ds', '3p.ds')
            and ({{ gclid }} is not null or regexp_matches({{ url }}, '[?&](gclid|gbraid|wbraid)=[^&#]'))
            then 'google'
        when {{ msclkid }} is not null or regexp_matches({{ url }}, '[?&]msclkid=[^&#]') then 'bing'
        when {{ ttclid }} is not null or regexp_matches({{ url }}, '[?&]ttclid=[^&#]') then 'tiktok'
        when {{ dclid }} is not null or regexp_matches({{ url }}, '[?&]dclid=[^&#]') then 'dv360'
    end
{%- endmacro %}

{#- Whether a medium says that nobody paid for a visit, or says nothing.
    Takes  medium: SQL.
    Gives  an expression: BOOLEAN, never NULL. -#}
{% macro is_unpaid(medium) -%}
coalesce(lower({{ medium }}), '(none)') in ('(none)', 'none', 'organic', 'referral')
{%- endmacro %}

{#- The medium of an ad platform's click.
    Takes  click: SQL of ad_click.
    Gives  an expression: VARCHAR. -#}
{% macro click_medium(click) -%}
case when {{ click }} = 'dv360' then 'cpm' else 'cpc' end
{%- endmacro %}

{#- The Google Ads campaign that a page's address names: Google adds it to the links of its ads.
    Takes  url: SQL of the page's address.
    Gives  an expression: VARCHAR, NULL where there is none. -#}
{% macro google_campaign(url) -%}
nullif(regexp_extract({{ url }}, '[?&]gad_campaignid=([^&#]+)', 1), '')
{%- endmacro %}
