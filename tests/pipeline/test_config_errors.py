"""Every known way to get tenants.yaml wrong, and the exact sentences of the answer: tests/golden/config_errors.txt."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenants_file import load_tenants
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")


def tenant(*lines: str) -> str:
    """A file of one pending tenant, `lines` beside its names (line 5 on)."""
    return "\n".join(
        [
            "tenants:",
            "  - slug: acme",
            "    business_name: Acme",
            "    status: pending",
            *(f"    {x}" for x in lines),
            "",
        ]
    )


def source(platform: str, *lines: str) -> str:
    """The same with one source, `lines` under it (line 7 on)."""
    return tenant("sources:", f"  {platform}:", *(f"    {line}" for line in lines))


def logic(platform: str, table: str, *lines: str) -> str:
    """The same with the logic of one table, `lines` under it (line 10 on)."""
    return source(platform, "tables:", f"  - name: {table}", "    logic:", *(f"      {line}" for line in lines))


def files(*lines: str) -> str:
    """The same with the files of a shop, `lines` under `read` (line 9 on)."""
    return source("shopify", "read:", "  kind: files", *(f"  {line}" for line in lines))


GOOD = "tenants:\n  - {slug: other, business_name: Other, status: pending}\n"


def metric(said: str) -> str:
    """A tenant with a metric `x` of its own."""
    return tenant(f"semantic: {{metrics: {{x: {{{said}}}}}}}")


BAD: dict[str, str] = {
    # the file itself
    "an empty file": "# nothing yet\n",
    "a tab": tenant("sources:", "\tshopify: {}"),
    "a quote that never ends": tenant("timezone: 'UTC"),
    "a key twice": tenant("currency: EUR", "currency: USD"),
    "a key twice in a flow mapping": tenant("sources: {shopify: {}, shopify: {}}"),
    "an alias of nothing": tenant("sources: *mine"),
    "an alias inside itself": tenant("semantic: &mine {metrics: *mine}"),
    "a tag": tenant("timezone: !!python/object/apply:os.system [ls]"),
    "two documents": GOOD + "---\n" + GOOD,
    "nested without end": tenant("semantic: " + "[" * 60 + "]" * 60),
    "a list where a mapping stands": "- slug: acme\n",
    "neither tenants nor include": "defaults: {}\n",
    "a misspelt key of the file": "tenant: []\n",
    # tenants
    "no slug": "tenants:\n  - business_name: Acme\n",
    "a slug that is a path": GOOD.replace("other", "../../etc"),
    "a slug with capitals": GOOD.replace("slug: other", "slug: Other"),
    "a slug that is SQL": GOOD.replace("other", '"x; drop schema main"'),
    "a slug that is too long": GOOD.replace("other", "o" * 41),
    "a slug of a device": GOOD.replace("other", "nul"),
    "a slug of the loader": GOOD.replace("other", "acme_staging"),
    "a slug that is a number": GOOD.replace("other", "42"),
    "a slug twice": GOOD + GOOD.removeprefix("tenants:\n"),
    "a slug twice over files": "include: more.yaml\n" + GOOD,
    "a slug in defaults": "defaults: {slug: acme}\n" + GOOD,
    "an empty name": "tenants:\n  - slug: acme\n    business_name:\n",
    "a name that is a template": GOOD.replace("business_name: Other", "business_name: 'a {{ env_var() }}'"),
    "a misspelt key of a tenant": tenant("time_zone: UTC"),
    "a misspelt status": GOOD.replace("pending", "activ"),
    "a misspelt time zone": tenant("timezone: Europe/Berlim"),
    "a time zone that is a path": tenant("timezone: ../../etc/passwd"),
    "a misspelt currency": tenant("currency: usd"),
    "a currency that is none": tenant("currency: EURO"),
    "a misspelt first day of the week": tenant("week_start: tuesday"),
    "a misspelt key of sessions": tenant("sessions: {gap_minute: 45}"),
    "sessions that are a number": tenant("sessions: 45"),
    "a gap of nothing": tenant("sessions: {gap_minutes: 0}"),
    "a gap of more than a day": tenant("sessions: {gap_minutes: 1441}"),
    "half a minute": tenant("sessions: {gap_minutes: 30.5}"),
    "a gap that is text": tenant("sessions: {gap_minutes: 30m}"),
    "a gap left empty": tenant("sessions: {gap_minutes: }"),
    "a rates file that is not there": tenant("rates: rates.csv"),
    "an included file that is not there": "include: [tenant/*.yaml]\n" + GOOD,
    "a file that includes itself": "include: ['*.yaml']\n" + GOOD,
    "an included file with keys of its own": "include: defaults.yaml\n" + GOOD,
    # sources
    "a misspelt connector": tenant("sources: {shopfy: {enabled: true}}"),
    "a source with nothing under it": tenant("sources:", "  shopify:"),
    "a misspelt key of a source": source("shopify", "enable: true"),
    "a flag that is a word": source("shopify", "enabled: yes"),
    "a last day that is no day": source("shopify", "ended: soon"),
    "logic beside tables": source("shopify", "logic: {goal: growth}"),
    "an active tenant without analytics": source("shopify", "enabled: true", "generation: {}", "accounts: {eu: {}}")
    .replace("pending", "active")
    .replace("  sources:", "  sources:\n      facebook_ads: {enabled: true}"),
    "an active tenant without any source": GOOD.replace("pending", "active"),
    "an active tenant without one of two domains": tenant(
        "domains: [ecommerce, ads]", "sources: {shopify: {enabled: true}}"
    ).replace("pending", "active"),
    "a misspelt domain": tenant("domains: [ecomerce]"),
    "a domain twice": tenant("domains: [ads, ads]"),
    "no domains": tenant("domains: []"),
    "empty domains": tenant("domains:"),
    "domains of payments": tenant("domains: [ecommerce, payments]"),
    "domains that are a mapping": tenant("domains: {ads: true}"),
    "a source of another domain": tenant(
        "domains: [ecommerce]", "sources:", "  shopify: {enabled: true}", "  mixpanel: {enabled: true}"
    ),
    "payments without orders": tenant("domains: [ads]", "sources: {stripe: {enabled: true}}"),
    "two analytics sources": tenant("sources: {mixpanel: {enabled: true}, google_analytics: {enabled: true}}"),
    "an analytics source that is not enabled": tenant("analytics: mixpanel", "sources: {mixpanel: {}}"),
    "an analytics source that is a shop": tenant(
        "analytics: shopify", "sources: {shopify: {enabled: true}, mixpanel: {enabled: true}}"
    ),
    # accounts and files
    "an account with a bad name": source("shopify", "accounts: {EU-shop: {}}"),
    "no accounts": source("shopify", "accounts: {}"),
    "read beside accounts": source("shopify", "accounts: {eu: {}}", "read: {kind: synthetic}"),
    "two accounts of the same files": source(
        "shopify",
        "accounts:",
        "  us: {read: {kind: files, objects: {orders: orders.csv}}}",
        "  eu: {read: {kind: files, objects: {orders: ./orders.csv}}}",
    ),
    "a misspelt object": files("objects: {order: orders.csv}"),
    "files without objects": files("exported_at: '(.*)'"),
    "objects of synthetic data": source("shopify", "read: {objects: {orders: orders.csv}}"),
    "an api": source("shopify", "read: {kind: api}"),
    "a misspelt kind": source("shopify", "read: {kind: file}"),
    "an address for a file": files("objects: {orders: 's3://bucket/orders.csv'}"),
    "an empty list of files": files("objects: {orders: []}"),
    "a time that does not compile": files("objects: {orders: orders.csv}", "exported_at: 'orders_(\\d+'"),
    "a time without a group": files("objects: {orders: orders.csv}", "exported_at: 'orders_\\d+'"),
    "a time of two groups": files("objects: {orders: orders.csv}", "exported_at: '(\\d+)-(\\d+)'"),
    "a delivery without a group": files("objects: {orders: orders.csv}", "delivery: 'pull_\\d+'"),
    "days of three groups": files("objects: {orders: orders.csv}", "covers: '(\\d+)-(\\d+)-(\\d+)'"),
    "days that do not compile": files("objects: {orders: orders.csv}", "covers: '(\\d+'"),
    "days of synthetic data": source("shopify", "read: {covers: '(\\d+)'}"),
    "a bronze without a folder": source("shopify", "read: {kind: bronze}"),
    "a bronze with a time": source("shopify", "read: {kind: bronze, folder: b, exported_at: '(\\d+)'}"),
    # levers
    "a misspelt lever": source("facebook_ads", "generation: {daily_spend: 5}"),
    "a lever that does nothing here": source("facebook_ads", "generation: {product_count: 5}"),
    "a lever out of range": source("google_analytics", "generation: {conversion_rate: 2}"),
    "a lever that is text": source("google_analytics", "generation: {conversion_rate: 2%}"),
    "half a campaign": source("facebook_ads", "generation: {campaign_count: 2.5}"),
    "one lever by two names": source("shopify", "generation: {aov_mean: 5, avg_order_value: 6}"),
    "a misspelt step of the funnel": source("google_analytics", "generation: {funnel: {view_to_card: 0.5}}"),
    # logic
    "a misspelt table": logic("google_analytics", "event", "goal: x"),
    "a table twice": source("shopify", "tables: [{name: orders}, {name: orders}]"),
    "a misspelt logic key": logic("google_analytics", "events", "funnel_step: [a]"),
    "a funnel of a shop": logic("shopify", "orders", "funnel_steps: [a]"),
    "an empty funnel": logic("google_analytics", "events", "funnel_steps: []"),
    "a step twice": logic("google_analytics", "events", "funnel_steps: [a, b, a]"),
    "a step with a bad name": logic("google_analytics", "events", "funnel_steps: {Step One: a}"),
    "an unknown attribution model": logic("facebook_ads", "facebook_insights", "attribution_model: last_click"),
    "two attribution models": tenant(
        "sources:",
        "  shopify: {enabled: true, tables: [{name: orders, logic: {attribution_model: first_touch}}]}",
        "  mixpanel: {enabled: true, tables: [{name: events, logic: {attribution_model: last_non_direct}}]}",
    ),
    "payment ids in notes of a shop without notes": logic("woocommerce", "orders", "charge_id_attributes: [payment]"),
    "payment ids in notes of no shop": logic("mixpanel", "events", "charge_id_attributes: [payment]"),
    "two patterns of one platform": source(
        "facebook_ads",
        "tables:",
        "  - {name: facebook_insights, logic: {conversion_event_pattern: purchase}}",
        "  - {name: ads, logic: {conversion_event_pattern: lead}}",
    ),
    "a filter on a misspelt field": logic("shopify", "orders", "filters: [{field: emial, op: is_null}]"),
    "a filter with a misspelt op": logic("shopify", "orders", "filters: [{field: email, op: like, value: a}]"),
    "a filter that is SQL": logic("shopify", "orders", "filters: [\"email = 'a'\"]"),
    "a filter without a value": logic("shopify", "orders", "filters: [{field: email, op: '='}]"),
    "a filter with a value too many": logic("shopify", "orders", "filters: [{field: id, op: is_null, value: 1}]"),
    "a filter between one": logic("shopify", "orders", "filters: [{field: id, op: between, value: [1]}]"),
    # semantic and attribution
    "a misspelt key of semantic": tenant("semantic: {metric: {}}"),
    "a metric that is SQL": tenant("semantic: {metrics: {roi: {expression: 'sum(spend)'}}}"),
    "a metric that does not parse": tenant("semantic: {metrics: {roi: {expression: 'spend /'}}}"),
    "a metric with a bad name": tenant("semantic: {metrics: {ROI: {hidden: true}}}"),
    "a metric that says nothing": tenant("semantic: {metrics: {roi: {}}}"),
    "a unit without an expression": tenant("semantic: {metrics: {roas: {unit: ratio}}}"),
    "a metric made in two ways": metric("expression: spend, metric: spend"),
    "an aggregate of nothing": metric("aggregate: sum"),
    "a fact without an aggregate": metric("fact: orders, column: total_price"),
    "a sum without a column": metric("fact: orders, aggregate: sum"),
    "a count of a column": metric("fact: orders, aggregate: count, column: total_price"),
    "an aggregate that there is not": metric("fact: orders, column: total_price, aggregate: mean"),
    "a percentile of all": metric("fact: orders, column: total_price, aggregate: p100"),
    "a metric of some rows without filters": metric("metric: spend"),
    "a metric of some rows with no filter": metric("metric: spend, filters: []"),
    "a metric of some rows with a unit": metric("metric: spend, unit: EUR, filters: [{name: ad_id, op: is_null}]"),
    "a filter of an expression": metric("expression: spend, filters: [{name: ad_id, op: is_null}]"),
    "a filter of a metric without a name": metric("metric: spend, filters: [{op: is_null}]"),
    "a filter of a metric by field": metric("metric: spend, filters: [{field: ad_id, value: 1}]"),
    "a filter of a metric that is no operator": metric("metric: spend, filters: [{name: ad_id, op: like, value: 1}]"),
    "a filter of a metric with a value too many": metric(
        "metric: spend, filters: [{name: ad_id, op: is_null, value: 1}]"
    ),
    "a filter of a metric between one": metric("metric: spend, filters: [{name: date, op: between, value: [a]}]"),
    "a filter of a metric in a mapping": metric("metric: spend, filters: [{name: ad_id, value: {a: 1}}]"),
    "a metric of the tenant renamed": metric("expression: spend * 2, rename: double"),
    "a synonym that is a number": metric("synonyms: [1]"),
    "a dimension with an expression": tenant("semantic: {dimensions: {ad: {expression: upper}}}"),
    "an attribution to no ads platform": tenant(
        "attribution: {platforms: [{source: x, medium: y, ad_platform: shopify}]}"
    ),
    "an attribution to two platforms": tenant(
        "attribution:",
        "  platforms:",
        "    - {source: x, medium: y, ad_platform: bing_ads}",
        "    - {source: X, medium: y, ad_platform: google_ads}",
    ),
    "a channel without visits": tenant("channels: [{channel: Partners}]"),
    "a channel without a name": tenant("channels: [{source: partner}]"),
    "a channel by a misspelt part": tenant("channels: [{channel: Partners, sorce: partner}]"),
    "a channel of no text": tenant("channels: [{channel: Partners, source: []}]"),
    "two channels of the same visits": tenant(
        "channels: [{channel: Partners, source: A}, {channel: Friends, source: a}]"
    ),
}


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ConfigError]:
    """What a file in an otherwise good folder is refused with."""
    monkeypatch.chdir(tmp_path)
    Path("more.yaml").write_text(GOOD, encoding="utf-8")
    Path("defaults.yaml").write_text("defaults: {}\n" + GOOD, encoding="utf-8")

    def refuse(text: str) -> ConfigError:
        Path("tenants.yaml").write_text(text, encoding="utf-8")
        try:
            return load_tenants(Path("tenants.yaml"), CATALOG).refused[-1].error
        except ConfigError as error:
            return error

    return refuse


def test_every_wrong_file_is_answered_with_the_sentences_we_reviewed(
    refusal: Callable[[str], ConfigError], golden: Callable[[str, str], None], tmp_path: Path
) -> None:
    answers = (f"{label}\n    {refusal(text).what}\n    {refusal(text).fix}\n" for label, text in BAD.items())
    golden("config_errors.txt", "\n".join(answers).replace(str(tmp_path), "/folder"))


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_wrong_file_is_refused_in_two_short_sentences_with_its_line(
    refusal: Callable[[str], ConfigError], text: str
) -> None:
    error = refusal(text)
    assert re.match(r"\w+\.yaml(:\d+:| is empty)", error.what)
    assert error.what.endswith(".")
    assert error.fix.endswith((".", "?"))
    assert len(str(error)) < 600


@pytest.mark.parametrize("name", ["missing.yaml", "folder", "latin.yaml", "locked.yaml"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.yaml").write_bytes("business_name: Café".encode("latin-1"))
    (tmp_path / "locked.yaml").symlink_to(tmp_path / "locked.yaml")
    with pytest.raises(ConfigError, match=name):
        load_tenants(tmp_path / name, CATALOG)
