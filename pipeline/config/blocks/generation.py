"""The levers of synthetic data: what a tenant may set under `generation:`, by domain, with its range.

A lever that would change nothing for a connector is refused, not ignored. Values left out are the generator's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.entry import Entry
from pipeline.contracts.connector import Connector
from pipeline.errors import suggest


@dataclass(frozen=True)
class GenerationParameter:
    """A number from `low` to `high`, both included."""

    low: float
    high: float
    whole: bool = False


_SHARE = GenerationParameter(0, 1)
_COUNT = GenerationParameter(0, 1_000_000, whole=True)
_SIZE = GenerationParameter(1, 100_000, whole=True)
_MONEY = GenerationParameter(0, 10_000_000)

LEVERS: dict[str, dict[str, GenerationParameter]] = {
    "ads": {
        "daily_spend_mean": _MONEY,
        "campaign_count": GenerationParameter(1, 1_000, whole=True),
        "ad_group_count": GenerationParameter(1, 1_000, whole=True),
        "cpc_mean": GenerationParameter(0.01, 10_000),
        "avg_ctr": GenerationParameter(0.0001, 1),
    },
    "ecommerce": {
        "daily_orders_mean": GenerationParameter(0, 1_000_000),
        "daily_order_count": GenerationParameter(0, 1_000_000),
        "aov_mean": _MONEY,
        "avg_order_value": _MONEY,
        "product_count": _SIZE,
        "product_catalog_size": _SIZE,
    },
    "analytics": {
        "organic_traffic_ratio": _SHARE,
        "conversion_rate": _SHARE,
        "tracking_loss": _SHARE,  # of visitors whom analytics never sees
        "daily_event_count": _COUNT,
        "unique_user_base": GenerationParameter(1, 10_000_000, whole=True),
    },
    "payments": {},
}
"""Levers by the domain of the connector they stand under."""

CONNECTOR_LEVERS: dict[str, dict[str, GenerationParameter]] = {
    "amazon_ads": {"sponsored_product_ratio": _SHARE},  # of the shop's products, those that are advertised
}
"""Levers of one connector, beside those of its domain."""

SAME: dict[str, str] = {
    "daily_orders_mean": "daily_order_count",
    "aov_mean": "avg_order_value",
    "product_catalog_size": "product_count",
}
"""Two names of one lever, the older first; a source may use either, not both."""

FUNNEL: dict[str, GenerationParameter] = {
    **dict.fromkeys(
        (
            "session_to_view",
            "view_to_cart",
            "cart_to_checkout",
            "checkout_to_payment",
            "payment_to_purchase",
            "return_after_bounce",
            "return_after_view",
            "return_after_cart",
            "return_after_checkout",
            "return_after_payment",
            "return_after_purchase",
        ),
        _SHARE,
    ),
    "returning_customer_boost": GenerationParameter(0, 10),
}
"""The shares of `generation.funnel` of an analytics source: who takes the next step, who comes back."""


def read_generation(entry: Entry, connector: Connector) -> dict[str, object]:
    """The levers of one source, checked: name to number, and `funnel` to its own map of numbers."""
    levers = LEVERS[connector.domain] | CONNECTOR_LEVERS.get(connector.name, {})
    known = [*levers, "funnel"] if connector.domain == "analytics" else list(levers)
    found: dict[str, object] = {}
    for name, value in sorted(entry.mapping().items()):
        if name not in known:
            raise _unknown(value, name, connector, known)
        if name == "funnel":
            found[name] = {step: _number(share, FUNNEL[step]) for step, share in sorted(value.fields(FUNNEL).items())}
        else:
            found[name] = _number(value, levers[name])
    for older, newer in SAME.items():
        if older in found and newer in found:
            raise entry.wrong(f"{older} and {newer} are two names of one lever.", f"Keep {newer} only.")
    return found


def _number(entry: Entry, lever: GenerationParameter) -> int | float:
    return entry.number(lever.low, lever.high, whole=lever.whole)


def _unknown(entry: Entry, name: str, connector: Connector, known: list[str]) -> Exception:
    """The error of a lever that is not one here: it names the domain where it would be, or the nearest name."""
    homes = [domain for domain, levers in LEVERS.items() if name in levers]
    if homes:
        fix = f"Move it to an {homes[0]} source: there it has an effect."
        return entry.wrong(f"{name} changes nothing for {connector.name}.", fix)
    return entry.wrong(f"{connector.name} has no lever named {name!r}.", suggest(name, known))
