"""A small shop of hand-written exports, whose numbers can be added up in the head."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

SMALL_TENANT = """
tenants:
  - slug: small_shop
    business_name: Small Shop
    currency: EUR
    sources:
      facebook_ads:
        enabled: true
        read: {kind: files, objects: {campaigns: ads/campaigns*.jsonl, facebook_insights: ads/insights*.jsonl}}
        tables: [{name: facebook_insights, logic: {conversion_event_pattern: purchase}}]
      shopify:
        enabled: true
        read: {kind: files, objects: {orders: shop/orders*, products: shop/products*}}
      google_analytics:
        enabled: true
        read: {kind: files, objects: {events: web/events*.jsonl}}
    semantic:
      metrics:
        margin: {expression: order_revenue - spend, description: What is left after ads., unit: currency}
"""

Rows = list[dict[str, Any]]


def order(number: int, price: str, *, updated: str = "2026-03-02T10:00:00+01:00", **more: Any) -> dict[str, Any]:
    placed = "2026-03-02T09:00:00+01:00"
    line = {
        "id": number * 10,
        "product_id": 7,
        "title": "Umbrella",
        "quantity": 2,
        "price": price,
        "total_discount": "0",
    }
    known = {"currency": "EUR", "financial_status": "paid", "created_at": placed, "updated_at": updated}
    return {"id": number, "total_price": price, **known, "line_items": [line], "email": f"{number}@example.com", **more}


def insight(campaign: str, spend: str, *, day: str = "2026-03-02") -> dict[str, Any]:
    purchases = [{"action_type": kind, "value": "2"} for kind in ("purchase", "omni_purchase")]
    counted = {"spend": spend, "impressions": "100", "clicks": "5", "actions": purchases}
    return {"campaign_id": campaign, "ad_id": f"ad{campaign}", "date_start": day, "account_currency": "EUR", **counted}


def event(user: str, name: str, minute: int, **params: Any) -> dict[str, Any]:
    at = int(datetime(2026, 3, 2, 8, minute, tzinfo=UTC).timestamp() * 1_000_000)
    sent = {"source": "facebook", "medium": "paid_social", "campaign": "Spring", **params}
    listed = [
        {"key": key, "value": {("double_value" if isinstance(value, float) else "string_value"): value}}
        for key, value in sent.items()
    ]
    body = {"event_name": name, "event_timestamp": str(at), "event_date": "20260302", "event_params": listed}
    if "transaction_id" in params:
        body["ecommerce"] = {"transaction_id": params["transaction_id"], "purchase_revenue": params["value"]}
    return {**body, "user_pseudo_id": user}


ORDERS: Rows = [order(1, "10.50"), order(2, "20.00"), order(3, "30.25")]
INSIGHTS: Rows = [insight("1", "5.00"), insight("1", "6.25", day="2026-03-03"), insight("2", "7.00")]
CAMPAIGNS: Rows = [{"id": "1", "name": "Spring", "status": "ACTIVE"}, {"id": "2", "name": "Summer", "status": "PAUSED"}]
EVENTS: Rows = [
    event("ann", "session_start", 0),
    event("ann", "purchase", 5, transaction_id="1", value=10.5, currency="EUR"),
    event("bob", "session_start", 1),
    event("bob", "purchase", 9, transaction_id="2", value=20.0, currency="EUR"),
    event("eve", "page_view", 3),
]


def write_jsonl(path: Path, rows: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def bring_order(folder: Path, number: int) -> None:
    """Add a file with one more order, of 10.00, to a folder of exports."""
    write_jsonl(folder / f"orders_{number}.jsonl", [order(number, "10.00")])


def revenue(orders: int) -> Decimal:
    """What the shop earned where it has so many orders: `ORDERS`, then those of `bring_order`."""
    return Decimal("60.75") + 10 * (orders - len(ORDERS))


def write_shop(
    folder: Path,
    *,
    orders: Rows = ORDERS,
    insights: Rows = INSIGHTS,
    events: Rows = EVENTS,
    campaigns: Rows = CAMPAIGNS,
) -> None:
    """The shop's export files below `folder`."""
    write_jsonl(folder / "shop/orders.jsonl", orders)
    write_jsonl(folder / "shop/products.jsonl", [{"id": 7, "title": "Umbrella", "product_type": "Rain"}])
    write_jsonl(folder / "ads/insights.jsonl", insights)
    write_jsonl(folder / "ads/campaigns.jsonl", campaigns)
    write_jsonl(folder / "web/events.jsonl", events)
