"""The one tenant that every bench builds: synthetic, seeded, the same bytes on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pipeline.config.slug import slug_of
from pipeline.config.tenant import Tenant
from pipeline.settings import Settings
from pipeline.synthetic.generate import generate
from server.orchestration.build_context import BuildContext, open_build_context

SLUG = slug_of("bench_shop")
TODAY = date(2026, 11, 21)
AD_ROWS_PER_DAY = 20
EVENT_SHARE = 0.9825  # of the other rows; the rest are versions of orders
TENANTS = """
tenants:
  - slug: {slug}
    business_name: Bench Shop
    status: active
    timezone: America/Los_Angeles
    currency: USD
    sources:
      facebook_ads:
        enabled: true
        generation: {{daily_spend_mean: 150, campaign_count: 5}}
        tables: [{{name: facebook_insights, logic: {{conversion_event_pattern: purchase}}}}]
      shopify:
        enabled: true
        generation: {{product_count: 20}}
      google_analytics:
        enabled: true
        generation: {{organic_traffic_ratio: 0.3, conversion_rate: 0.02, daily_event_count: {daily_events}}}
        tables:
          - name: events
            logic:
              conversion_events: [purchase]
              funnel_steps: [session_start, view_item, add_to_cart, begin_checkout, purchase]
"""


def write_tenants(home: Path, rows: int, days: int) -> None:
    """Describe a shop of about `rows` records in `days` days: daily ads, events, and the orders they lead to."""
    if rows < days * AD_ROWS_PER_DAY:
        raise SystemExit(
            f"{rows:,} records are too few. Ask for {days * AD_ROWS_PER_DAY:,} or more: the ads of {days} days."
        )
    home.mkdir(parents=True, exist_ok=True)
    events = round((rows / days - AD_ROWS_PER_DAY) * EVENT_SHARE)
    (home / "tenants.yaml").write_text(TENANTS.format(slug=SLUG, daily_events=events), encoding="utf-8")


def open_shop(home: Path) -> tuple[BuildContext, Tenant]:
    """The build context and the tenant of the shop in this state folder."""
    shop = open_build_context(Settings(home=home, tenants=home / "tenants.yaml", today=TODAY))
    return shop, shop.manifest.get(SLUG)


def generate_files(home: Path, days: int) -> Mapping[tuple[str, str, str], tuple[Path, ...]]:
    """The shop's exports; made once."""
    shop, tenant = open_shop(home)
    return generate(tenant, shop.settings.home, until=TODAY, days=days)
