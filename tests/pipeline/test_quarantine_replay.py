"""What is in quarantine now, and reading it again: nothing is doubled, and what lands leaves the quarantine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.config.tenant import Tenant
from pipeline.gates.quarantined_now import QuarantinedRecord, quarantined_records, reason_without_values
from pipeline.ingest.deliveries.load_counts import load_counts
from pipeline.ingest.deliveries.reread import Reread, reread
from pipeline.ingest.land import Landing
from tests.pipeline.landing_fixture import BLUEPRINTS, LandingFixture

SHOPIFY = [blueprint for blueprint in BLUEPRINTS.values() if blueprint.platform == "shopify"]


def order(number: int, price: object = "10.00", **more: object) -> dict[str, object]:
    placed = {"created_at": "2026-02-01T10:00:00Z", "updated_at": "2026-02-01T10:00:00Z"}
    return {"id": number, "total_price": price, "currency": "EUR", "financial_status": "paid", **placed, **more}


class Shop(LandingFixture):
    """A shop that reads orders from files, and what is in its quarantine."""

    @property
    def acme(self) -> Tenant:
        return Tenant(slug="acme", business_name="Acme", sources=(self.source("shopify", orders="orders*"),))

    def bring(self, name: str, *records: object) -> Path:
        return self.write(name, "\n".join(map(json.dumps, records)) + "\n")

    def land_all(self) -> Landing:
        return self.land(self.acme)

    @property
    def kept_out(self) -> list[QuarantinedRecord]:
        return quarantined_records(self.acme, SHOPIFY, self.settings)

    def read_again(self) -> Reread:
        batches = {(one.platform, one.account, one.object, str(one.batch_id)) for one in self.kept_out if one.record}
        targets = {(one.platform, one.account, one.object) for one in self.kept_out if one.is_file}
        return reread(self.acme, SHOPIFY, self.settings, batches=batches, targets=targets)

    def landed(self) -> list[tuple[object, ...]]:
        return self.query("select id, _batch_id, _source_line from shopify__orders order by all")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_each_record_is_in_quarantine_with_its_line_and_no_value_in_what_others_see(shop: Shop) -> None:
    shop.bring("orders.jsonl", order(1), order(2), order(3, "SECRET"), [1], {"total_price": "1"})
    shop.land_all()
    assert [(each.line, reason_without_values(each)) for each in shop.kept_out] == [
        (3, "total_price is not as its contract says"),
        (4, "it is no record of its contract"),
        (5, "id is missing"),
    ]
    assert "SECRET" in shop.kept_out[0].reason + str(shop.kept_out[0].record)
    assert not any("SECRET" in reason_without_values(each) for each in shop.kept_out)


def test_what_an_earlier_release_kept_out_lands_from_bronze_and_twice_gives_the_same_rows(shop: Shop) -> None:
    shop.bring("orders.jsonl", order(1), order(2), order(3, "many"))
    first = shop.land_all()
    (shop.files / "orders.jsonl").unlink()
    shop.query("""
        insert into quarantine by name
        select 'shopify' as platform, 'main' as account, 'orders' as object, _source_file as path, 2 as line,
            'x: an earlier release could not read it' as reason, '{"id": 2}' as record, _batch_id as batch_id,
            _dlt_load_id
        from shopify__orders where id = 2
    """)
    shop.query("delete from shopify__orders where id = 2")
    before = shop.landed()
    assert len(shop.kept_out) == 2
    assert shop.read_again() == Reread(batches=1, files=0, left=0)
    second = shop.land_all()
    assert second.load_id not in (None, first.load_id)
    assert [row[0] for row in shop.landed()] == [1, 2]
    assert {row[1] for row in shop.landed()} == {before[0][1]}  # the batch is the same, under its own id
    assert [(each.line, each.record is not None) for each in shop.kept_out] == [(3, True)]
    rows = shop.landed()
    assert shop.read_again() == Reread(batches=1, files=0, left=0)
    shop.land_all()
    assert shop.landed() == rows
    assert len(shop.kept_out) == 1
    assert shop.query("select count(*), count(distinct batch_id) from landed_deliveries") == [(1, 1)]


def test_a_mended_file_a_corrected_record_and_a_removed_file_leave_the_quarantine(shop: Shop) -> None:
    shop.bring("orders_a.jsonl", order(1), order(2, "many"))
    shop.bring("orders_b.jsonl", order(3), order(4, "many"))
    torn = shop.write("orders_c.jsonl.gz", b"no gzip")
    shop.land_all()
    names = [(Path(each.path).name, each.line) for each in shop.kept_out]
    assert names == [("orders_a.jsonl", 2), ("orders_b.jsonl", 2), ("orders_c.jsonl.gz", None)]
    shop.bring("orders_a.jsonl", order(1), order(2, "20.00"))
    shop.bring("orders_d.jsonl", order(4, "40.00"))
    torn.unlink()
    shop.land_all()
    assert shop.kept_out == []


def test_a_file_that_is_mended_when_its_old_batch_is_read_again_counts_as_mended(shop: Shop) -> None:
    shop.bring("orders.jsonl", order(1), order(2, "many"))
    shop.land_all()
    shop.bring("orders.jsonl", order(1), order(2, "20.00"))
    assert shop.read_again() == Reread(batches=1, files=0, left=0)
    shop.land_all()
    assert shop.kept_out == []
    assert sorted({row[0] for row in shop.landed()}) == [1, 2]
    assert shop.land_all().load_id is None


def test_a_whole_file_that_was_refused_is_tried_again_and_refused_again_where_it_is_still_bad(shop: Shop) -> None:
    shop.bring("orders_a.jsonl", order(1))
    torn = shop.write("orders_b.jsonl.gz", b"no gzip")
    shop.land_all()
    assert [Path(each.path) for each in shop.kept_out] == [torn]
    assert shop.land_all().load_id is None  # its content is known to be bad
    assert shop.read_again().files == 1
    assert shop.kept_out == []
    shop.land_all()
    assert [Path(each.path) for each in shop.kept_out] == [torn]


def test_a_batch_whose_file_has_newer_content_is_left_alone(shop: Shop) -> None:
    shop.bring("orders.jsonl", order(1), order(2, "many"))
    shop.land_all()
    old = {(each.platform, each.account, each.object, str(each.batch_id)) for each in shop.kept_out}
    shop.bring("orders.jsonl", order(1), order(2, "20.00"))
    shop.land_all()
    rows = shop.landed()
    assert reread(shop.acme, SHOPIFY, shop.settings, batches=old, targets=()) == Reread(0, 0, left=1)
    assert shop.landed() == rows


def test_the_counts_of_a_load_add_up_by_table_account_and_day(shop: Shop) -> None:
    path = shop.bring("orders.jsonl", order(1), order(2), order(3, "many"))
    shop.write("orders_b.jsonl.gz", b"no gzip")
    landing = shop.land_all()
    (counts,) = load_counts(shop.acme, landing.load_id, SHOPIFY, shop.settings)
    assert (counts.input_rows, counts.output_rows, counts.quarantine_rows, counts.bytes) == (
        3,
        2,
        1,
        path.stat().st_size,
    )
    assert (counts.reconciles, counts.quality_checks_passed) == (True, False)
    shop.query("delete from shopify__orders where id = 1")
    (lost,) = load_counts(shop.acme, landing.load_id, SHOPIFY, shop.settings)
    assert not lost.reconciles
    assert load_counts(shop.acme, None, SHOPIFY, shop.settings) == []
