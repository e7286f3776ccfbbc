"""Targets that land anew: generated exports of a shop that another one replaced leave nothing behind."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.ingest.deliveries.outdated_targets import OutdatedTargets
from tests.pipeline.landing_fixture import CATALOG, LandingFixture, table_of

RECORDS = "select * exclude (_source_file, _landed_at, _batch_id, _dlt_load_id) from shopify__orders order by all"


@pytest.fixture
def sandbox(tmp_path: Path) -> LandingFixture:
    return LandingFixture(tmp_path)


def shop(**generation: int) -> Tenant:
    source = Source(
        platform="shopify",
        domain="ecommerce",
        objects=CATALOG["shopify"].objects,
        enabled=True,
        generation={"daily_orders_mean": 1, **generation},
    )
    return Tenant(slug="acme", business_name="A", sources=(source,))


def next_day(sandbox: LandingFixture) -> None:
    sandbox.settings = sandbox.settings.model_copy(update={"today": date(2026, 3, 2)})


def test_a_shop_with_other_parameters_replaces_all_that_landed_of_the_one_before(
    sandbox: LandingFixture, tmp_path: Path
) -> None:
    sandbox.land(shop(aov_mean=40))
    sandbox.land(shop(aov_mean=90))
    (tmp_path / "clean").mkdir()
    clean = LandingFixture(tmp_path / "clean")
    clean.land(shop(aov_mean=90))
    assert sandbox.query(RECORDS) == clean.query(RECORDS) != []
    batches = [list((each.settings.home / "bronze").rglob("batch_*")) for each in (sandbox, clean)]
    assert len(batches[0]) == len(batches[1]) > 0
    assert sandbox.land(shop(aov_mean=90)).load_id is None


def test_a_later_day_of_the_shop_that_replaced_another_keeps_what_landed_of_it(sandbox: LandingFixture) -> None:
    sandbox.land(shop(aov_mean=40))
    sandbox.land(shop(aov_mean=90))
    before = sandbox.counted("shopify__orders")
    next_day(sandbox)
    landing = sandbox.land(shop(aov_mean=90))
    assert sandbox.counted("shopify__orders") == before + table_of(landing, "orders").rows


def test_a_landing_that_dies_between_removal_and_landing_is_repeated_by_the_next_one(
    sandbox: LandingFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.land(shop(aov_mean=40))

    def dies(self: OutdatedTargets, *_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(OutdatedTargets, "_remove_rows", dies)
        with pytest.raises(KeyboardInterrupt):
            sandbox.land(shop(aov_mean=90))
    sandbox.land(shop(aov_mean=90))
    (tmp_path / "clean").mkdir()
    clean = LandingFixture(tmp_path / "clean")
    clean.land(shop(aov_mean=90))
    assert sandbox.query(RECORDS) == clean.query(RECORDS)


def test_generated_exports_take_nothing_away_of_files_that_a_source_read_before(sandbox: LandingFixture) -> None:
    sandbox.land(shop(aov_mean=40))
    sandbox.write("o.jsonl", '{"id": 1, "created_at": "2026-02-01T00:00:00Z", "total_price": "5", "currency": "EUR"}\n')
    sandbox.land(orders="o.jsonl")
    sandbox.land(shop(aov_mean=90))
    assert sandbox.query("select count(*) from shopify__orders where id = 1") == [(1,)]
