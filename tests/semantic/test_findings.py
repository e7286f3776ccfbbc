"""What gates found travels with the answers that read it: narrowed to them, the heaviest first, the others counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnknownName
from pipeline.gates.finding import Finding, FindingKind, findings_json
from semantic.answering.result_stream import stream_result
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import load_model
from semantic.planning.query import Answer, read_query
from tests.semantic.hand_star import TODAY, HandStar, hand_shop


def finding(sentence: str, **more: Any) -> Finding:
    """A finding about ads, of a source that the hand-written shop does not have."""
    about = {"kind": FindingKind.WITHHELD_FILE, "facts": ("ad_performance",), "platform": "tiktok_ads", "account": "eu"}
    return Finding(**{**about, "sentence": sentence, "weight": 1.0, **more})


RANGE = finding("R.", kind=FindingKind.ROWS_OF_SEVERAL_DAYS, first_day=date(2026, 2, 1), last_day=date(2026, 2, 20))
REFUNDS = finding(
    "F.",
    kind=FindingKind.FOREIGN_REFUNDS,
    facts=("orders",),
    columns=("refunded_amount",),
    platform="shopify",
    account="main",
)


class Found:
    """A star whose run was published with findings."""

    def __init__(self, star: HandStar, *findings: Finding) -> None:
        self.model = replace(star.model, catalog=replace(star.model.catalog, findings=findings))
        self.cursor = star.cursor

    def ask(self, **query: Any) -> Answer:
        return run_query(read_query(query), self.model, self.cursor, today=TODAY)

    def said(self, **query: Any) -> list[str]:
        """The notes of an answer that are findings, whose sentences are short."""
        return [note for note in self.ask(**query).notes if len(note) == 2]

    def rows(self, *metrics: str, **query: Any) -> list[list[Any]]:
        return list(self.ask(metrics=list(metrics), **query).rows)


@pytest.fixture(scope="module")
def without_ads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    star = hand_shop(tmp_path_factory.mktemp("without_ads"))
    star.rows["ad_performance"] = []
    yield star
    star.close()


def test_a_finding_is_said_with_every_metric_of_its_fact_and_with_no_other(shop: HandStar) -> None:
    star = Found(shop, finding("W."), REFUNDS)
    assert star.said(metrics=["spend"]) == ["W."]
    assert star.said(metrics=["roas"]) == ["W."]
    assert star.said(metrics=["sessions"]) == []
    assert star.said(metrics=["orders", "order_revenue"]) == []
    assert star.said(metrics=["net_order_revenue"]) == ["F."]
    assert sorted(star.said(metrics=["refunded_amount", "clicks"])) == ["F.", "W."]


@pytest.mark.parametrize(
    ("filters", "is_said"),
    [
        ([{"name": "ad_platform", "op": "=", "value": "tiktok_ads"}], True),
        ([{"name": "ad_platform", "op": "=", "value": "google_ads"}], False),
        ([{"name": "ad_platform", "op": "in", "value": ["google_ads", "tiktok_ads"]}], True),
        ([{"name": "ad_platform", "op": "not_in", "value": ["google_ads", "tiktok_ads"]}], False),
        ([{"name": "ad_platform", "op": "!=", "value": "google_ads"}], True),
        ([{"name": "ad_platform", "op": "starts_with", "value": "goo"}], False),
        ([{"name": "ad_platform", "op": "is_null"}], False),
        ([{"name": "account", "op": "=", "value": "main"}], False),
        ([{"name": "campaign_name", "op": "=", "value": "Alpha"}], True),
    ],
)
def test_a_filter_on_the_source_leaves_out_findings_of_other_sources(
    shop: HandStar, filters: list[dict[str, Any]], is_said: bool
) -> None:
    assert Found(shop, finding("W.")).said(metrics=["spend"], filters=filters) == (["W."] if is_said else [])


@pytest.mark.parametrize(
    ("days", "is_said"),
    [
        ({"start": "2026-02-20", "end": "2026-03-31"}, True),
        ({"start": "2026-02-21"}, False),
        ({"end": "2026-01-31"}, False),
        ({"end": "2026-02-01"}, True),
    ],
)
def test_a_time_range_leaves_out_findings_of_other_days(shop: HandStar, days: dict[str, str], is_said: bool) -> None:
    assert Found(shop, RANGE).said(metrics=["spend"], time_range=days) == (["R."] if is_said else [])


def test_the_period_before_is_read_too(shop: HandStar) -> None:
    march = {"start": "2026-03-01", "end": "2026-03-31"}
    assert Found(shop, RANGE).said(metrics=["spend"], time_range=march, compare="previous_period") == ["R."]


def test_a_filter_on_the_date_leaves_out_findings_of_other_days(shop: HandStar) -> None:
    for op, day, is_said in (
        ("=", "2026-02-03", 1),
        ("=", "2026-01-10", 0),
        ("<", "2026-01-31", 0),
        (">", "2026-02-19", 1),
    ):
        filters = [{"name": "date", "op": op, "value": day}]
        assert Found(shop, RANGE).said(metrics=["spend"], filters=filters) == ["R."] * is_said


def test_the_five_heaviest_are_said_and_the_others_are_counted(shop: HandStar) -> None:
    findings = [finding(f"{n}.", weight=n / 10, kind=FindingKind.UNUSUAL_VALUES) for n in range(8)]
    notes = Found(shop, *findings).ask(metrics=["spend"]).notes
    assert notes[:6] == (
        "7.",
        "6.",
        "5.",
        "4.",
        "3.",
        "And 3 more findings: get_status (`gata status`) lists them.",
    )


def test_the_next_step_is_said_with_it(shop: HandStar) -> None:
    assert "So it is. Do this." in Found(shop, finding("So it is.", next_step="Do this.")).ask(metrics=["clicks"]).notes


def test_a_stream_of_rows_carries_the_notes_of_an_answer(shop: HandStar) -> None:
    star = Found(shop, finding("W."))
    query = read_query({"metrics": ["ad_conversions"], "dimensions": ["ad_platform"]})
    with stream_result(query, star.model, star.cursor, today=TODAY) as stream:
        list(stream.batches)
        notes = stream.answer().notes
    assert notes == star.ask(metrics=["ad_conversions"], dimensions=["ad_platform"]).notes
    assert "W." in notes


TIKTOK = {"filters": [{"name": "ad_platform", "op": "=", "value": "tiktok_ads"}]}


def test_of_a_source_whose_file_is_withheld_the_number_is_unknown_and_not_0(shop: HandStar) -> None:
    star = Found(shop, finding("W."))
    assert star.rows("spend", "clicks", "ctr", **TIKTOK) == [[None, None, None]]
    assert star.rows("spend") == [[360]]
    assert star.rows("sessions", time_range={"end": "2025-12-31"}) == [[None]]
    assert star.rows("spend", time_range={"end": "2025-12-31"}) == [[None]]
    assert star.rows("spend", "sessions", dimensions=["date"], time_grain="month")[-1] == ["2026-04-01", None, 1]


def test_a_source_that_only_a_finding_names_may_be_filtered(shop: HandStar) -> None:
    with pytest.raises(UnknownName):
        shop.ask(metrics=["spend"], **TIKTOK)
    assert Found(shop, finding("W.")).said(metrics=["spend"], **TIKTOK) == ["W."]


def test_a_fact_is_said_to_have_no_rows_yet_where_nothing_of_it_was_kept_out(without_ads: HandStar) -> None:
    answer = without_ads.ask(metrics=["spend", "clicks"])
    assert (answer.rows, "ad_performance has no rows yet." in answer.notes) == (([None, None],), True)


@pytest.mark.parametrize(
    "kind", [FindingKind.WITHHELD_FILE, FindingKind.UNREADABLE_FILE, FindingKind.QUARANTINED_RECORDS]
)
def test_a_fact_without_rows_of_which_some_were_kept_out_is_unknown(without_ads: HandStar, kind: FindingKind) -> None:
    answer = Found(without_ads, finding("W.", kind=kind)).ask(metrics=["spend", "blended_roas"])
    assert answer.rows == ([None, None],)
    assert "W." in answer.notes
    assert not any("no rows yet" in note for note in answer.notes)


def test_some_records_in_quarantine_leave_the_others_a_number(shop: HandStar) -> None:
    star = Found(shop, finding("Q.", kind=FindingKind.QUARANTINED_RECORDS, weight=0.1))
    assert star.rows("spend", time_range={"start": "2026-01-11", "end": "2026-01-12"}) == [[0]]
    assert star.said(metrics=["spend"]) == ["Q."]


def test_rows_of_either_platform_of_meta_may_be_in_a_file_of_the_other(shop: HandStar) -> None:
    star = Found(shop, finding("W.", platform="facebook_ads", counts_as=("facebook_ads", "instagram_ads")))
    filters = [{"name": "ad_platform", "op": "=", "value": "instagram_ads"}]
    assert star.said(metrics=["spend"], filters=filters) == ["W."]


def test_the_findings_of_a_run_are_those_in_its_file_and_none_where_it_is_damaged(tmp_path: Path) -> None:
    run_dir = hand_shop(tmp_path).write()
    assert load_model(run_dir).catalog.findings == ()
    (run_dir / "findings.json").write_text(findings_json([REFUNDS]), encoding="utf-8")
    assert load_model(run_dir).catalog.findings == (REFUNDS,)
    (run_dir / "findings.json").write_text("damaged", encoding="utf-8")
    assert load_model(run_dir).catalog.findings == ()
