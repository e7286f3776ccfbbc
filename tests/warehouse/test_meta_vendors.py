"""Meta is one vendor with two sources: each row counts for its platform, and no ad's day twice without a word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from pipeline.config.tenant import Tenant
from tests.warehouse.ads_reports import counted
from tests.warehouse.engine_fixture import BLUEPRINTS, CATALOG, Answer, a_source, run_engine
from warehouse.projects.engines import engines_like, engines_of
from warehouse.projects.unit_tests import unit_tests

REPORT = "engine_facebook_ads_ad_performance"
Json = dict[str, Any]


def insight(ad: str, spend: str, *, day: str = "2026-01-05", **more: Any) -> Json:
    ids = {"account_id": "1", "campaign_id": "c1", "adset_id": "s1", "ad_id": ad}
    return ids | {"date_start": day, "date_stop": day, "spend": spend} | more


def report(platform: str, *rows: Json) -> Answer:
    return run_engine(REPORT, {"facebook_insights": list(rows)}, platform=platform)


def test_instagram_shares_contracts_and_engines_with_facebook() -> None:
    instagram, facebook = CATALOG["instagram_ads"], CATALOG["facebook_ads"]
    assert instagram.contracts == facebook.contracts
    assert engines_like(instagram.reads_as) == engines_like("facebook_ads") != ()
    assert instagram.is_built


@pytest.mark.parametrize(
    ("source", "publisher", "platform"),
    [
        ("instagram_ads", None, "instagram_ads"),
        ("instagram_ads", "instagram", "instagram_ads"),
        ("instagram_ads", "INSTAGRAM", "instagram_ads"),
        ("instagram_ads", "facebook", "facebook_ads"),
        ("facebook_ads", None, "facebook_ads"),
        ("facebook_ads", "facebook", "facebook_ads"),
        ("facebook_ads", "audience_network", "facebook_ads"),
        ("facebook_ads", "instagram", "instagram_ads"),
    ],
)
def test_a_row_counts_for_the_platform_it_names_else_for_its_source(
    source: str, publisher: str | None, platform: str
) -> None:
    named = {"publisher_platform": publisher} if publisher else {}
    (row,) = report(source, insight("a1", "4", **named))
    assert (row["source_platform"], row["spend"], row["is_counted"]) == (platform, 4, True)


def test_one_delivery_of_several_platforms_is_shared_out_and_adds_up() -> None:
    rows = report(
        "instagram_ads",
        insight("a1", "4", publisher_platform="instagram"),
        insight("a1", "3", publisher_platform="facebook"),
        insight("a1", "2", publisher_platform="messenger"),
    )
    spend = {key: sums[0] for key, sums in counted(rows, "source_platform").items()}
    assert spend == {("instagram_ads",): 4, ("facebook_ads",): 5}


def test_of_one_day_at_several_levels_the_finest_counts_and_the_others_stay() -> None:
    ids = ("campaign_id", "adset_id", "ad_id")
    ads = [insight("a1", "4"), insight("a2", "3")]
    coarser = [ads[0] | dict.fromkeys(ids[kept:]) | {"spend": "7"} for kept in (0, 1, 2)]
    other_day = coarser[1] | {"date_start": "2026-01-06", "date_stop": "2026-01-06"}
    rows = report("facebook_ads", *coarser, *ads, other_day)
    assert len(rows) == 6
    assert {key: sums[0] for key, sums in counted(rows, "report_date", "ad_id").items()} == {
        (date(2026, 1, 5), "a1"): 4,
        (date(2026, 1, 5), "a2"): 3,
        (date(2026, 1, 6), None): 7,
    }


def test_a_campaign_has_a_row_for_each_platform_that_reports_name() -> None:
    rows = run_engine(
        "engine_facebook_ads_campaigns",
        platform="instagram_ads",
        history={"campaigns": [{"id": "c1", "name": "Spring"}]},
        canonical={
            "ad_performance": [{"source_platform": "facebook_ads", "source_account": "main", "campaign_id": "c1"}]
        },
    )
    assert sorted((row["source_platform"], row["campaign_name"]) for row in rows) == [
        ("facebook_ads", "Spring"),
        ("instagram_ads", "Spring"),
    ]


@pytest.fixture(scope="session")
def both(tyrell: Callable[..., Tenant]) -> Tenant:
    """A tenant of both of Meta's sources."""
    sources = (a_source("facebook_ads"), a_source("instagram_ads"))
    assert [source.platform for _, source in engines_of(tyrell(sources=sources), "ad_performance")] == [
        "facebook_ads",
        "instagram_ads",
    ]
    tenant: Tenant = tyrell(sources=sources)
    return tenant


def test_unit_tests_give_each_input_once_where_two_sources_share_engines(both: Tenant) -> None:
    tests = unit_tests(both, BLUEPRINTS)
    assert {test["name"] for test in tests} == {
        f"{engine.macro}__{both.slug}" for engine in engines_like("facebook_ads")
    }
    for test in tests:
        inputs = [given["input"] for given in test["given"]]
        assert len(inputs) == len(set(inputs))


def test_a_tenant_of_instagram_alone_has_the_unit_tests_of_the_engines_it_shares(
    tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    alone = tyrell(sources=(a_source("instagram_ads"),))
    star = build_star(alone, make_hub(), ("run",), ("test", "--select", "test_type:unit"))
    assert {node.name: node.status for node in star.nodes.values()} == {
        f"{engine.macro}__{alone.slug}": "pass" for engine in engines_like("facebook_ads")
    }


def test_a_day_of_an_ad_that_both_sources_sent_is_said(
    both: Tenant, make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    insights = {
        "facebook_ads": [
            insight("all", "9"),
            insight("shared", "5", publisher_platform="facebook"),
            insight("shared", "5", publisher_platform="instagram", day="2026-01-06"),
            insight("other day", "1"),
        ],
        "instagram_ads": [
            insight("all", "4", publisher_platform="instagram", age="18-24"),
            insight("all", "5", publisher_platform="instagram", age="25-34"),
            insight("shared", "4"),
            insight("shared", "3", publisher_platform="instagram", day="2026-01-06"),
            insight("other day", "1", day="2026-01-07"),
            insight("only here", "1"),
        ],
    }
    for platform, rows in insights.items():
        hub.add(platform, "facebook_insights", rows)
    star = build_star(both, hub)
    (finding,) = star.finding("one_source_of_meta")
    assert finding == (
        "2 days of ads of instagram_ads main were also sent by facebook_ads and count twice. "
        "Let one source deliver each platform."
    )
    (test,) = [node for name, node in star.nodes.items() if name.startswith("one_source_of_meta")]
    assert test.status == "warn"
    assert star.rows("fct_ad_performance", "source_platform, sum(spend)", "true group by all") == [
        ("facebook_ads", 15),
        ("instagram_ads", 23),
    ]


def test_sources_that_share_the_platforms_say_nothing(
    both: Tenant, make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    hub.add("facebook_ads", "facebook_insights", [insight("a1", "5", publisher_platform="facebook")])
    hub.add("instagram_ads", "facebook_insights", [insight("a1", "4")])
    star = build_star(both, hub)
    assert star.finding("one_source_of_meta") == []
    assert star.rows("fct_ad_performance", "source_platform, ad_id, spend") == [
        ("facebook_ads", "a1", 5),
        ("instagram_ads", "a1", 4),
    ]
