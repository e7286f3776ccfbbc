{#- Whether a report row counts where one day came at several levels: a total does not when its parts came too.
    Takes  level: SQL giving 0 for an account, 1 a campaign, 2 an ad group, 3 an ad.
           day: SQL of what a day is, such as account and date.  campaign, ad_group: SQL of the row's parents.
    Gives  an expression: BOOLEAN.
    Note   decided campaign by campaign, ad group by ad group: a Performance Max campaign has no rows below its own, and
           its total counts beside the ads of others. Where a part does not say its parent, or a total does not say its own, any
           of the day may belong to any: then the totals do not count. -#}
{% macro is_no_total(level, day, campaign, ad_group) -%}
case {{ level }}
        when 0 then max({{ level }}) over (partition by {{ day }}) = 0
        when 1 then
            max({{ level }}) over (partition by {{ day }}, {{ campaign }}) = 1
            and not bool_or({{ level }} > 1 and {{ campaign }} is null) over (partition by {{ day }})
            and ({{ campaign }} is not null or max({{ level }}) over (partition by {{ day }}) = 1)
        when 2 then
            max({{ level }}) over (partition by {{ day }}, {{ ad_group }}) = 2
            and not bool_or({{ level }} > 2 and {{ ad_group }} is null) over (partition by {{ day }})
            and ({{ ad_group }} is not null or max({{ level }}) over (partition by {{ day }}) = 2)
        else true
    end
{%- endmacro %}
