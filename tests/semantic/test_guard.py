"""Gates of a run: totals beside the last one, and days far from usual, which travel with answers about them alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.bands import usual_of_weekday
from pipeline.gates.finding import findings_json
from pipeline.gates.gate_result import GateResult, GateStatus, found
from pipeline.gates.run_measures import MetricTotal
from semantic.answering.guard.run_gates import run_results
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import load_model
from semantic.planning.query import read_query
from tests.semantic.hand_star import HandStar

TODAY = date(2026, 4, 15)
ODD = date(2026, 4, 12)


def weeks_of(count: int, *, odd: int = 1000) -> list[dict[str, object]]:
    """Ads of so many weeks before `ODD` and of the day after it: 100 a day in EUR, and `odd` on the day."""
    days = [ODD - timedelta(days=back) for back in range(count * 7, -2, -1)]
    return [{"report_date": day, "spend": odd if day == ODD else 100, "clicks": 10, "impressions": 90} for day in days]


def run_of(folder: Path, rows: Sequence[dict[str, object]]) -> Path:
    star = HandStar(folder).add("ad_performance", *rows)
    return star.cover("2026-01-01", "2026-04-13", "ad_performance").write()


def judged(
    run_dir: Path, rules: GateRules | None = None, *before: MetricTotal
) -> tuple[list[GateResult], list[MetricTotal]]:
    stars = run_dir / "stars.duckdb"
    return run_results(load_model(run_dir), stars, rules or GateRules(), today=TODAY, before=before)


@pytest.fixture(scope="module")
def odd_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(tmp_path_factory.mktemp("odd"), weeks_of(6))


def notes(run_dir: Path, **query: object) -> list[str]:
    with duckdb.connect(str(run_dir / "stars.duckdb"), read_only=True) as cursor:
        answer = run_query(read_query(query), load_model(run_dir), cursor, today=TODAY)
    return [note for note in answer.notes if "usual" in note]


def test_a_day_far_from_its_weekday_is_found_once_by_its_own_metric(odd_run: Path) -> None:
    (result,) = (each for each in judged(odd_run)[0] if each.finding)
    assert (result.gate, result.table, result.status) == ("metric_band", "spend in EUR", GateStatus.WARNED)
    assert (result.value, result.threshold) == (Decimal(90), Decimal(6))
    finding = result.finding
    assert finding is not None
    assert finding.sentence == "spend in EUR of 2026-04-12 is 1,000, and 100 is usual on that weekday."
    assert (finding.facts, finding.metrics) == (("ad_performance",), ("spend",))
    assert (finding.first_day, finding.last_day) == (ODD, ODD)
    assert finding.next_step


def test_its_finding_travels_with_answers_about_that_metric_and_day_alone(odd_run: Path) -> None:
    (odd_run / "findings.json").write_text(findings_json(found(judged(odd_run)[0])), encoding="utf-8")
    on_the_day = {"time_range": {"start": "2026-04-12", "end": "2026-04-13"}}
    assert len(notes(odd_run, metrics=["spend"], **on_the_day)) == 1
    assert len(notes(odd_run, metrics=["cpc"], **on_the_day)) == 1  # a ratio of it
    assert len(notes(odd_run, metrics=["spend"])) == 1
    assert notes(odd_run, metrics=["clicks"], **on_the_day) == []
    assert notes(odd_run, metrics=["spend"], time_range={"end": "2026-04-11"}) == []


@pytest.mark.parametrize(
    ("weeks", "odd", "status"),
    [
        (3, 1000, GateStatus.SILENT),
        (4, 1000, GateStatus.WARNED),
        (4, 160, GateStatus.PASSED),
        (4, 161, GateStatus.WARNED),
        (4, 40, GateStatus.PASSED),
        (4, 39, GateStatus.WARNED),
    ],
)
def test_a_band_needs_four_weeks_and_its_edges_are_inside(
    tmp_path: Path, weeks: int, odd: int, status: GateStatus
) -> None:
    results = judged(run_of(tmp_path, weeks_of(weeks, odd=odd)))[0]
    assert {each.status for each in results if each.table == "spend in EUR" and each.gate == "metric_band"} == {status}


def test_a_day_with_nothing_is_judged_too_while_it_is_covered(tmp_path: Path) -> None:
    rows = [row for row in weeks_of(5) if row["report_date"] != ODD]
    results = judged(run_of(tmp_path, rows))[0]
    sentences = [each.finding.sentence for each in results if each.finding]
    assert "spend in EUR of 2026-04-12 is 0, and 100 is usual on that weekday." in sentences


def test_a_setting_holds_the_run_or_turns_the_gate_off(odd_run: Path) -> None:
    held = GateRules({"metric_band": GateSetting(severity=Severity.ERROR)})
    assert [each.status for each in judged(odd_run, held)[0] if each.finding] == [GateStatus.FAILED]
    off = GateRules({"metric_band": GateSetting(severity=Severity.OFF)})
    assert found(judged(odd_run, off)[0]) == ()
    wide = GateRules({"metric_band": GateSetting(threshold=Decimal(90))})
    assert found(judged(odd_run, wide)[0]) == ()


def test_totals_are_compared_over_the_days_of_the_last_run(odd_run: Path) -> None:
    _, totals = judged(odd_run)
    spend = next(each for each in totals if each.metric == "spend")
    assert (spend.currency, spend.through, spend.total) == ("EUR", date(2026, 4, 13), Decimal(5300))
    earlier = MetricTotal(metric="spend", currency="EUR", through=date(2026, 4, 11), total=Decimal(4200))
    quiet = GateRules({"metric_band": GateSetting(severity=Severity.OFF)})
    assert found(judged(odd_run, quiet, earlier)[0]) == ()
    for total, is_found in ((4666, False), (4667, True), (3819, False), (3818, True)):
        (result,) = (
            each
            for each in judged(odd_run, quiet, earlier.model_copy(update={"total": Decimal(total)}))[0]
            if each.gate == "metric_totals" and each.table == "spend in EUR"
        )
        assert (result.finding is not None) is is_found, total
    (finding,) = found(judged(odd_run, quiet, earlier.model_copy(update={"total": Decimal(8400)}))[0])
    assert finding.sentence == "spend in EUR up to 2026-04-11 is 4,200, and was 8,400 in the last published run."


def test_a_currency_that_is_gone_is_a_change_of_all_of_it(odd_run: Path) -> None:
    gone = MetricTotal(metric="spend", currency="USD", through=date(2026, 4, 13), total=Decimal(10))
    quiet = GateRules({"metric_band": GateSetting(severity=Severity.OFF)})
    (finding,) = found(judged(odd_run, quiet, gone)[0])
    assert (finding.value, finding.currency) == (1, "USD")


def test_what_is_usual_on_a_weekday_is_a_median_of_at_most_eight_weeks() -> None:
    day = date(2026, 4, 12)
    values = {day - timedelta(weeks=back): Decimal(back) for back in range(1, 20)}
    usual = usual_of_weekday(values, day)
    assert usual is not None
    assert (usual.middle, usual.spread) == (Decimal("4.5"), Decimal(2) * Decimal("1.4826"))
