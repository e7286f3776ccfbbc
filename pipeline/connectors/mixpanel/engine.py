"""Mixpanel's engines."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.engine_arguments import account_currency, account_timezone
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import PURCHASES, Engine


def _events(tenant: Tenant, source: Source) -> Mapping[str, object]:
    return {
        "currency": account_currency(tenant, source, "identified.source_account"),
        "purchase_events": list(tenant.purchase_events or PURCHASES),
        "timezone": account_timezone(tenant, source, otherwise="UTC"),
    }


ENGINES = (
    Engine(fills="events", macro="engine_mixpanel_events", objects=("events", "people"), arguments=_events),
    Engine(fills="profiles", macro="engine_mixpanel_profiles", objects=("people",)),
)
