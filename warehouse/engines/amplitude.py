"""Amplitude's engines."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.tenants import Source, Tenant
from warehouse.engines import PURCHASES, Engine, account_currency


def _events(tenant: Tenant, source: Source) -> Mapping[str, object]:
    return {
        "currency": account_currency(tenant, source),
        "purchase_events": list(tenant.purchase_events or PURCHASES),
    }


ENGINES = (
    Engine(fills="events", macro="engine_amplitude_events", objects=("events",), arguments=_events),
    Engine(fills="profiles", macro="engine_amplitude_profiles", objects=("users",)),
)
