"""LinkedIn's engines."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.engine_arguments import account_currency
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine


def _report(tenant: Tenant, source: Source) -> Mapping[str, object]:
    return {"currency": account_currency(tenant, source, "reported.source_account")}


ENGINES = (
    Engine(
        fills="ad_performance",
        macro="engine_linkedin_ads_ad_performance",
        objects=("ad_analytics_by_campaign", "ad_analytics", "campaigns"),
        arguments=_report,
    ),
    Engine(fills="campaigns", macro="engine_linkedin_ads_campaigns", objects=(), history=("campaigns",)),
)
