"""Table logic of tenants.yaml: filters that fit their fields, and keys that are refused where nothing reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.blocks.filter_rules import BARE, OPERATORS, leaf_at, written_as
from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import load_tenants
from pipeline.contracts.fields import Leaf, shape_of
from pipeline.contracts.meaning import DESCRIPTIONS, Meaning
from pipeline.errors import ConfigError

CATALOG = load_catalog(Path(__file__).resolve().parents[2] / "supported_connectors.yaml")
Json = dict[str, Any]


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """A pending tenant with the logic of one table."""

    def make(platform: str, table: str, **logic: Any) -> Tenant:
        sources = {platform: {"enabled": True, "tables": [{"name": table, "logic": logic}]}}
        words = {"slug": "acme", "business_name": "Acme", "status": "pending", "sources": sources}
        path = tmp_path / "tenants.yaml"
        path.write_text(yaml.safe_dump({"tenants": [words]}, sort_keys=False), encoding="utf-8")
        (tenant,) = load_tenants(path, CATALOG).tenants
        return tenant

    return make


def rule(field: str, op: str, value: object = None) -> Json:
    return {"field": field, "op": op} | ({} if op in BARE else {"value": value})


FITTING = [
    ("shopify", "orders", rule("financial_status", "=", "paid")),
    ("shopify", "orders", rule("email", "!=", "")),
    ("shopify", "orders", rule("email", "contains", "@example.com")),
    ("shopify", "orders", rule("total_price", ">=", 12.5)),
    ("shopify", "orders", rule("total_price", "between", ["-1", "2.5"])),
    ("shopify", "orders", rule("test", "=", False)),
    ("shopify", "orders", rule("created_at", ">", "2026-01-05")),
    ("shopify", "orders", rule("created_at", "<=", "2026-01-05T10:00:00+02:00")),
    ("shopify", "orders", rule("customer.id", "not_in", [1, 2])),
    ("google_analytics", "events", rule("event_timestamp", "between", ["2026-01-01", "2026-01-31"])),
    ("google_analytics", "events", rule("event_date", "=", "2026-01-05")),
    ("google_analytics", "events", rule("geo.country", "is_not_null")),
    ("google_analytics", "events", rule("device.web_info.hostname", "starts_with", "shop.")),
    ("mixpanel", "events", rule("properties.$os", "in", ["iOS", "Android"])),
    ("mixpanel", "events", rule("properties.time", "<", "2026-01-05 10:00:00")),
    ("google_ads", "ad_performance", rule("metrics.costMicros", ">", 1.5)),
]


@pytest.mark.parametrize(("platform", "table", "wanted"), FITTING)
def test_a_rule_is_kept_as_it_is_written(load: Any, platform: str, table: str, wanted: Json) -> None:
    tenant = load(platform, table, filters=[wanted])
    assert tenant.source(platform).tables == {table: {"filters": [wanted]}}
    leaf = leaf_at(shape_of(CATALOG[platform].contracts[table]), wanted["field"])
    assert isinstance(leaf, Leaf)


MISFITS = [
    ("shopify", "orders", rule("emial", "is_null"), "has no field named 'emial'. Did you mean email?"),
    ("shopify", "orders", rule("customer.idd", "is_null"), "has no field named 'customer.idd'. Did you mean id?"),
    ("shopify", "orders", rule("email.domain", "is_null"), "has no field named 'email.domain'"),
    ("shopify", "orders", rule("customer", "is_null"), "customer of shopify orders is an object"),
    ("shopify", "orders", rule("line_items", "is_null"), "line_items of shopify orders is a list"),
    ("shopify", "orders", rule("line_items.sku", "=", "A"), "line_items of shopify orders is a list"),
    ("shopify", "orders", rule("total_price", "contains", "9"), "contains does not go with total_price"),
    ("shopify", "orders", rule("test", ">", True), "> does not go with test, which is true or false"),
    ("shopify", "orders", rule("total_price", ">", "much"), "value is 'much', not a number below 10^12"),
    ("shopify", "orders", rule("total_price", ">", True), "value is True, not a number"),
    ("shopify", "orders", rule("total_price", "=", ""), "value is '', not a number"),
    ("shopify", "orders", rule("test", "=", "no"), "value is 'no', not true or false"),
    ("shopify", "orders", rule("email", "=", 5), "value is 5, not text"),
    ("shopify", "orders", rule("email", "=", ["a"]), "value is a list, not text"),
    ("shopify", "orders", rule("email", "=", "{{ env_var('X') }}"), "which dbt takes for a template"),
    ("shopify", "orders", rule("email", "=", "a\x00b"), "control character"),
    ("shopify", "orders", rule("created_at", ">", "2026-02-30"), "value is '2026-02-30', not"),
    ("shopify", "orders", rule("created_at", ">", "tomorrow"), "value is 'tomorrow', not a time with seconds"),
    ("shopify", "orders", rule("created_at", "in", ["2026-01-05", "2026-01-05T10:00:00Z"]), "given days and times"),
    (
        "shopify",
        "orders",
        rule("total_price", "between", [2, 1]),
        "between is given 2 and 1. Write the lower one first.",
    ),
    ("shopify", "orders", rule("total_price", "in", []), "in is given a list of 0"),
    ("google_analytics", "events", rule("event_date", "=", 20260105), "value is 20260105, not a date"),
    (
        "google_analytics",
        "events",
        rule("event_params.value", "is_null"),
        "event_params of google_analytics events is a list",
    ),
]


@pytest.mark.parametrize(("platform", "table", "wrong", "sentence"), MISFITS)
def test_a_rule_that_does_not_fit_is_refused_with_its_line(
    load: Any, platform: str, table: str, wrong: Json, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(platform, table, filters=[wrong])
    assert sentence in str(caught.value)
    assert "tenants.yaml:" in caught.value.what


@pytest.mark.parametrize("op", OPERATORS)
def test_every_operator_goes_with_texts(load: Any, op: str) -> None:
    value = {"in": ["a"], "not_in": ["a"], "between": ["a", "b"]}.get(op, "a")
    assert load("shopify", "orders", filters=[rule("email", op, value)])


def test_every_meaning_of_a_field_can_be_written() -> None:
    written = {meaning: written_as(meaning, "x") for meaning in Meaning}
    assert written[Meaning.MICROS] is Meaning.DECIMAL
    assert {written[meaning] for meaning in Meaning if "epoch" in meaning} == {Meaning.UTC_TIME}
    assert {written_as(meaning, "2026-01-05") for meaning in Meaning if "time" in DESCRIPTIONS[meaning][:7]} == {
        Meaning.DATE
    }


@pytest.mark.parametrize(
    ("platform", "table", "key", "value", "domain"),
    [
        ("shopify", "orders", "goal", "leads", "ads"),
        ("google_analytics", "events", "target_cpa", 45, "ads"),
        ("facebook_ads", "facebook_insights", "purchase_events", ["purchase"], "analytics"),
        ("shopify", "orders", "conversion_events", ["purchase"], "analytics"),
        ("mixpanel", "events", "conversion_event_pattern", "purchase", "ads"),
    ],
)
def test_logic_is_refused_where_nothing_reads_it(
    load: Any, platform: str, table: str, key: str, value: object, domain: str
) -> None:
    with pytest.raises(ConfigError, match=f"{key} changes nothing for {platform}") as caught:
        load(platform, table, **{key: value})
    assert f"table of an {domain} source" in caught.value.fix


def test_a_pattern_is_refused_by_ads_reports_that_name_no_conversions(load: Any) -> None:
    assert load("instagram_ads", "facebook_insights", conversion_event_pattern="purchase")
    with pytest.raises(ConfigError, match="reports count conversions without naming them"):
        load("google_ads", "ad_performance", conversion_event_pattern="purchase")


def test_purchases_are_those_the_tenant_names_for_the_source_that_feeds_sessions(load: Any) -> None:
    assert load("mixpanel", "events", purchase_events="Bestellung").purchase_events == ("Bestellung",)
    assert load("mixpanel", "events", conversion_events="sign_up").purchase_events == ()
