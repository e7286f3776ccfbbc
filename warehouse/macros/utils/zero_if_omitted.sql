{#- A measure that its vendor leaves out of a row where it is 0.
    Takes  value: SQL giving the measure, of one type.  siblings: SQL giving other measures of the row, as a list.
           export: SQL of what one export is, such as account and time.
    Gives  an expression of the type of value: 0 where it is absent beside a sibling, in an export of which another row has
           it; NULL where the export was not asked for it, or the row has no measure at all. -#}
{% macro zero_if_omitted(value, siblings, export='source_account, exported_at') -%}
case
        when {{ value }} is not null then {{ value }}
        when coalesce({% for sibling in siblings %}cast({{ sibling }} as varchar){{ ', ' if not loop.last }}{% endfor %}) is not null
            and bool_or({{ value }} is not null) over (partition by {{ export }}) then 0
    end
{%- endmacro %}

{#- What a platform says that its conversions are worth, where it leaves the value out of rows without conversions.
    Takes  value: SQL giving the value, of one type.  conversions: SQL giving the conversions of the row.
           account: SQL of the account.
    Gives  an expression of the type of value: 0 where it is absent beside no conversions, in an account that says values
           elsewhere; NULL where the account says none, or says conversions without their value. -#}
{% macro value_of_conversions(value, conversions, account='source_account') -%}
case
        when {{ value }} is not null then {{ value }}
        when {{ conversions }} = 0 and bool_or({{ value }} is not null) over (partition by {{ account }}) then 0
    end
{%- endmacro %}
