"""Google Ads' engines."""

from __future__ import annotations

from pipeline.config.engine_arguments import with_currency
from pipeline.contracts.engine import Engine

ENGINES = (
    Engine(
        fills="ad_performance",
        macro="engine_google_ads_ad_performance",
        objects=("ad_performance", "ad_groups", "ads", "customers"),
        arguments=with_currency,
    ),
    Engine(fills="campaigns", macro="engine_google_ads_campaigns", objects=(), history=("campaigns",)),
)
