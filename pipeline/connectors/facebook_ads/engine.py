"""Meta's engines, for facebook_ads and instagram_ads."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.engine_arguments import account_currency
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine, resembling


def _report(tenant: Tenant, source: Source) -> Mapping[str, object]:
    pattern = tenant.conversion_pattern(source.platform)
    return {
        "currency": account_currency(tenant, source),
        "conversion_type": pattern,
        "resembles": "false" if pattern is None else resembling("action.action_type", pattern),
    }


ENGINES = (
    Engine(
        fills="ad_performance",
        macro="engine_facebook_ads_ad_performance",
        objects=("facebook_insights", "ad_sets", "ads"),
        arguments=_report,
    ),
    Engine(
        fills="campaigns",
        macro="engine_facebook_ads_campaigns",
        objects=(),
        history=("campaigns",),
        canonical=("ad_performance",),
    ),
)
