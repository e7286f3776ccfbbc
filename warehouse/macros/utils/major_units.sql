{#- A currency's minor units as major units, exactly: 1234 cents are 12.34 dollars, 1234 yen are 1234, 1234 fils 1.234 dinars.
    Takes  minor: SQL giving whole minor units.  exponent: SQL giving the decimals of the currency (platform_ref__currencies).
    Gives  an expression: DECIMAL(18,6); NULL where the exponent is not known, for a unit is never guessed. -#}
{% macro major_units(minor, exponent) -%}
cast(({{ minor }}) * case {{ exponent }} when 0 then 1.000 when 2 then 0.010 when 3 then 0.001 end as decimal(18, 6))
{%- endmacro %}
