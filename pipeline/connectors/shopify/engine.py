"""Shopify's engines.

platform_ref__order_statuses maps financial statuses to ours. Source: shopify.dev, the Order resource.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.engine_arguments import account_currency
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine

CHARGE_ID_ATTRIBUTES = ("stripe_charge_id", "charge_id")
"""The note_attributes in which apps store the id of a payment, unless tenants.yaml names others."""


def _orders(tenant: Tenant, source: Source) -> Mapping[str, object]:
    """The currency of orders without one, and the note attributes that have payment ids."""
    names = next(iter(source.logic("charge_id_attributes")), CHARGE_ID_ATTRIBUTES)
    return {"currency": account_currency(tenant, source), "charge_id_attributes": list(names)}


ENGINES = (
    Engine(
        fills="orders",
        macro="engine_shopify_orders",
        objects=("orders",),
        references=("platform_ref__order_statuses",),
        arguments=_orders,
    ),
    Engine(fills="products", macro="engine_shopify_products", objects=("products",)),
)
