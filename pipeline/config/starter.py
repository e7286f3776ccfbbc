"""The first tenants.yaml of a new installation, as text: one tenant with its own exports, other keys as comments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.config.blocks.domains import DOMAINS
from pipeline.contracts.connector import Connector

SLUG = "my_shop"
EXPORTS = "exports"
OTHER_KEYS = {
    "week_start": ("monday", "or sunday, saturday"),
    "rates": ("rates.csv", "date, currency, rate: money of every currency becomes one sum in `currency`"),
    "sessions": ("{gap_minutes: 30}", "a longer gap between two events of a user begins a new session"),
    "analytics": ("google_analytics", "which one feeds sessions, where several are enabled"),
    "attribution": (
        "{platforms: [{source: newsletter, medium: cpc, ad_platform: google_ads}]}",
        "whose clicks a traffic source stands for",
    ),
    "channels": (
        "[{channel: Influencers, medium: [influencer, creator*]}]",
        "channels of your own, before those of Google Analytics",
    ),
    "gates": ("{minimum_rows: {severity: 'off'}}", "gates that differ for it, by id: docs/reference/validation.md"),
    "semantic": (
        "{metrics: {revenue_per_customer: {expression: order_revenue / customers}}}",
        "metrics of your own, and other names",
    ),
    "models": ("[models/*.sql, models/*.yml]", "tables of your own over its facts and dimensions: docs/own-models.md"),
    "questions": (
        "[{question: Orders so far?, query: {metrics: [orders]}, value: 10}]",
        "what you know the answer of: `gata verify` and each publish ask it",
    ),
}
"""Keys of a tenant that the starter keeps in comments: a working example of each, and its purpose."""

_TEXT = """\
# Who gata serves. Edit this file, run `gata build`, and the answers follow; `gata plan` says what a build would do.
#
# Every name is checked: a wrong one is named with its line and what was meant. Paths start from this file.
# More is in gata's README.md ("Bring your own exports", "Say what counts") and docs/operations.md.

tenants:
  - slug: {slug}              # names tables and files: lower-case letters, digits and _
    business_name: My Shop
    status: active             # pending = checked, not built
    timezone: UTC              # where its days begin, such as Europe/Berlin
    currency: USD              # what it reports in
    domains: [ecommerce]       # what it has sources of: ads, ecommerce, analytics; left out, it needs all three
{keys}
    sources:
      shopify:
        enabled: true
        read:                  # left out, the source is synthetic: made-up records to try things with
          kind: files
          objects:             # records as the vendor's API sends them: json, jsonl, csv, parquet; .gz and .zip too
            orders: {exports}/orders*
            # products: {exports}/products*

      # Another source is written like shopify, once its domain is in `domains`. Each with its objects:
{sources}
"""


def starter_text(catalog: Mapping[str, Connector]) -> str:
    """A tenants.yaml that loads as it stands and builds once a file of orders lies in its exports folder."""
    keys = (f"    # {f'{key}: {example}':<24} # {meaning}" for key, (example, meaning) in OTHER_KEYS.items())
    lines = (line for domain in (*DOMAINS, "payments") for line in _sources(domain, catalog.values()))
    return _TEXT.format(slug=SLUG, exports=EXPORTS, keys="\n".join(keys), sources="\n".join(lines))


def _sources(domain: str, catalog: Iterable[Connector]) -> Iterable[str]:
    """A comment for each connector of a domain that can be used."""
    for connector in catalog:
        if connector.domain == domain and connector.is_built:
            yield f"      #   {domain:<9}  {connector.name:<16}  {', '.join(connector.objects)}"
