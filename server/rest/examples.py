"""Examples of /openapi.json and /docs: one short answer for each operation."""

from __future__ import annotations

from typing import Any

RUN = "20261121T081500000000Z_0a1b2c"
AT = "2026-11-21T08:15:04+00:00"

_SPEND = {
    "name": "spend",
    "description": "What was spent on ads.",
    "unit": "USD",
    "type": "decimal",
    "dimensions": ["ad_platform", "campaign_name", "date"],
}
_CAMPAIGN = {"name": "campaign_name", "description": "The campaign's current name.", "type": "text"}
_JOIN = {
    "from": "fct_acme__ad_performance",
    "from_column": "campaign_key",
    "to": "dim_acme__campaigns",
    "to_column": "campaign_key",
    "cardinality": "many_to_one",
    "rows": 5400,
    "rows_without_key": 0,
    "rows_with_unknown_key": 0,
    "match_share": 1.0,
    "orphan_share": 0.0,
}
_FOUND = "3 events of google_analytics have no user and are in no session."
_LAYER = {
    "tenant": "acme",
    "run_id": RUN,
    "published_at": AT,
    "time_zone": "America/Los_Angeles",
    "metrics": [_SPEND],
    "dimensions": [_CAMPAIGN],
    "relationships": [_JOIN],
    "findings": [_FOUND],
}
_MODEL = {
    "tenant": "acme",
    "run_id": RUN,
    "name": "fct_acme__orders",
    "description": "One row per order of a shop.",
    "grain": ["order_key"],
    "rows": 1077,
    "columns": [{"name": "order_date", "type": "DATE", "description": "The day, in the tenant's time zone."}],
}
_JOB = {
    "id": "job_4f0c2b7d9e1a",
    "kind": "onboard",
    "tenant": "acme",
    "state": "transforming",
    "reason": None,
    "fix": None,
    "run_id": None,
    "created_at": AT,
    "updated_at": AT,
    "events": [
        {"number": 1, "state": "queued", "at": AT},
        {"number": 2, "state": "ingesting", "at": AT},
        {"number": 3, "state": "transforming", "at": AT},
    ],
}
_FILES = {"kind": "files", "objects": {"orders": "exports/acme/orders_*.jsonl.gz"}}
_LANDED = {
    "step": "land",
    "status": "done",
    "attempts": 1,
    "rows_in": 1080,
    "rows_out": 1077,
    "quarantined": 3,
    "bytes": 402_113,
    "seconds": 1.2,
    "at": AT,
    "detail": None,
}


_CHECKED: dict[str, Any] = {  # Any: JSON values
    "file": "orders_2026-11.csv",
    "lands": "in_part",
    "reason": None,
    "fix": "Export the records that are kept out again, or bring the file as it is: the others land.",
    "candidates": [{"platform": "shopify", "object": "orders"}],
    "recognised_by": "reader",
    "nearest": None,
    "rows": 412,
    "days": {"first": "2026-11-01", "last": "2026-11-20", "count": 20},
    "measures": [{"field": "total_price", "currency": "EUR", "sum": 31204.5, "in_minor_units": False}],
    "accounts": [],
    "currencies": ["EUR"],
    "quarantined": [{"reason": "total_price: a value is not a number", "records": 1, "example": "'12,50'"}],
    "unknown_fields": ["tags"],
    "unknown_field_count": 1,
}
EXAMPLES: dict[str, dict[str, Any]] = {  # Any: JSON values
    "health": {"status": "ok"},
    "layer": _LAYER,
    "dimensions": {"run_id": RUN, "dimensions": [_CAMPAIGN], "cursor": None},
    "measures": {"run_id": RUN, "measures": [_SPEND], "cursor": None},
    "relationships": {"run_id": RUN, "relationships": [{**_JOIN, "to_rows_inferred": 0}]},
    "values": {
        "dimension": "campaign_name",
        "values": [{"value": "Canyon Retargeting", "count": 540}],
        "truncated": False,
        "rows_of": "ad_performance",
    },
    "question": {
        "metrics": ["spend", "roas"],
        "dimensions": ["campaign_name"],
        "time_range": "last_30_days",
        "order_by": ["-spend"],
        "limit": 10,
    },
    "answer": {
        "columns": [
            {"name": "campaign_name", "role": "dimension", "type": "text", "unit": None},
            {"name": "spend", "role": "metric", "type": "decimal", "unit": "USD"},
        ],
        "rows": [["Canyon Retargeting", 19409.123456]],
        "row_count": 1,
        "truncated": False,
        "limit": 10,
        "cursor": None,
        "time_range": {"start": "2026-10-22", "end": "2026-11-20"},
        "time_grain": None,
        "time_zone": "America/Los_Angeles",
        "filters": [],
        "as_of": "2026-11-20",
        "run_id": RUN,
        "notes": [],
        "sql": [],
    },
    "change": {"metric": "roas", "time_range": "last_week", "dimensions": ["campaign_name"]},
    "explanation": {
        "metric": "roas",
        "unit": "ratio",
        "time_range": {"start": "2026-11-16", "end": "2026-11-22"},
        "compared_with": {"start": "2026-11-09", "end": "2026-11-15"},
        "value": 2.0,
        "previous": 1.5,
        "change": 0.5,
        "change_ratio": 0.333333,
        "parts": [
            {"name": "attributed_revenue", "value": 400.0, "previous": 300.0, "effect": 0.5},
            {"name": "spend", "value": 200.0, "previous": 200.0, "effect": 0.0},
        ],
        "dimension": "campaign_name",
        "columns": [
            *("campaign_name", "value", "previous", "effect", "mix_effect", "rate_effect"),
            *("weight", "weight_previous", "onset"),
        ],
        "rows": [["Canyon Retargeting", 3.0, 2.0, 0.5, 0.0, 0.5, 0.5, 0.5, "2026-11-18"]],
        "other": {"members": 3, "effect": 0.0, "mix_effect": 0.0, "rate_effect": 0.0},
        "concentration": {"campaign_name": 0.5},
        "onset": {"date": "2026-11-18", "value": 3.1, "usual": [1.1, 2.6]},
        "coverage": {"days": 7, "of": 7, "previous_days": 7, "previous_of": 7},
        "method": "Symmetric: mix_effect = ...",
        "filters": [],
        "as_of": "2026-11-22",
        "run_id": RUN,
        "notes": ["Compared with 2026-11-09 to 2026-11-15."],
    },
    "connectors": {
        "connectors": [
            {
                "name": "shopify",
                "domain": "ecommerce",
                "version": "2024-01",
                "objects": ["orders", "products"],
                "is_built": True,
            }
        ]
    },
    "models": {"models": [_MODEL], "cursor": None},
    "model": _MODEL,
    "catalog": {"tenants": [_LAYER], "cursor": None},
    "lineage": {
        "tenant": "acme",
        "run_id": RUN,
        "name": "spend",
        "kind": "metric",
        "root": "metric:spend",
        "fields": ["facebook_ads.facebook_insights.spend"],
        "ends": [],
        "nodes": [
            {
                "id": "measure:ad_performance.spend",
                "kind": "measure",
                "name": "ad_performance.spend",
                "fact": "ad_performance",
                "table": "fct_acme__ad_performance",
                "expression": "_.spend.sum()",
            },
            {
                "id": "metric:spend",
                "kind": "metric",
                "name": "spend",
                "description": "What ads cost.",
                "unit": "currency",
                "type": "sum",
            },
        ],
        "edges": [{"from": "measure:ad_performance.spend", "to": "metric:spend", "via": []}],
        "notes": [],
    },
    "readiness": {
        "tenant": "acme",
        "state": "ready",
        "run_id": RUN,
        "published_at": AT,
        "last_build": "done",
        "findings": [_FOUND],
        "job": None,
    },
    "onboarding": {
        "slug": "acme",
        "business_name": "Acme",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "sources": {
            "facebook_ads": {"enabled": True},
            "shopify": {"enabled": True, "read": _FILES},
            "google_analytics": {"enabled": True},
        },
    },
    "update": {
        "tenant": "acme",
        "semantic": {
            "metrics": {
                "margin": {
                    "expression": "order_revenue - spend",
                    "description": "What is left after ads.",
                    "unit": "currency",
                }
            }
        },
        "logic": {"google_analytics": {"events": {"conversion_events": ["purchase", "sign_up"]}}},
    },
    "job": _JOB,
    "jobs": {"jobs": [_JOB], "cursor": None},
    "observability": {
        "tenant": "acme",
        "run_id": RUN,
        "published_at": AT,
        "last_build": {"run_id": RUN, "status": "done", "started_at": AT, "finished_at": AT},
        "tests": {"pass": 96, "warn": 0, "fail": 0},
        "models": 24,
        "quarantined": 0,
        "drifted": 0,
        "findings": [],
        "details": [],
    },
    "runs": {
        "runs": [
            {
                "run_id": RUN,
                "status": "done",
                "started_at": AT,
                "finished_at": AT,
                "steps": [_LANDED],
            }
        ],
        "cursor": None,
    },
    "run": {
        "run_id": RUN,
        "status": "done",
        "started_at": AT,
        "finished_at": AT,
        "steps": [_LANDED],
    },
    "tests": {
        "run_id": RUN,
        "tests": [
            {
                "name": "unique_fct_acme__orders_order_key",
                "kind": "test",
                "test": "unique",
                "model": "fct_acme__orders",
                "column": "order_key",
                "severity": "error",
                "status": "pass",
                "failures": 0,
                "seconds": 0.02,
                "at": AT,
            }
        ],
        "cursor": None,
    },
    "built_models": {
        "run_id": RUN,
        "models": [
            {
                "name": "fct_acme__orders",
                "kind": "model",
                "project": "stars",
                "materialization": "table",
                "status": "success",
                "seconds": 0.3,
                "rows": 1077,
                "depends_on": ["int_acme__shopify_orders"],
                "at": AT,
            }
        ],
        "cursor": None,
    },
    "drift": {
        "drift": [
            {
                "platform": "shopify",
                "account": "main",
                "object": "orders",
                "fields": ["id:VARCHAR"],
                "unknown_fields": ["tip_total"],
                "missing_fields": [],
                "shapes": 2,
                "first_seen_at": AT,
                "last_seen_at": AT,
                "advice": "INVESTIGATE",
            }
        ],
        "findings": [],
    },
    "quarantine": {
        "quarantine": [
            {
                "run_id": RUN,
                "platform": "shopify",
                "account": "main",
                "object": "orders",
                "file": "orders_2026-11-20.jsonl.gz",
                "field": "total_price",
                "reason": None,
                "count": 3,
                "at": AT,
            }
        ],
        "total": 3,
        "cursor": None,
    },
    "freshness": {
        "run_id": RUN,
        "published_at": AT,
        "hours_since_publish": 4.2,
        "facts": [{"fact": "orders", "rows": 1077, "first_date": "2026-08-23", "as_of": "2026-11-20"}],
        "sources": [
            {
                "platform": "shopify",
                "account": "main",
                "object": "orders",
                "files": 3,
                "rows": 1077,
                "quarantined": 0,
                "newest_file": "orders_2026-11-20.jsonl.gz",
                "exported_at": AT,
                "landed_at": AT,
            }
        ],
    },
    "identity": {
        "run_id": RUN,
        "users": 41000,
        "users_with_email": 900,
        "customers": 1000,
        "customer_share": 0.02439,
        "orders": 1077,
        "orders_with_session": 1050,
        "orders_with_customer": 1077,
        "order_session_share": 0.97493,
        "sessions": 53669,
        "sessions_with_customer": 2100,
        "events": 135379,
        "events_without_user": 12,
    },
    "replay": {"platform": "shopify", "object": "orders"},
    "replay_job": {**_JOB, "kind": "replay"},
    "file_check": {"files": [_CHECKED], "tenants_yaml": "tenants:\n  - slug: my_shop\n    ..."},
    "upload": {"file": "orders_2026-11.csv", "is_new": True, "report": [_CHECKED]},
    "own_quarantine": {
        "quarantine": [
            {
                "run_id": RUN,
                "platform": "shopify",
                "account": "main",
                "object": "orders",
                "file": "orders_2026-11.csv",
                "field": "total_price",
                "reason": "total_price: '12,50' is not a number",
                "count": 1,
                "at": AT,
            }
        ],
        "total": 1,
        "cursor": None,
    },
}
