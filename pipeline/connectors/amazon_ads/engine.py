"""Amazon's engines."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.engine_arguments import account_currency
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine


def _report(tenant: Tenant, source: Source) -> Mapping[str, object]:
    return {"currency": account_currency(tenant, source, "reports.source_account")}


ENGINES = (
    Engine(
        fills="ad_performance",
        macro="engine_amazon_ads_ad_performance",
        objects=(
            "sponsored_products_advertised_product_report",
            "sponsored_products_campaign_report",
            "sponsored_brands_campaign_report",
            "sponsored_display_campaign_report",
            "sponsored_products_ad_groups",
            "sponsored_products_product_ads",
        ),
        arguments=_report,
    ),
    Engine(
        fills="campaigns",
        macro="engine_amazon_ads_campaigns",
        objects=(),
        history=("sponsored_products_campaigns",),
    ),
)
