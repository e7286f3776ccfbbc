{#- A key of one column over the parts of a natural key.
    Takes  parts: SQL expressions, in an order that never changes.
    Gives  an expression: MD5 as VARCHAR, never NULL; a NULL part differs from an empty one. -#}
{% macro md5_key(parts) -%}
md5(concat_ws(chr(31){% for part in parts %}, coalesce(cast({{ part }} as varchar), chr(30)){% endfor %}))
{%- endmacro %}
