{#- Where an order's money is once refunds are known, for shops that keep the status of a paid order when some of it is
    paid back.
    Takes  status: SQL giving the financial status that the shop's own status stands for.
           refunded, total: SQL giving what was paid back and what was charged.
    Gives  an expression: the status; paid becomes partially_refunded or refunded. -#}
{% macro after_refunds(status, refunded, total) -%}
case
    when {{ status }} <> 'paid' or coalesce({{ refunded }}, 0) = 0 then {{ status }}
    when {{ refunded }} < {{ total }} then 'partially_refunded'
    else 'refunded'
end
{%- endmacro %}
