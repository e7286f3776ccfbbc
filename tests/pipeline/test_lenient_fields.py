"""A field that no number rests on costs no record; one that a number rests on still does."""

from __future__ import annotations

import pytest

from pipeline.contracts.fields import Contract, field_at, shape_of
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture, table_of
from tests.pipeline.vendor_records import (
    Made,
    ad_day,
    amazon_day,
    amplitude_event,
    bing_day,
    changed,
    ga4_event,
    insight,
    jsonl,
    mixpanel_event,
    tiktok_day,
)

CONTRACTS = {key: blueprint.contract for key, blueprint in sorted(BLUEPRINTS.items()) if blueprint.contract.lenient}


@pytest.mark.parametrize(("platform", "name"), CONTRACTS)
def test_a_lenient_field_is_one_that_no_key_day_or_measure_rests_on(platform: str, name: str) -> None:
    contract: type[Contract] = CONTRACTS[platform, name]
    shape = shape_of(contract)
    rests = {*contract.key, *contract.required, contract.date_field, contract.version_field or ""}
    rests |= {path for measure in contract.measures for path in measure.paths}
    for path in contract.lenient:
        assert not any(f"{other}.".startswith(f"{path}.") for other in rests), path
        if "items." not in path and "line_items" not in path:
            field_at(shape, path.partition(".")[0])


@pytest.mark.parametrize(
    ("platform", "name", "record", "path", "value"),
    [
        ("amazon_ads", "sponsored_products_campaign_report", amazon_day, "campaignBudgetAmount", "lots"),
        ("amplitude", "events", amplitude_event, "session_id", "s-1"),
        ("amplitude", "events", amplitude_event, "event_id", 1.5),
        ("bing_ads", "campaign_performance_report", bing_day, "Ctr", "--"),
        ("bing_ads", "campaign_performance_report", bing_day, "Revenue", "1,000.00"),
        ("facebook_ads", "facebook_insights", insight, "reach", "1.5"),
        ("google_ads", "ad_performance", ad_day, "metrics.interactions", "1.5"),
        ("google_analytics", "events", ga4_event, "event_bundle_sequence_id", "a-1"),
        ("google_analytics", "events", ga4_event, "items", [{"item_id": "1", "quantity": 1.52, "price": "3"}]),
        ("linkedin_ads", "campaigns", lambda number: {"id": number}, "dailyBudget", {"amount": "none"}),
        ("mixpanel", "events", mixpanel_event, "properties.mp_processing_time_ms", "later"),
        ("tiktok_ads", "ads_reports_daily", tiktok_day, "metrics.gross_revenue", "-"),
    ],
)
def test_a_value_that_no_number_needs_costs_no_record(
    sandbox: LandingFixture, platform: str, name: str, record: Made, path: str, value: object
) -> None:
    sandbox.write("a.jsonl", jsonl([record(1), changed(record(2), path, value)]))
    table = table_of(sandbox.land_of(platform, **{name: "a.jsonl"}), name)
    assert (table.rows, table.quarantined, table.drift) == (2, 0, ())


@pytest.mark.parametrize(
    ("platform", "name", "record", "path", "value"),
    [
        ("amazon_ads", "sponsored_products_campaign_report", amazon_day, "purchases7d", "-"),
        ("bing_ads", "campaign_performance_report", bing_day, "Spend", "1,000.00"),
        ("google_ads", "ad_performance", ad_day, "metrics.conversions", "many"),
        ("google_analytics", "events", ga4_event, "ecommerce", {"purchase_revenue": "dear"}),
        ("tiktok_ads", "ads_reports_daily", tiktok_day, "metrics.spend", "-"),
    ],
)
def test_a_value_that_a_number_needs_still_costs_its_record(
    sandbox: LandingFixture, platform: str, name: str, record: Made, path: str, value: object
) -> None:
    sandbox.write("a.jsonl", jsonl([record(1), changed(record(2), path, value)]))
    table = table_of(sandbox.land_of(platform, **{name: "a.jsonl"}), name)
    assert (table.rows, table.quarantined) == (1, 1)
