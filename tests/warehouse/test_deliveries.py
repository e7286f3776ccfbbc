"""Deliveries, from files to the sinks: what counts of each day after some builds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config.tenant import Tenant
from pipeline.ingest.land import LandedTable
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture
from tests.warehouse.hub_fixture import current, push

INSIGHTS = BLUEPRINTS["facebook_ads", "facebook_insights"]
EVENTS = BLUEPRINTS["google_analytics", "events"]
DAY = "2026-01-05"


class Shop(LandingFixture):
    """A landing fixture of one object whose builds also push."""

    def __init__(self, folder: Path, **read: str) -> None:
        super().__init__(folder)
        self.read = read
        self.blueprint = INSIGHTS

    def build(self, **files: Mapping[str, float] | list[Any]) -> LandedTable:
        """Write files, land and push. A file is spend by ad on DAY; its name has `_` for `-` and gets its ending."""
        for name, content in files.items():
            self.write(f"{name.replace('__', '-')}.jsonl", self.lines(content))
        source = self.source("facebook_ads", facebook_insights="*.jsonl*")
        (account,) = source.accounts
        read = account.read.model_copy(update=self.read)
        accounts = (account.model_copy(update={"read": read}),)
        tenant = Tenant(slug="acme", business_name="Acme", sources=(source.model_copy(update={"accounts": accounts}),))
        landing = self.land(tenant)
        push(self.settings.hub, tenant, self.blueprint)
        return next(table for table in landing.tables if table.object == self.blueprint.object)

    @staticmethod
    def lines(content: Mapping[str, float] | list[Any]) -> str:
        records = [insight(ad, spend) for ad, spend in content.items()] if isinstance(content, Mapping) else content
        return "".join(json.dumps(record) + "\n" for record in records) or "\n"

    def spend(self) -> dict[str, float]:
        return {f"{ad}": float(spend) for ad, spend in current(self.settings.hub, INSIGHTS, "ad_id", "spend")}


def insight(ad: str, spend: float, day: str = DAY) -> dict[str, Any]:
    return {"ad_id": ad, "date_start": day, "date_stop": day, "spend": str(spend), "impressions": "9", "clicks": "1"}


def test_a_file_whose_bytes_are_known_is_still_present_in_a_later_delivery(tmp_path: Path) -> None:
    shop = Shop(tmp_path, exported_at=r"_(\d{8})")
    shop.build(a_20260106={"a": 1}, b_20260106={"b": 2})
    shop.build(a_20260107={"a": 1.5}, b_20260107={"b": 2})
    assert shop.spend() == {"a": 1.5, "b": 2}


def test_so_it_is_without_a_time_by_new_names_and_in_place(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.build(a={"a": 1}, b={"b": 2})
    shop.build(a={"a": 1.5})
    assert shop.spend() == {"a": 1.5, "b": 2}
    for name in ("a", "b"):
        (shop.files / f"{name}.jsonl").unlink()
    shop.build(c={"a": 3}, d={"b": 2})
    assert shop.spend() == {"a": 3, "b": 2}


def test_a_landed_file_under_a_new_name_is_older_than_a_new_one_that_contradicts_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.build(x=[insight("a", 1), insight("b", 2), insight("a", 4, "2026-01-06")])
    (shop.files / "x.jsonl").rename(shop.files / "old.jsonl")
    table = shop.build(x_later={"a": 1.5})
    assert table.quarantined == 0
    counted = current(shop.settings.hub, INSIGHTS, "date_start", "ad_id", "spend")
    assert counted == [(DAY, "a", "1.5"), ("2026-01-06", "a", "4")]


@pytest.mark.parametrize("names", [("x", "x", "x"), ("x_20260106", "x_20260107", "x_20260108")])
@pytest.mark.parametrize("exported_at", [None, r"_(\d{8})"])
def test_ten_then_twelve_then_ten_again_is_ten(tmp_path: Path, names: tuple[str, ...], exported_at: str | None) -> None:
    shop = Shop(tmp_path, **({"exported_at": exported_at} if exported_at else {}))
    for name, spend in zip(names, (10, 12, 10), strict=True):
        shop.build(**{name: {"a": spend}})
        assert shop.spend() == {"a": spend}


def test_pages_of_one_pull_add_up_though_their_times_differ(tmp_path: Path) -> None:
    shop = Shop(tmp_path, exported_at=r"_(\d{8}T\d{4})", delivery=r"^(\w+?)_p")
    shop.build(x_p1_20260106T1000={"a": 1}, x_p2_20260106T1005={"b": 2})
    assert shop.spend() == {"a": 1, "b": 2}
    shop.build(y_p1_20260107T1000={"a": 4})
    assert shop.spend() == {"a": 4}
    shop.build(y_p2_20260107T1005={"b": 2})
    assert shop.spend() == {"a": 4, "b": 2}


def test_pages_that_a_manifest_names_add_up(tmp_path: Path) -> None:
    shop = Shop(tmp_path, exported_at=r"_(\d{8}T\d{4})")
    shop.write("_MANIFEST.json", json.dumps({"files": ["p1_20260106T1000.jsonl", "p2_20260106T1005.jsonl"]}))
    shop.build(p1_20260106T1000={"a": 1}, p2_20260106T1005={"b": 2})
    assert shop.spend() == {"a": 1, "b": 2}


def test_a_day_without_rows_is_emptied_by_a_delivery_that_covers_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path, exported_at=r"_(\d{8})", covers=r"_of_(\d{8}_\d{8})")
    shop.build(x_20260106_of_20260104_20260105=[insight("a", 5), insight("b", 7, "2026-01-04")])
    assert shop.spend() == {"a": 5, "b": 7}
    shop.build(x_20260107_of_20260104_20260105=[insight("b", 7, "2026-01-04")])
    assert shop.spend() == {"b": 7}
    shop.build(x_20260108_of_20260104_20260105=[])
    assert shop.spend() == {}


def test_a_manifest_covers_days_without_rows_and_without_files(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.build(x={"a": 12})
    told = {"files": [], "object": "facebook_insights", "covers": {"from": "2026-01-01", "to": DAY}}
    shop.write("1_MANIFEST.json", json.dumps(told | {"created_at": "2099-01-07T10:00:00Z"}))
    shop.build()
    assert shop.spend() == {}


def test_rows_outside_the_days_that_a_delivery_covers_withdraw_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, exported_at=r"_(\d{8})", covers=r"_of_(\d{8})")
    shop.build(x_20260106_of_20260105={"a": 1, "b": 2})
    shop.build(x_20260107_of_20260106=[insight("a", 4), insight("z", 9, "2026-01-06")])
    assert shop.spend() == {"a": 4, "b": 2, "z": 9}


@pytest.mark.parametrize("way", ["setting", "manifest"])
def test_a_delivery_with_a_damaged_page_does_not_land_and_is_mended_whole(tmp_path: Path, way: str) -> None:
    setting = {"delivery": r"^(\w)_p"} if way == "setting" else {}
    shop = Shop(tmp_path, exported_at=r"_(\d{8})", **setting)
    shop.build(x_p1_20260106={"a": 1}, x_p2_20260106={"b": 2})
    if way == "manifest":
        shop.write("y_MANIFEST.json", json.dumps({"files": ["y_p1_20260107.jsonl", "y_p2_20260107.jsonl"]}))
    shop.write("y_p2_20260107.jsonl", "")
    table = shop.build(y_p1_20260107={"a": 1.5})
    assert shop.spend() == {"a": 1, "b": 2}
    assert table.rows == 0
    assert any("is not complete and does not land" in finding for finding in table.findings)
    again = shop.build()
    assert any("is not complete and does not land" in finding for finding in again.findings)
    shop.build(y_p2_20260107={"b": 2})
    assert shop.spend() == {"a": 1.5, "b": 2}


@pytest.mark.parametrize("lacks", ["complete", "a file", "a checksum"])
def test_a_delivery_that_its_manifest_calls_incomplete_waits(tmp_path: Path, lacks: str) -> None:
    shop = Shop(tmp_path)
    told: dict[str, Any] = {"files": ["p1.jsonl"]}
    told |= {"complete": False} if lacks == "complete" else {}
    told["files"] += ["p2.jsonl"] if lacks == "a file" else []
    told["files"] = [{"file": "p1.jsonl", "sha256": "0"}] if lacks == "a checksum" else told["files"]
    shop.write("_MANIFEST.json", json.dumps(told))
    table = shop.build(p1={"a": 1})
    assert (table.rows, shop.spend()) == (0, {})
    assert "is not complete and does not land" in table.findings[0]
    shop.write("_MANIFEST.json", json.dumps({"files": ["p1.jsonl"]}))
    shop.build()
    assert shop.spend() == {"a": 1}


def test_two_times_are_two_deliveries_and_the_later_one_counts(tmp_path: Path) -> None:
    shop = Shop(tmp_path, exported_at=r"_(\d{8})")
    shop.build(x_20260109={"a": 12}, x_20260106={"a": 10, "b": 5})
    assert shop.spend() == {"a": 12}


def test_names_with_dates_tell_exports_apart_also_when_the_older_one_comes_later(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.build(x_20260106={"a": 10, "b": 5}, x_20260109={"a": 12})
    assert shop.spend() == {"a": 12}
    shop.build(x_20260107={"a": 11, "c": 3})
    assert shop.spend() == {"a": 12}
    shop.build(x_20260110={"c": 4})
    assert shop.spend() == {"c": 4}


@pytest.mark.parametrize("names", [("x", "y"), ("x_20260106", "x_20260106__1"), ("x", "x_20260106")])
def test_what_nothing_tells_apart_is_withheld_by_name_and_never_added_up(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    shop = Shop(tmp_path)
    table = shop.build(**{names[0]: {"a": 10, "b": 5}, names[1]: {"a": 12}})
    assert (shop.spend(), table.rows, table.quarantined) == ({}, 0, 2)
    (finding,) = table.findings
    assert "withheld" in finding
    assert "hold different rows of 2026-01-05" in finding
    assert "exported_at" in finding
    assert "delivery" in finding
    again = shop.build()
    assert (shop.counted("quarantine"), again.rows) == (2, 0)
    assert "still withheld" in again.findings[0]
    shop.read = {"exported_at": r"_(\d{8})"}
    for name in names:
        (shop.files / f"{name.replace('__', '-')}.jsonl").unlink()
    shop.build(x_20260106={"a": 10, "b": 5}, x_20260109={"a": 12})
    assert shop.spend() == {"a": 12}


def test_files_of_different_series_are_not_told_apart_by_their_dates(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    table = shop.build(spring_20260106={"a": 10}, autumn_20260107={"b": 5})
    assert (shop.spend(), table.quarantined) == ({}, 2)
    assert "both hold 2026-01-05, and their names do not say which is newer" in table.findings[0]


def test_campaigns_of_a_day_in_files_of_their_own_add_up_and_equal_records_count_once(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.build(spring={"a": 10, "b": 1}, autumn={"b": 1, "c": 2})
    assert shop.spend() == {"a": 10, "b": 1, "c": 2}


def test_the_same_builds_again_change_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, exported_at=r"_(\d{8})")
    shop.build(x_20260106={"a": 10, "b": 5}, x_20260109={"a": 12})
    assert shop.build().known_files == 2
    assert shop.query("select count(*) from _dlt_loads") == [(1,)]


DAYS = [f"2026-01-0{number}" for number in range(1, 4)]
deliveries = st.lists(
    st.tuples(
        st.sets(st.sampled_from(DAYS), min_size=1).map(sorted),  # covered days
        st.dictionaries(st.tuples(st.sampled_from(DAYS), st.sampled_from("abc")), st.integers(1, 3)),
        st.integers(1, 2),  # pages
        st.booleans(),  # whether a build follows
    ),
    min_size=1,
    max_size=4,
)


@given(deliveries)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_day_is_that_of_the_last_delivery_that_covers_it_however_builds_group_them(
    tmp_path: Path, sequence: list[tuple[list[str], dict[tuple[str, str], int], int, bool]]
) -> None:
    with TemporaryDirectory(dir=tmp_path) as folder:
        shop = Shop(Path(folder))
        expected: dict[tuple[str, str], float] = {}
        for number, (covered, drawn, pages, builds) in enumerate(sequence):
            rows = {key: spend for key, spend in drawn.items() if key[0] in covered}
            expected = {key: spend for key, spend in expected.items() if key[0] not in covered} | rows
            names = [f"{number}_{page}.jsonl" for page in range(pages)]
            for page, name in enumerate(names):
                part = list(rows.items())[page::pages]
                shop.write(name, shop.lines([insight(ad, spend, day) for (day, ad), spend in part]))
            told = {"files": names, "covers": covered, "exported_at": f"2026-02-0{number + 1}T00:00:00Z"}
            shop.write(f"{number}_MANIFEST.json", json.dumps(told))
            if builds:
                shop.build()
        shop.build()
        found = current(shop.settings.hub, INSIGHTS, "date_start", "ad_id", "spend")
        assert {(day, ad): float(spend) for day, ad, spend in found} == expected


def test_sinks_that_were_lost_are_rebuilt_from_bronze_alone(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    for files in ({"x": {"a": 10, "b": 5}}, {"x": {"a": 12}}, {"y": {"c": 1}}, {"y": {"c": 1, "b": 2}}):
        shop.build(**files)
    before = shop.spend()
    shop.settings.hub.unlink()
    for path in shop.files.iterdir():
        path.unlink()
    shop.build()
    assert shop.spend() == before == {"a": 12, "b": 2, "c": 1}


def test_the_daily_export_replaces_the_intraday_one_whichever_comes_later(tmp_path: Path) -> None:
    def events(*names: str) -> str:
        moment = 1767571200000000
        rows = [{"event_name": n, "event_date": "20260105", "event_timestamp": moment + i} for i, n in enumerate(names)]
        return "".join(json.dumps(row) + "\n" for row in rows)

    shop = LandingFixture(tmp_path)
    shop.write("events_20260105.jsonl", events("page_view", "purchase"))
    shop.write("events_fresh_20260105.jsonl", events("page_view", "scroll"))
    tenant = Tenant(slug="acme", business_name="A", sources=(shop.source("google_analytics", events="*.jsonl"),))
    for _ in range(2):
        shop.land(tenant)
        push(shop.settings.hub, tenant, EVENTS)
        assert current(shop.settings.hub, EVENTS, "event_name") == [("page_view",), ("purchase",)]
        shop.write("events_intraday_20260105.jsonl", events("page_view", "video_start"))
