"""Meta's records and what its engines make of them."""

from __future__ import annotations

from warehouse.cases import Case, Cases


def _meta_report(pattern: str | None) -> Case:
    wanted = pattern or "purchase"
    ad = {"campaign_id": "c1", "adset_id": "s1", "ad_id": "a1", "date_start": "2026-01-05", "date_stop": "2026-01-05"}
    reactions = [
        {"action_type": wanted, "action_reaction": "like", "value": "1"},
        {"action_type": wanted, "value": "3"},
        {"action_type": f"omni_{wanted}", "value": "9"},
    ]
    row = {
        "source_platform": "facebook_ads",
        "report_date": "2026-01-05",
        "ad_name": "Now",
        "spend": 0,
        "clicks": 0,
        "currency": "EUR",
    }
    return Case(
        "text is numbers, absent metrics are 0, one action type counts, and its total beats its reactions",
        {
            "facebook_insights": [
                ad | {"spend": "11.97", "impressions": "3613", "actions": reactions, "account_currency": "eur"},
                ad | {"ad_id": "a2", "ad_name": "Then", "account_currency": "EUR"},
                ad | {"ad_id": "a3", "publisher_platform": "instagram", "account_currency": "EUR", "clicks": "2"},
            ],
            "ads": [{"id": "a1", "name": "Now"}],
        },
        [
            row | {"ad_id": "a1", "spend": 11.97, "impressions": 3613, "conversions": 3.0 if pattern else None},
            row | {"ad_id": "a2", "ad_name": "Then", "impressions": 0, "conversions": 0.0 if pattern else None},
            row
            | {"ad_id": "a3", "ad_name": None, "source_platform": "instagram_ads", "clicks": 2, "impressions": 0}
            | {"conversions": 0.0 if pattern else None},
        ],
    )


def _meta_campaigns(_pattern: str | None) -> Case:
    old = {"id": "c1", "name": "Spring", "status": "PAUSED", "in_force_to": "2026-02-01 00:00:00"}
    new = {"id": "c1", "name": "Summer", "status": "ACTIVE", "in_force_from": "2026-02-01 00:00:00"}
    was = {
        "campaign_id": "c1",
        "campaign_name": "Spring",
        "campaign_status": "PAUSED",
        "in_force_to": "2026-02-01 00:00:00",
    }
    now = {"campaign_id": "c1", "campaign_name": "Summer", "campaign_status": "ACTIVE", "in_force_to": None}
    return Case(
        "every version of a campaign, for every platform of Meta that its reports name",
        {"campaigns": [old, new]},
        [version | {"source_platform": name} for version in (was, now) for name in ("facebook_ads", "instagram_ads")],
        {"ad_performance": [{"source_platform": "instagram_ads", "source_account": "main", "campaign_id": "c1"}]},
    )


CASES: Cases = {
    "engine_facebook_ads_ad_performance": _meta_report,
    "engine_facebook_ads_campaigns": _meta_campaigns,
}
