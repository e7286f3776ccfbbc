"""A build after a failure begins where it failed, and the ledger says what it did not do again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.config.slug import slug_of
from pipeline.storage.ops import Ops
from server.orchestration.verbs import build
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import order, write_jsonl

SHOP = slug_of("small_shop")


def steps(shop: Project) -> list[tuple[str, str, int | None]]:
    """The steps of the last run: name, status, rows in."""
    with Ops(shop.settings.ops) as ops:
        run_id = ops.runs(limit=1)[0]["run_id"]
        return [
            (step["step"], step["status"], step["rows_in"]) for step in ops.steps(run_id) if step["step"] != "words"
        ]


@pytest.mark.long
def test_where_only_publishing_failed_nothing_is_landed_pushed_or_built_again(tmp_path: Path, small: Project) -> None:
    shop = copy_project(small, tmp_path)
    write_jsonl(tmp_path / "shop/orders_later.jsonl", [order(4, "40.00")])
    published = shop.settings.published(SHOP)
    published.rename(tmp_path / "aside")
    published.write_text("a file where the folder of runs belongs")
    failed = build(shop.context)
    assert failed.exit_code == 2
    assert steps(shop) == [
        ("land", "done", 1),
        ("push", "done", 1),
        ("stars", "done", None),
        ("publish", "failed", None),
    ]
    published.unlink()
    (tmp_path / "aside").rename(published)
    star = shop.settings.stars(SHOP).stat()
    shop.build()
    assert steps(shop)[:3] == [("land", "done", 0), ("push", "done", 0), ("stars", "skipped", None)]
    assert steps(shop)[3][:2] == ("publish", "done")
    assert (shop.settings.stars(SHOP).stat().st_ino, shop.settings.stars(SHOP).stat().st_mtime_ns) == (
        star.st_ino,
        star.st_mtime_ns,
    )
    assert shop.number("small_shop", "order_revenue") == Decimal("100.75")
    shop.build()
    assert steps(shop) == [("land", "done", 0), ("push", "done", 0), ("stars", "skipped", None)]


@pytest.mark.long
def test_a_finished_star_that_was_damaged_meanwhile_or_failed_a_gate_is_not_published_as_it_is(
    tmp_path: Path, small: Project
) -> None:
    shop = copy_project(small, tmp_path)
    write_jsonl(tmp_path / "shop/orders_later.jsonl", [order(4, "40.00")])
    published = shop.settings.published(SHOP)
    published.rename(tmp_path / "aside")
    published.write_text("a file where the folder of runs belongs")
    assert build(shop.context).exit_code == 2
    published.unlink()
    (tmp_path / "aside").rename(published)
    finished = shop.settings.stars(SHOP).with_name("finished.json")
    text = finished.read_text()
    finished.write_text(text.replace('"failures": []', '"failures": ["3 orders are below 0."]'))
    strict = Project(shop.settings.model_copy(update={"gate_mode": "strict"}))
    held = build(strict.context)
    assert (held.exit_code, steps(shop)[-1]) == (3, ("publish", "failed", None))
    finished.write_text(text)
    with shop.settings.stars(SHOP).open("ab") as star:
        star.write(b"more")
    shop.build()
    assert [(name, status) for name, status, _ in steps(shop)][2:] == [("stars", "done"), ("publish", "done")]
    assert shop.number("small_shop", "order_revenue") == Decimal("100.75")
