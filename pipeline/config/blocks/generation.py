"""Parameters of synthetic data that a tenant may set under `generation:`, by domain, each with its range.

A parameter that has no effect for a connector is refused, not ignored. Values left out are the generator's own.
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

DOMAIN_PARAMETERS: dict[str, dict[str, GenerationParameter]] = {
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
        "tracking_loss": _SHARE,  # of visitors that analytics never sees
        "daily_event_count": _COUNT,
        "unique_user_base": GenerationParameter(1, 10_000_000, whole=True),
    },
    "payments": {},
}
"""Parameters by the domain of the connector."""

CONNECTOR_PARAMETERS: dict[str, dict[str, GenerationParameter]] = {
    "amazon_ads": {"sponsored_product_ratio": _SHARE},  # of the shop's products, those that are advertised
}
"""Parameters of one connector, beside those of its domain."""

SAME: dict[str, str] = {
    "daily_orders_mean": "daily_order_count",
    "aov_mean": "avg_order_value",
    "product_catalog_size": "product_count",
}
"""Two names of one parameter, the older first; a source may use either, not both."""

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
"""The shares of `generation.funnel` of an analytics source: of visitors that take the next step, and that come back."""


def read_generation(entry: Entry, connector: Connector) -> dict[str, object]:
    """The parameters of one source, checked: name to number, and `funnel` to its own map of numbers."""
    parameters = DOMAIN_PARAMETERS[connector.domain] | CONNECTOR_PARAMETERS.get(connector.name, {})
    known = [*parameters, "funnel"] if connector.domain == "analytics" else list(parameters)
    numbers: dict[str, object] = {}
    for name, value in sorted(entry.mapping().items()):
        if name not in known:
            raise _unknown(value, name, connector, known)
        if name == "funnel":
            numbers[name] = {step: _number(share, FUNNEL[step]) for step, share in sorted(value.fields(FUNNEL).items())}
        else:
            numbers[name] = _number(value, parameters[name])
    for older, newer in SAME.items():
        if older in numbers and newer in numbers:
            raise entry.wrong(f"{older} and {newer} are two names of one parameter.", f"Keep {newer} only.")
    return numbers


def _number(entry: Entry, parameter: GenerationParameter) -> int | float:
    return entry.number(parameter.low, parameter.high, whole=parameter.whole)


def _unknown(entry: Entry, name: str, connector: Connector, known: list[str]) -> Exception:
    """The error of a parameter that the connector does not have: names the domain that has it, or the nearest name."""
    domains = [domain for domain, parameters in DOMAIN_PARAMETERS.items() if name in parameters]
    if domains:
        fix = f"Move it to an {domains[0]} source: there it has an effect."
        return entry.wrong(f"{name} changes nothing for {connector.name}.", fix)
    return entry.wrong(f"{connector.name} has no parameter named {name!r}.", suggest(name, known))
