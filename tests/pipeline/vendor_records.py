"""Records as the vendors send them, one for each number, and the forms in which files hold them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Record = dict[str, Any]
Made = Callable[[int], Record]


def order(number: int) -> Record:
    return {
        "id": number,
        "total_price": "9.90",
        "currency": "EUR",
        "created_at": "2026-02-01T09:00:00+01:00",
        "updated_at": "2026-02-01T10:00:00+01:00",
        "cancelled_at": None,
        "line_items": [{"id": number * 10, "quantity": 1, "price": "9.90"}],
    }


def woo_order(number: int) -> Record:
    known = {"currency": "EUR", "date_created": "2026-02-01T09:00:00", "date_created_gmt": "2026-02-01T08:00:00"}
    lines = [{"id": 1, "quantity": 1, "total": "9.90"}]
    return {"id": number, "status": "completed", "total": "9.90", "line_items": lines, **known}


def big_order(number: int) -> Record:
    known = {"default_currency_code": "EUR", "date_created": "Sun, 01 Feb 2026 08:00:00 +0000"}
    return {"id": number, "status": "Completed", "total_inc_tax": "9.9000", "items_total": 1, **known}


def charge(number: int) -> Record:
    known = {"currency": "eur", "created": 1769936400, "status": "succeeded", "captured": True}
    return {"id": f"ch_{number}", "amount": 990, "amount_captured": 990, "payment_intent": f"pi_{number}", **known}


def insight(number: int) -> Record:
    actions = [{"action_type": "purchase", "value": "2"}]
    counted = {"spend": "1.50", "impressions": "10", "clicks": "1", "actions": actions}
    return {"ad_id": str(number), "date_start": "2026-02-01", "account_currency": "EUR", **counted}


def ad_day(number: int) -> Record:
    return {
        "customer": {"resourceName": "customers/1", "id": "1", "currencyCode": "EUR", "timeZone": "Europe/Berlin"},
        "campaign": {"resourceName": f"customers/1/campaigns/{number}", "id": str(number)},
        "segments": {"date": "2026-02-01"},
        "metrics": {"costMicros": "1500000", "impressions": "10", "clicks": "1", "conversions": 0.5},
    }


def google_campaign(number: int) -> Record:
    return {name: value for name, value in ad_day(number).items() if name in ("customer", "campaign")}


def bing_day(number: int) -> Record:
    ids = {"TimePeriod": "2026-02-01", "AccountId": "1", "CurrencyCode": "EUR", "CampaignId": str(number)}
    return ids | {"Impressions": "10", "Clicks": "1", "Spend": "1.50", "Ctr": "10.00%"}


def linkedin_day(number: int) -> Record:
    day = {"year": 2026, "month": 2, "day": 1}
    counted = {"impressions": 10, "clicks": 1, "costInLocalCurrency": "1.5"}
    return {"pivotValues": [f"urn:li:sponsoredCreative:{number}"], "dateRange": {"start": day, "end": day}, **counted}


def amazon_day(number: int) -> Record:
    ids = {"date": "2026-02-01", "campaignId": number, "campaignBudgetCurrencyCode": "EUR"}
    return ids | {"impressions": 10, "clicks": 1, "cost": 1.5, "purchases7d": 1}


def tiktok_day(number: int) -> Record:
    metrics = {"spend": "1.50", "impressions": "10", "clicks": "1", "conversion": "2", "currency": "EUR"}
    return {"dimensions": {"ad_id": str(number), "stat_time_day": "2026-02-01 00:00:00"}, "metrics": metrics}


def ga4_event(number: int) -> Record:
    at = {"event_date": "20260201", "event_timestamp": str(1769936400000000 + number), "event_name": "purchase"}
    bought = {"transaction_id": f"t{number}", "purchase_revenue": 9.9}
    return {**at, "user_pseudo_id": "ann", "event_value_in_usd": 9.9, "ecommerce": bought}


def amplitude_event(number: int) -> Record:
    at = {"event_type": "purchase", "event_time": "2026-02-01 08:00:00.000000"}
    return {"uuid": f"u{number}", "user_id": "ann@example.com", "event_properties": {"revenue": 9.9}, **at}


def mixpanel_event(number: int) -> Record:
    known = {"time": 1769936400 + number, "distinct_id": "ann", "$insert_id": f"i{number}", "revenue": 9.9}
    return {"event": "Purchase", "properties": known}


RECORDS: dict[tuple[str, str], Made] = {
    ("amazon_ads", "sponsored_products_campaign_report"): amazon_day,
    ("amplitude", "events"): amplitude_event,
    ("bigcommerce", "orders"): big_order,
    ("bing_ads", "campaign_performance_report"): bing_day,
    ("facebook_ads", "facebook_insights"): insight,
    ("google_ads", "ad_performance"): ad_day,
    ("google_analytics", "events"): ga4_event,
    ("instagram_ads", "facebook_insights"): insight,
    ("linkedin_ads", "ad_analytics"): linkedin_day,
    ("mixpanel", "events"): mixpanel_event,
    ("shopify", "orders"): order,
    ("stripe", "charges"): charge,
    ("tiktok_ads", "ads_reports_daily"): tiktok_day,
    ("woocommerce", "orders"): woo_order,
}
"""Of every connector the object that its money or its numbers come from."""


def times(count: int, record: Made) -> list[Record]:
    return [record(number) for number in range(count)]


def changed(record: Record, path: str, value: Any) -> Record:
    """A record with another value at a path, in every element of the lists on the way."""
    head, _, rest = path.partition(".")
    if rest and isinstance(record[head], list):
        return record | {head: [changed(item, rest, value) for item in record[head]]}
    return record | {head: changed(record[head], rest, value) if rest else value}


def without(record: Record, path: str) -> Record:
    head, _, rest = path.partition(".")
    if rest:
        return record | {head: without(record[head], rest)}
    return {name: value for name, value in record.items() if name != head}


def renamed(record: Record, old: str, new: str) -> Record:
    return {new if name == old else name: value for name, value in record.items()}


def jsonl(records: Iterable[Record]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def csv(records: Sequence[Record]) -> str:
    """Quoted cells under a header; what is nested as JSON text."""
    rows = [",".join(f'"{name}"' for name in records[0])]
    for record in records:
        texts = [value if isinstance(value, str) else json.dumps(value) for value in record.values()]
        rows.append(",".join(f'"{text.replace(chr(34), chr(34) * 2)}"' for text in texts))
    return "\n".join(rows) + "\n"


def pages(records: Sequence[Record]) -> str:
    """Answers as TikTok wraps them."""
    return json.dumps({"code": 0, "data": {"list": records, "page_info": {"page": 1}}})
