"""Amplitude's engines."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.engine_arguments import account_currency
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import PURCHASES, Engine


def _events(tenant: Tenant, source: Source) -> Mapping[str, object]:
    return {
        "currency": account_currency(tenant, source),
        "purchase_events": list(tenant.purchase_events or PURCHASES),
    }


ENGINES = (
    Engine(fills="events", macro="engine_amplitude_events", objects=("events",), arguments=_events),
    Engine(fills="profiles", macro="engine_amplitude_profiles", objects=("users",)),
)
