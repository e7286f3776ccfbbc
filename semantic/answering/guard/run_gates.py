"""Gates of a run before it is published: totals beside the last run, and days far from what is usual.

A day on which a key figure is far from the median of its weekday is published with a finding that travels with the
answers about that metric and day; where the gate has the severity error it holds the run in strict mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.bands import Usual, spreads_away, usual_of_weekday
from pipeline.gates.finding import FindingKind
from pipeline.gates.gate_result import GateResult, judge
from pipeline.gates.run_measures import MetricTotal
from pipeline.storage.build_memory import UNLIMITED, DuckDbMemory
from semantic.answering.guard.key_figures import DAYS_JUDGED, FigureReader, Series
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.catalog import Catalog

_PLACES = Decimal("0.000001")


def run_results(
    model: SemanticModel,
    stars: Path,
    rules: GateRules,
    *,
    today: date,
    before: Sequence[MetricTotal] = (),
    memory: DuckDbMemory = UNLIMITED,
) -> tuple[list[GateResult], list[MetricTotal]]:
    """Judge the key figures of a run, and add up their totals for the next run.

    Args:
        model: The definitions of the run, with its coverage; they compile.
        stars: Its tables.
        rules: Severities and thresholds of its tenant.
        today: Days from it on are not over.
        before: The totals of the last published run.
        memory: Of the DuckDB instance that reads the tables.
    """
    results = [judge(rules, "definitions_compile", "semantic.yml", 0, "")]
    if not any(rules.is_on(gate) for gate in ("metric_totals", "metric_band")):
        return results, []
    with duckdb.connect(str(stars), read_only=True, config={**memory}) as cursor:
        reader = FigureReader(model, cursor, today)
        last = reader.last_days()
        totals = reader.totals(last)
        if rules.is_on("metric_totals"):
            results += _totals(reader, totals, last, rules, before)
        if rules.is_on("metric_band"):
            results += _bands(reader.by_day(last), last, rules, model.catalog)
    kept = [
        MetricTotal(metric=metric, currency=currency, through=last[_fact(model.catalog, metric)], total=total)
        for (metric, currency), total in totals.items()
    ]
    return results, kept


def _fact(catalog: Catalog, metric: str) -> str:
    return catalog.metrics[metric].fact or ""


def _name(series: Series) -> str:
    metric, currency = series
    return f"{metric} in {currency}" if currency else metric


def _totals(
    reader: FigureReader,
    totals: Mapping[Series, Decimal],
    last: Mapping[str, date],
    rules: GateRules,
    before: Sequence[MetricTotal],
) -> Iterator[GateResult]:
    """A result for each key figure: its total over the days of the last published run, beside what it was there."""
    catalog = reader.model.catalog
    earlier = {(each.metric, each.currency): each for each in before if each.metric in catalog.metrics}
    through = {fact: each.through for (metric, _), each in earlier.items() if (fact := _fact(catalog, metric)) in last}
    now = totals if all(through[fact] == last[fact] for fact in through) else reader.totals(through)
    for series in sorted({*totals, *earlier}, key=_name):
        metric, currency = series
        one = earlier.get(series)
        if one is None or _fact(catalog, metric) not in last:
            yield judge(rules, "metric_totals", _name(series), None, "")
            continue
        total = now.get(series, Decimal(0))
        change = abs(total - one.total) / abs(one.total) if one.total else Decimal(total != 0)
        sentence = (
            f"{_name(series)} up to {one.through} is {_plain(total)}, and was {_plain(one.total)} in the last "
            f"published run."
        )
        yield judge(
            rules,
            "metric_totals",
            _name(series),
            change.quantize(_PLACES),
            sentence,
            facts=(_fact(catalog, metric),),
            metrics=(metric,),
            currency=currency,
            last_day=one.through,
        )


def _bands(
    values: Mapping[Series, Mapping[date, Decimal]], last: Mapping[str, date], rules: GateRules, catalog: Catalog
) -> Iterator[GateResult]:
    """A result for each key figure and day that is far from usual; one where none is."""
    for series in sorted(values, key=_name):
        end = last[_fact(catalog, series[0])]
        days = [end - timedelta(days=back) for back in range(DAYS_JUDGED)]
        judged = [
            _band(rules, series, _fact(catalog, series[0]), (day, values[series].get(day, Decimal(0))), usual)
            for day in sorted(days)
            if (usual := usual_of_weekday(values[series], day))
        ]
        outside = [each for each in judged if each.finding]
        if outside:
            yield from outside
        elif judged:
            yield max(judged, key=lambda each: each.value or Decimal(0))
        else:
            yield judge(rules, "metric_band", _name(series), None, "")


def _band(rules: GateRules, series: Series, fact: str, on: tuple[date, Decimal], usual: Usual) -> GateResult:
    (metric, currency), (day, value) = series, on
    sentence = f"{_name(series)} of {day} is {_plain(value)}, and {_plain(usual.middle)} is usual on that weekday."
    return judge(
        rules,
        "metric_band",
        _name(series),
        spreads_away(value, usual),
        sentence,
        kind=FindingKind.UNUSUAL_DAY,
        facts=(fact,),
        metrics=(metric,),
        currency=currency,
        first_day=day,
        last_day=day,
    )


def _plain(number: Decimal) -> str:
    """A number with its thousands apart, and at most two decimals."""
    text = f"{number:,.2f}"
    return text.removesuffix(".00")
