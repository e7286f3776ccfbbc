"""Google Analytics' engine."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.engine_arguments import account_currency
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine

PURCHASES = ("purchase",)
"""GA4's own event for a purchase, where a tenant names no `purchase_events`."""


def _events(tenant: Tenant, source: Source) -> Mapping[str, object]:
    return {
        "currency": account_currency(tenant, source),
        "purchase_events": list(tenant.purchase_events or PURCHASES),
    }


ENGINES = (Engine(fills="events", macro="engine_google_analytics_events", objects=("events",), arguments=_events),)
