"""BigCommerce's engines.

platform_ref__order_statuses maps statuses to financial statuses, by status_id and by its English label. Source: the
response of /v2/orders/count in bigcommerce/api-specs (reference/orders.v2); its system_description says for each status
whether payment was confirmed: Incomplete reached the payment page and went no further, Awaiting Payment is not
confirmed yet, Awaiting Fulfillment is. Shipped, picked up, completed and disputed orders were paid for.
"""

from __future__ import annotations

from pipeline.config.engine_arguments import account_currency
from pipeline.contracts.engine import Engine

ENGINES = (
    Engine(
        fills="orders",
        macro="engine_bigcommerce_orders",
        objects=("orders", "order_products"),
        references=("platform_ref__order_statuses",),
        arguments=lambda tenant, source: {"currency": account_currency(tenant, source, "orders.source_account")},
    ),
    Engine(fills="products", macro="engine_bigcommerce_products", objects=("products",)),
)
