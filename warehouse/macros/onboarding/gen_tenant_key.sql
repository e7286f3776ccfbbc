{#- The surrogate key of a tenant's record.
    Takes  columns: SQL expressions, in an order that never changes; the tenant and the platform stand among them.
    Gives  an expression: MD5 as VARCHAR, never NULL; a NULL part differs from an empty one. -#}
{% macro gen_tenant_key(columns) -%}
{{ md5_key(columns) }}
{%- endmacro %}
