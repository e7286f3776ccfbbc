{#- The layer that a node is of, by the prefix of its name.
    Takes  name, resource_type: columns, or texts as SQL.
    Gives  reference, sink, platform, observability, staging, intermediate, fact, dimension or mart; else the resource type. -#}
{% macro layer_of(name, resource_type) -%}
case
    when {{ resource_type }} = 'seed' or starts_with({{ name }}, 'platform_ref__') then 'reference'
    when starts_with({{ name }}, 'platform_mm__') then 'sink'
    when contains({{ name }}, '_platform_observability__') then 'observability'
    when starts_with({{ name }}, 'platform_') or {{ name }} in ('connector_blueprints', 'hub_key_registry') then 'platform'
    when starts_with({{ name }}, 'stg_') then 'staging'
    when starts_with({{ name }}, 'int_') then 'intermediate'
    when starts_with({{ name }}, 'fct_') then 'fact'
    when starts_with({{ name }}, 'dim_') then 'dimension'
    when starts_with({{ name }}, 'mart_') then 'mart'
    else {{ resource_type }}
end
{%- endmacro %}
