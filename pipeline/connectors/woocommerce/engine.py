"""WooCommerce's engines.

platform_ref__order_statuses maps statuses to financial statuses. Source: the class OrderStatus of WooCommerce's code
reference: processing and completed are paid, pending and on-hold are not yet, drafts never were orders.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.engine_arguments import account_currency, account_timezone
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine


def _account(tenant: Tenant, source: Source) -> Mapping[str, object]:
    """The currency and the time zone of an account, for orders without them."""
    return {
        "currency": account_currency(tenant, source, "orders.source_account"),
        "timezone": account_timezone(tenant, source, "orders.source_account"),
    }


ENGINES = (
    Engine(
        fills="orders",
        macro="engine_woocommerce_orders",
        objects=("orders",),
        references=("platform_ref__order_statuses",),
        arguments=_account,
    ),
    Engine(fills="products", macro="engine_woocommerce_products", objects=("products",)),
)
