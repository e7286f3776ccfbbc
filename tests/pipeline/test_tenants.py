"""tenants.yaml: what a tenant may say, where it is merged from, and what the other packages read from it."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.blocks.generation import DOMAIN_PARAMETERS, FUNNEL, SAME, GenerationParameter
from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import DEFAULT_FUNNEL, Tenant
from pipeline.config.tenants_file import TenantsFile, check_ready, load_tenants
from pipeline.contracts.connector import Connector
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")
SOURCES = "{facebook_ads: {enabled: true}, shopify: {enabled: true}, google_analytics: {enabled: true}}"
ONE = f"tenants: [{{slug: acme, business_name: Acme, sources: {SOURCES}}}]"


def load(folder: Path, text: str, **more: str) -> TenantsFile:
    """The manifest of a folder with tenants.yaml and, by name, further files."""
    for name, content in {"tenants": text, **more}.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return load_tenants(folder / "tenants.yaml", CATALOG)


def tenant(folder: Path, **keys: object) -> Tenant:
    """One tenant, pending unless `keys` say otherwise."""
    words = {"slug": "acme", "business_name": "Acme", "status": "pending", **keys}
    (found,) = load(folder, yaml.safe_dump({"tenants": [words]}, sort_keys=False)).tenants
    return found


def analytics(**logic: object) -> dict[str, object]:
    return {"google_analytics": {"enabled": True, "tables": [{"name": "events", "logic": logic}]}}


def test_the_three_tenants_of_the_documents_are_here_and_active() -> None:
    manifest = load_tenants(ROOT / "tenants.yaml", CATALOG)
    assert {active.slug: [source.platform for source in active.enabled] for active in manifest.active} == {
        "stark_industries": ["facebook_ads", "instagram_ads", "mixpanel", "woocommerce"],
        "tyrell_corp": ["facebook_ads", "google_ads", "google_analytics", "instagram_ads", "shopify"],
        "wayne_enterprises": ["bigcommerce", "bing_ads", "google_ads", "google_analytics"],
    }
    tyrell = manifest.get("tyrell_corp")
    assert len(tyrell.funnel) == 5
    assert tyrell.conversion_pattern("facebook_ads") == "purchase"
    assert manifest.get("stark_industries").attribution_model == "last_non_direct"


def test_a_tenant_that_says_little_gets_the_documented_defaults(tmp_path: Path) -> None:
    (acme,) = load(tmp_path, ONE).active
    assert (acme.timezone, acme.currency, acme.week_start, acme.rates) == ("UTC", "USD", "monday", None)
    assert acme.funnel == DEFAULT_FUNNEL
    assert acme.conversion_events == ("purchase",)
    assert acme.attribution_model == "first_touch"
    assert (acme.sessions.gap_minutes, acme.sessions.gap) == (30, "30 minutes")
    assert acme.conversion_pattern("facebook_ads") is None
    (account,) = acme.source("shopify").accounts
    assert (account.name, account.read.kind, account.read.objects) == ("main", "synthetic", {})
    assert acme.objects("shopify") == ("products", "orders")


def test_a_source_is_off_until_it_is_enabled(tmp_path: Path) -> None:
    found = tenant(tmp_path, sources={"shopify": {}, "stripe": {"enabled": True}})
    assert [source.platform for source in found.enabled] == ["stripe"]


@pytest.mark.parametrize("domain", ["ads", "ecommerce", "analytics"])
def test_an_active_tenant_without_a_domain_is_refused_by_the_name_of_that_domain(tmp_path: Path, domain: str) -> None:
    names = {"ads": "facebook_ads", "ecommerce": "shopify", "analytics": "google_analytics"}
    with pytest.raises(ConfigError, match=f"acme has no enabled {domain} source") as caught:
        load(tmp_path, ONE.replace(f"{names[domain]}: {{enabled: true}}", f"{names[domain]}: {{enabled: false}}"))
    assert names[domain] in caught.value.fix
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tenants.yaml"]


@pytest.mark.parametrize(
    ("domains", "sources"),
    [
        (["ecommerce"], {"shopify", "stripe"}),
        ("ads", {"google_ads"}),
        (["analytics", "ads"], {"google_ads", "mixpanel"}),
        (["analytics", "ecommerce", "ads"], {"google_ads", "mixpanel", "shopify"}),
    ],
)
def test_a_tenant_needs_sources_of_the_domains_it_names_and_of_no_other(
    tmp_path: Path, domains: Any, sources: set[str]
) -> None:
    found = tenant(tmp_path, domains=domains, status="active", sources={key: {"enabled": True} for key in sources})
    assert found.domains == tuple(name for name in ("ads", "ecommerce", "analytics") if name in domains)
    with pytest.raises(ConfigError, match="acme has no enabled"):
        tenant(tmp_path, status="active", domains=domains)


def test_a_source_that_is_off_may_be_of_another_domain(tmp_path: Path) -> None:
    assert tenant(tmp_path, domains=["ecommerce"], sources={"mixpanel": {}}).analytics_source is None


def test_the_order_in_which_domains_are_named_changes_nothing(tmp_path: Path) -> None:
    one, other = (tenant(tmp_path, domains=named) for named in (["ads", "analytics"], ["analytics", "ads"]))
    every = tenant(tmp_path, domains=["analytics", "ads", "ecommerce"])
    assert one.fingerprint == other.fingerprint != every.fingerprint == tenant(tmp_path).fingerprint


def test_a_pending_tenant_may_wait_for_a_domain_and_for_connectors_and_is_not_ready_until_they_come(
    tmp_path: Path,
) -> None:
    unbuilt = Connector("carrier_pigeon", "ads", "v1", "carrier_pigeon_api_v1", ("letters",))
    waiting = tenant(tmp_path, sources={"shopify": {"enabled": True}})
    with pytest.raises(ConfigError, match="acme has no enabled ads source"):
        check_ready(waiting, CATALOG, location="here")
    (tmp_path / "tenants.yaml").write_text(ONE.replace("facebook_ads", "carrier_pigeon"), encoding="utf-8")
    with pytest.raises(ConfigError, match="acme enables carrier_pigeon, which is not built yet"):
        load_tenants(tmp_path / "tenants.yaml", {**CATALOG, "carrier_pigeon": unbuilt})


def test_several_accounts_of_one_platform_are_read_each_from_its_own_files(tmp_path: Path) -> None:
    accounts = {
        "us": {"currency": "USD", "read": {"kind": "files", "objects": {"orders": ["us/*.jsonl.gz", "us/old.csv"]}}},
        "eu": {"timezone": "Europe/Berlin", "read": {"kind": "files", "objects": {"orders": "/data/eu/*.parquet"}}},
    }
    eu, us = tenant(tmp_path, sources={"shopify": {"accounts": accounts}}).source("shopify").accounts
    assert (eu.name, eu.timezone, us.name, us.currency) == ("eu", "Europe/Berlin", "us", "USD")
    assert eu.read.objects == {"orders": ("/data/eu/*.parquet",)}
    assert us.read.objects == {"orders": (f"{tmp_path}/us/*.jsonl.gz", f"{tmp_path}/us/old.csv")}


def test_a_folder_whose_name_looks_like_a_pattern_is_taken_by_its_letters(tmp_path: Path) -> None:
    folder = tmp_path / "shop [1]"
    folder.mkdir()
    read = {"kind": "files", "objects": {"orders": "orders.csv"}}
    (account,) = tenant(folder, sources={"shopify": {"read": read}}).source("shopify").accounts
    (folder / "orders.csv").touch()
    (pattern,) = account.read.objects["orders"]
    assert list(Path("/").glob(pattern.removeprefix("/"))) == [folder / "orders.csv"]


def test_paths_start_from_the_file_that_declares_them(tmp_path: Path) -> None:
    source = "{shopify: {read: {kind: files, objects: {orders: orders.csv}}}}"
    included = f"tenants: [{{slug: acme, business_name: Acme, status: pending, sources: {source}}}]"
    manifest = load(tmp_path, "include: [houses/*.yaml]", houses__acme=included)
    (account,) = manifest.get("acme").source("shopify").accounts
    assert account.read.objects == {"orders": (f"{tmp_path}/houses/orders.csv",)}
    assert manifest.locations == {"acme": f"{tmp_path}/houses/acme.yaml:1"}


def test_defaults_lie_under_every_tenant_and_its_own_words_win(tmp_path: Path) -> None:
    text = """
defaults:
  timezone: Europe/Berlin
  sources: {shopify: {generation: {product_count: 7, aov_mean: 10}}}
  semantic: {expose: [customer_email]}
tenants:
  - {slug: one, business_name: One, status: pending, sources: {shopify: {generation: {product_count: 9}}}}
  - {slug: two, business_name: Two, status: pending, timezone: Asia/Tokyo, semantic: {expose: []}}
"""
    one, two = load(tmp_path, text).tenants
    assert (one.timezone, two.timezone) == ("Europe/Berlin", "Asia/Tokyo")
    assert one.source("shopify").generation == {"aov_mean": 10, "product_count": 9}
    assert two.source("shopify").generation == {"aov_mean": 10, "product_count": 7}
    assert (one.semantic, two.semantic) == ({"expose": ["customer_email"]}, {"expose": []})


def test_anchors_and_merge_keys_say_a_thing_once(tmp_path: Path) -> None:
    text = """
tenants:
  - &shared {slug: one, business_name: One, status: pending, timezone: Europe/Paris}
  - {<<: *shared, slug: two}
"""
    assert [found.timezone for found in load(tmp_path, text).tenants] == ["Europe/Paris", "Europe/Paris"]


def test_a_shop_names_the_attributes_that_keep_its_payment_ids(tmp_path: Path) -> None:
    logic = {"charge_id_attributes": ["payment", "Payment Id"]}
    acme = tenant(tmp_path, sources={"shopify": {"tables": [{"name": "orders", "logic": logic}]}})
    assert acme.source("shopify").logic("charge_id_attributes") == [["payment", "Payment Id"]]


def test_words_that_old_yaml_takes_for_flags_and_hours_are_text(tmp_path: Path) -> None:
    text = """
tenants:
  - slug: acme
    business_name: no
    status: pending
    sources:
      mixpanel: {tables: [{name: events, logic: {conversion_events: [on, 12:30, 2026-01-01, 007]}}]}
"""
    (acme,) = load(tmp_path, text).tenants
    assert acme.business_name == "no"
    assert acme.source("mixpanel").logic("conversion_events") == [["on", "12:30", "2026-01-01", "007"]]


def test_conversions_and_funnel_are_those_of_the_analytics_source_that_feeds_sessions(tmp_path: Path) -> None:
    own = {"conversion_events": ["sign_up"], "funnel_steps": ["visit", "form", "sign_up"]}
    other = {"mixpanel": {"enabled": True, "tables": [{"name": "events", "logic": {"conversion_events": "order"}}]}}
    acme = tenant(tmp_path, analytics="google_analytics", sources={**other, **analytics(**own)})
    assert acme.analytics_source == "google_analytics"
    assert (acme.conversion_events, acme.funnel) == (("sign_up",), ("visit", "form", "sign_up"))
    acme = tenant(tmp_path, analytics="mixpanel", sources={**other, **analytics(**own)})
    assert (acme.conversion_events, acme.funnel) == (("order",), DEFAULT_FUNNEL)


def test_a_funnel_may_name_its_steps_apart_from_their_events(tmp_path: Path) -> None:
    steps = {"landing": "session_start", "interest": ["view_item", "view_item_list"], "order": "purchase"}
    acme = tenant(tmp_path, sources=analytics(funnel_steps=steps))
    assert acme.funnel == ("landing", "interest", "order")
    assert acme.funnel_events["interest"] == ("view_item", "view_item_list")


def test_filters_are_kept_as_rules_and_hostile_text_stays_a_value(tmp_path: Path) -> None:
    rules = [
        {"field": "test", "op": "=", "value": False},
        {"field": "name", "op": "in", "value": ["' or 1=1 --", "a"]},
        {"field": "email", "op": "is_null"},
        {"field": "total_price", "op": "between", "value": [1, 2.5]},
        {"field": "gateway", "op": "!=", "value": ""},
    ]
    tables = [{"name": "orders", "logic": {"filters": rules}}]
    acme = tenant(tmp_path, sources={"shopify": {"tables": tables}})
    assert acme.source("shopify").tables == {"orders": {"filters": rules}}


def test_semantic_and_attribution_are_kept_as_plain_words(tmp_path: Path) -> None:
    semantic = {
        "metrics": {
            "profit_ratio": {"expression": "(order_revenue - spend) / spend", "unit": "ratio", "description": "Why."},
            "cac": {"hidden": True},
        },
        "dimensions": {"geo_country": {"label": "Country"}},
        "expose": ["customer_email"],
    }
    row = {"source": " TikTok ", "medium": "Paid", "ad_platform": "tiktok_ads"}
    acme = tenant(tmp_path, semantic=semantic, attribution={"platforms": [row]})
    assert acme.semantic == semantic
    assert acme.attribution == {"platforms": [{"source": "tiktok", "medium": "paid", "ad_platform": "tiktok_ads"}]}


@pytest.mark.parametrize("name", ["posix/UTC", "right/UTC", "posixrules", "localtime", "Factory", "America", "utc+1"])
def test_a_file_of_the_zone_folder_that_names_no_place_is_no_time_zone(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="which is no IANA time zone"):
        tenant(tmp_path, timezone=name)


def test_a_rates_file_is_found_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").touch()
    assert tenant(tmp_path, rates="rates.csv").rates == tmp_path / "rates.csv"


def test_a_tenant_that_does_not_exist_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has no tenant named 'acmee'\. Did you mean acme\?"):
        load(tmp_path, ONE).get("acmee")


def test_a_tenant_is_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        tenant(tmp_path).currency = "EUR"  # type: ignore[misc]  # the point of the test


def test_the_fingerprint_changes_with_every_word_that_matters_and_with_the_order_of_the_funnel(tmp_path: Path) -> None:
    variants: list[dict[str, Any]] = [
        {},
        {"timezone": "Asia/Tokyo"},
        {"sessions": {"gap_minutes": 45}},
        {"sources": {"shopify": {"enabled": True}}},
        {"sources": {"shopify": {"enabled": True, "generation": {"product_count": 9}}}},
        {"sources": analytics(funnel_steps=["a", "b"])},
        {"sources": analytics(funnel_steps=["b", "a"])},
        {"semantic": {"expose": ["customer_email"]}},
    ]
    prints = [tenant(tmp_path, **words).fingerprint for words in variants]
    assert len(set(prints)) == len(variants)
    assert prints == [tenant(tmp_path, **words).fingerprint for words in variants]


def test_a_copy_of_everything_in_another_folder_has_the_same_star_and_another_reading_has_not(tmp_path: Path) -> None:
    def star_of(folder: str, currency: str = "EUR", **read: object) -> str:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "rates.csv").touch()
        reads = {"kind": "files", "objects": {"orders": "shop/*.jsonl"}, **read}
        shopify = {"shopify": {"enabled": True, "read": reads}}
        return tenant(tmp_path / folder, rates="rates.csv", currency=currency, sources=shopify).star_fingerprint

    assert star_of("here") == star_of("there") == star_of("there", objects={"orders": "moved/*.jsonl"})
    assert len({star_of("here"), star_of("here", "USD"), star_of("here", exported_at="_(.*)\\.")}) == 3


def numbers(parameter: GenerationParameter) -> st.SearchStrategy[float]:
    whole = st.integers(int(parameter.low) + 1, int(parameter.high))
    return whole if parameter.whole or parameter.high > 1 else st.floats(parameter.low, parameter.high)


def sources_of(domain: str, one: bool) -> st.SearchStrategy[dict[str, dict[str, object]]]:
    parameters = {name: numbers(parameter) for name, parameter in DOMAIN_PARAMETERS[domain].items() if name not in SAME}
    if domain == "analytics":
        parameters["funnel"] = st.fixed_dictionaries(
            {}, optional={name: numbers(parameter) for name, parameter in FUNNEL.items()}
        )
    read = st.fixed_dictionaries({"kind": st.just("synthetic")})
    accounts = st.dictionaries(NAMES, st.fixed_dictionaries({}, optional={"read": read}), min_size=1, max_size=2)
    source = st.fixed_dictionaries(
        {"enabled": st.booleans()},
        optional={"generation": st.fixed_dictionaries({}, optional=parameters), "accounts": accounts},
    )
    names = [name for name, connector in CATALOG.items() if connector.domain == domain]
    return st.dictionaries(st.sampled_from(names), source, max_size=1 if one else 3)


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"con", "prn", "aux", "nul"} and name[:3] not in {"com", "lpt"}
)
TENANTS = st.fixed_dictionaries(
    {
        "slug": NAMES.filter(lambda name: not name.endswith("_staging")),
        "business_name": st.from_regex(r"[A-Z][A-Za-z0-9 &'.,-]{2,20}[a-z]", fullmatch=True),
        "status": st.sampled_from(["pending", "onboarding", "offboarded"]),
        "sources": st.tuples(
            sources_of("ads", one=False), sources_of("ecommerce", one=False), sources_of("analytics", one=True)
        ).map(lambda parts: {**parts[0], **parts[1], **parts[2]}),
    },
    optional={
        "timezone": st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles"]),
        "currency": st.sampled_from(["EUR", "JPY"]),
        "week_start": st.sampled_from(["monday", "sunday", "saturday"]),
    },
)


@settings(deadline=None)
@given(
    st.lists(TENANTS, min_size=1, max_size=4, unique_by=lambda words: words["slug"]),
    st.randoms(use_true_random=False),
    st.integers(0, 3),
)
def test_the_order_of_tenants_and_the_files_they_are_split_over_change_nothing(
    everyone: list[dict[str, Any]], shuffler: random.Random, parts: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        together = load(Path(folder), yaml.safe_dump({"tenants": everyone}))
        mixed = shuffler.sample(everyone, len(everyone))
        root: dict[str, Any] = {"tenants": mixed[parts:]}
        files = {f"part_{n}": yaml.safe_dump({"tenants": [words]}) for n, words in enumerate(mixed[:parts])}
        if files:
            root["include"] = ["part_*.yaml"]
        apart = load(Path(folder), yaml.safe_dump(root, sort_keys=False), **files)
    assert apart.tenants == together.tenants
    assert [one.fingerprint for one in apart.tenants] == [one.fingerprint for one in together.tenants]
    assert [one.slug for one in apart.tenants] == sorted(words["slug"] for words in everyone)
