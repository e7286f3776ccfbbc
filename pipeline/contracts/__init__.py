"""Contracts by connector and object, as a visible dictionary. Instagram ads are Meta ads and share Meta's contracts."""

from __future__ import annotations

from pipeline.contracts import facebook_ads, google_analytics, shopify
from pipeline.contracts.fields import Contract

CONTRACTS: dict[str, dict[str, type[Contract]]] = {
    "facebook_ads": facebook_ads.OBJECTS,
    "shopify": shopify.OBJECTS,
    "google_analytics": google_analytics.OBJECTS,
}
