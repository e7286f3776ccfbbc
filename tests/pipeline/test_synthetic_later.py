"""Later changes of synthetic data: restated reports, renamed campaigns, late events, repeated orders and charges."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.synthetic.model.view import find_view
from tests.pipeline.raw_shop import ADS, ANALYTICS, CAMPAIGNS, CATALOG, EVENTS, UNTIL, Raw, tenant


@pytest.fixture(scope="module")
def next_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Raw, Raw]:
    """Files up to a day, and the files after the day that followed, in the same folder."""
    home = tmp_path_factory.mktemp("next_day")
    before = Raw(tenant(), home)
    bytes_before = {path: path.read_bytes() for files in before.files.values() for path in files}
    after = Raw(tenant(), home, until=UNTIL + timedelta(days=1))
    assert all(path.read_bytes() == content for path, content in bytes_before.items())
    assert all(set(before.files[key]) < set(after.files[key]) for key in before.files)
    return before, after


@pytest.mark.parametrize("platform", ADS)
def test_reports_restate_some_earlier_days_whole_and_no_others(platform: str, next_day: tuple[Raw, Raw]) -> None:
    allowed = max(contract.restated_days for contract in CATALOG[platform].contracts.values())
    newest = f"filename like '%_{UNTIL}_{UNTIL}.%'"
    _, after = next_day
    days = [day for (day,) in after.ask(f"select distinct day from {platform} where {newest} order by day")]
    lags = [(UNTIL - day).days for day in days]
    assert lags == [lag for lag in (7, 3, 1, 0) if lag <= allowed]
    again = f"""
        select new.day, count(*), bool_and(new.clicks = old.clicks and new.impressions = old.impressions),
            sum(new.spend) < sum(old.spend), sum(new.conversions) >= sum(old.conversions)
        from {platform} as new join {platform} as old
        on new.day = old.day and new.campaign_id = old.campaign_id and new.ad_id is not distinct from old.ad_id
        where new.{newest} and not old.{newest} group by all
    """
    restated = after.ask(again)
    assert len(restated) == len(lags) - 1
    for day, rows, same_traffic, is_credited, is_told in restated:
        assert rows == after.one(f"select count(*) from {platform} where day = '{day}' and {newest}")
        assert (same_traffic, is_credited, is_told) == (True, True, True)


def test_what_a_day_finally_says_does_not_depend_on_how_often_it_was_asked(tmp_path: Path) -> None:
    small = tenant(*ADS, "amplitude", parameters={"amplitude": {"unique_user_base": 2000}})
    for days_ago in (8, 6, 5, 1, 0):
        cut = Raw(small, tmp_path / "cut", days=2, until=UNTIL - timedelta(days=days_ago))
    whole = Raw(small, tmp_path / "whole", days=10)
    newest = """
        select * exclude (filename) from {0}
        qualify row_number() over (partition by day, campaign_id, ad_id order by filename desc) = 1 order by all"""
    for platform in ADS:
        assert len(cut.files[platform, "main", CATALOG[platform].objects[-1]]) >= 5
        assert cut.ask(newest.format(platform)) == whole.ask(newest.format(platform))


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    """A quarter of a year of a shop that advertises everywhere and has few visitors."""
    small = tenant(*ADS, "amplitude", parameters={"amplitude": {"unique_user_base": 6000, "organic_traffic_ratio": 0}})
    return Raw(small, tmp_path_factory.mktemp("season"), days=90)


@pytest.mark.parametrize("platform", ADS)
def test_one_campaign_of_each_platform_is_renamed_and_visits_say_the_name_of_their_day(
    platform: str, season: Raw
) -> None:
    """A name changes every 60 days, at midnight UTC; lists of campaigns tell both, reports the name of their day."""
    names = season.ask(f"select id, list(name) from ({CAMPAIGNS[platform]}) group by id having count(*) > 1")
    ((campaign, both),) = names
    source_of = find_view(platform).channel.source  # type: ignore[union-attr]  # every ads platform has one
    said = f"""
        select moment::date as day, campaign from ({EVENTS["amplitude"]})
        where name = 'session_start' and source = '{source_of}' and campaign in {tuple(both)}
    """
    spells = season.ask(f"""
        select campaign, min(day), max(day), count(distinct day) from (
            select *, sum(is_new::int) over (order by day, is_new desc) as spell from (
                select *, campaign is distinct from lag(campaign) over (order by day) as is_new from ({said})
            )
        ) group by campaign, spell order by 2
    """)
    assert 2 <= len(spells) <= 3
    assert {name for name, *_ in spells} == set(both)
    assert all(last < first for (_, _, last, _), (_, first, _, _) in pairwise(spells))
    assert season.one(f"select count(distinct day) from {platform} where campaign_id = {campaign}") == 90


@pytest.mark.parametrize("platform", ANALYTICS)
def test_late_events_come_with_the_next_days_export(platform: str, next_day: tuple[Raw, Raw]) -> None:
    before, after = next_day
    last = "moment::date = '2026-02-28'"
    newest = f"filename like '%_{UNTIL}_{UNTIL}.%'"
    sql = EVENTS[platform]
    came = after.ask(f"select device, name, moment from ({sql}) where {last} and {newest}")
    known = before.ask(f"select device, name, moment from ({sql}) where {last}")
    late = set(came) - set(known)
    assert late
    assert not {name for _, name, _ in late} & {"session_start", "purchase"}
    if platform == "google_analytics":
        assert set(known) < set(came)  # a day's table comes whole
    else:
        assert not set(known) & set(came)


@pytest.mark.parametrize(
    ("platform", "name"), [("bigcommerce", "orders"), ("woocommerce", "orders"), ("stripe", "charges")]
)
def test_what_changes_comes_again_as_it_is_then(platform: str, name: str, tmp_path: Path) -> None:
    one = tenant("bigcommerce", "woocommerce", "stripe", parameters={"woocommerce": {"daily_order_count": 30}})
    before = Raw(one, tmp_path, until=UNTIL - timedelta(days=5))
    after = Raw(one, tmp_path)
    known = {record["id"]: record for record in before.records(platform, name)}
    again = [record for record in after.records(platform, name)[len(known) :] if record["id"] in known]
    changed = "amount_refunded" if platform == "stripe" else "status"
    assert any(record[changed] != known[record["id"]][changed] for record in again)
    lines = after.records("bigcommerce", "order_products")
    assert {line["quantity_refunded"] > 0 for line in lines} == {True, False}
    assert all((float(line["refund_amount"]) > 0) == (line["quantity_refunded"] > 0) for line in lines)
