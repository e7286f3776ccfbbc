{#- The category of a device, in Google Analytics' words, from what other tools call a device or its operating system.
    Takes  expression: SQL giving text, such as Apple iPhone or Mac OS X.
    Gives  an expression: mobile, tablet, desktop or smart tv; other text as it stands; NULL where there is none.
    Note   an Android tablet that does not say so counts as mobile. -#}
{% macro device_category(expression) -%}
case
    when regexp_matches(lower({{ expression }}), 'ipad|tablet|kindle') then 'tablet'
    when regexp_matches(lower({{ expression }}), '\b(ios|android|blackberry|mobile|phone|ipod)\b|iphone') then 'mobile'
    when regexp_matches(lower({{ expression }}), '\b(tv|roku|playstation|xbox)\b') then 'smart tv'
    when regexp_matches(lower({{ expression }}), '\b(mac|windows|linux|ubuntu|chrome ?os|desktop)\b') then 'desktop'
    else {{ nullif_empty(expression) }}
end
{%- endmacro %}
