{#- Whether a report row is of the finest report of its campaign's day: several reports of one day repeat its spend.
    Takes  rank: SQL that is least for the report to count, such as 1 for ads and 4 for the whole account.
           day: SQL of what a day is, such as account and date.  campaign: SQL of the row's campaign.
    Gives  an expression: BOOLEAN.
    Note   decided campaign by campaign, so that one which has a coarser report alone keeps it. Where the finest rows of
           a day do not name their campaign, they may be of any: then the day's finest report alone counts. -#}
{% macro is_finest(rank, day, campaign) -%}
case
        when min({{ rank }}) filter (where {{ campaign }} is null) over (partition by {{ day }}) = min({{ rank }}) over (partition by {{ day }})
            then {{ rank }} = min({{ rank }}) over (partition by {{ day }})
        else {{ campaign }} is not null and {{ rank }} = min({{ rank }}) over (partition by {{ day }}, {{ campaign }})
    end
{%- endmacro %}
