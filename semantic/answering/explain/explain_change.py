"""Explains the change of a metric: reads its parts in both windows, by dimension and by day, and decomposes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import duckdb

from pipeline.errors import QueryError
from semantic.answering.execute import with_deadline
from semantic.answering.explain.change_request import ChangeRequest
from semantic.answering.explain.checked_change import check_change
from semantic.answering.explain.daily_values import DailyReader
from semantic.answering.explain.effects import (
    Member,
    concentration,
    effects_of,
    own_values,
    part_effects,
    quotient,
    remainder,
)
from semantic.answering.explain.explanation import Breakdown, Explanation, RatioPart
from semantic.answering.explain.member_sums import ReadMembers, SumReader
from semantic.answering.explain.metric_parts import MetricParts
from semantic.answering.semantic_model import SemanticModel
from semantic.catalog.formula import Formula, to_text
from semantic.planning.window import Window


def explain_change(
    request: ChangeRequest,
    model: SemanticModel,
    cursor: duckdb.DuckDBPyConnection,
    *,
    today: date,
    timeout_seconds: float = 30,
) -> Explanation:
    """Explain the change of a metric between two windows.

    Args:
        request: The metric, its days and filters, and the dimensions to choose from.
        model: The run's definitions.
        cursor: On the run's stars, used by this call only.
        today: As for `run_query`.
        timeout_seconds: The time limit of all its statements together.

    Raises:
        QueryError: The metric does not add up over members, or a window has no data; names the way that works.
        TooMuch: The warehouse worked for `timeout_seconds`.
    """
    with with_deadline(cursor, timeout_seconds):
        checked = check_change(request, model, cursor, today=today)
        reader = SumReader(checked.query, checked.parts, model, today, cursor)
        total = reader.total()
        _check_known(request.metric, checked.parts, total)
        chosen, concentrations = _breakdown([reader.by(name) for name in checked.dimensions], total)
        prepared = checked.prepared
        unknown = prepared.count_unknown(cursor)
        days = DailyReader(checked.query, prepared.planned, model, today, cursor)
        sides = quotient(total)
        answer = prepared.without_rows(
            is_empty=False, truncated=False, filter_notes=checked.notes, unknown_rows=unknown
        )
        return Explanation(
            metric=request.metric,
            unit=next(column["unit"] for column in answer.columns if column["name"] == request.metric),
            sides=sides,
            compared_with=_days(prepared.planned.previous),
            parts=_ratio_parts(checked.parts, total),
            breakdown=chosen and days.with_onsets(chosen),
            concentrations=concentrations,
            onset=days.onset(sides.change),
            covered=checked.covered,
            about={name: getattr(answer, name) for name in ("time_range", "filters", "as_of", "run_id")},
            notes=answer.notes,
        )


def _check_known(metric: str, parts: MetricParts, total: Member) -> None:
    if None not in own_values(total):
        return
    if not (total.is_known and total.was_known) or parts.denominator is None:
        raise QueryError(
            f"{metric} is not known in one of the two windows: no row says it.", "Choose days for which query has it."
        )
    by = _text(parts.denominator)
    raise QueryError(
        f"{metric} has no value in one of the two windows: its {by} is 0 there.",
        f"Explain {_text(parts.numerator)}, or choose days with {by}.",
    )


def _breakdown(read: Sequence[ReadMembers], total: Member) -> tuple[Breakdown | None, dict[str, Decimal]]:
    """The most concentrated breakdown, and the concentration of each; one that was read in full goes first."""
    found = [(each.is_cut, _effects(each, total)) for each in read]
    ordered = sorted(found, key=lambda each: (each[0], -each[1].concentration, len(each[1].effects)))
    if not ordered:
        return None, {}
    return ordered[0][1], {each.dimension: each.concentration for _, each in ordered}


def _effects(read: ReadMembers, total: Member) -> Breakdown:
    rest = remainder(read.members, total)
    effects = effects_of([*read.members, *([rest] if rest else [])], total)
    return Breakdown(
        dimension=read.dimension,
        effects=tuple(effect for effect in effects if effect.member is not rest),
        rest=next((effect for effect in effects if effect.member is rest), None) if rest else None,
        concentration=concentration(effects),
        onsets={},
    )


def _ratio_parts(parts: MetricParts, total: Member) -> tuple[RatioPart, ...]:
    if parts.denominator is None or total.denominator is None:
        return ()
    effects = part_effects(total)
    return (
        RatioPart(name=_text(parts.numerator), sides=total.numerator, effect=effects[0]),
        RatioPart(name=_text(parts.denominator), sides=total.denominator, effect=effects[1]),
    )


def _text(formula: Formula) -> str:
    return to_text(formula, str)


def _days(window: Window | None) -> dict[str, str | None] | None:
    return {"start": str(window.start), "end": str(window.end)} if window else None
