"""A guided analysis as text: a task, the calls that answer it, and how to answer.

A call is planned and its values are looked up like those of any caller, so a wrong name or value is refused with its
repair, and what is written can be sent as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.errors import QueryError

if TYPE_CHECKING:
    from server.serving.call_context import CallContext

Arguments = dict[str, Any]  # Any: as a caller sends them


@dataclass(frozen=True)
class GuideStep:
    """One call of a guided analysis."""

    title: str
    arguments: Arguments
    tool: str = "query"
    is_optional: bool = False
    """Left out where the data cannot answer it, rather than refused."""


@dataclass(frozen=True)
class Guide:
    """A task, its calls, and how to answer."""

    task: str
    steps: tuple[GuideStep, ...]
    ending: str

    def text(self) -> str:
        listed = "\n".join(
            f"{n}. {step.title} ({step.tool}):\n   {json.dumps(step.arguments, ensure_ascii=False)}"
            for n, step in enumerate(self.steps, 1)
        )
        return (
            f"{self.task} Send each call as it stands, then ask what the answers lead to.\n\n{listed}\n\n{self.ending}"
        )


def checked_guide(guide: Guide, call: CallContext) -> Guide:
    """The guide, once every call is known to be answered; without the optional ones that are not.

    Raises:
        QueryError: A call names what does not exist, or cannot be answered; carries the repair.
    """
    return replace(guide, steps=tuple(_answerable(guide.steps, call)))


def _answerable(steps: Iterable[GuideStep], call: CallContext) -> Iterable[GuideStep]:
    for step in steps:
        try:
            _check(step, call)
        except QueryError:
            if step.is_optional:
                continue
            raise
        yield step


def _check(step: GuideStep, call: CallContext) -> None:
    from semantic.answering.dimension_values import check_values
    from semantic.answering.explain.change_request import read_change_request
    from semantic.answering.explain.checked_change import check_change
    from semantic.answering.run_query import prepare_query
    from semantic.planning.query import read_query

    today, model = call.settings.today or call.settings.now(), call.run.model
    if step.tool == "explain_change":
        check_change(read_change_request(step.arguments), model, call.cursor, today=today)
    else:
        prepared = prepare_query(read_query(step.arguments), model, today=today)
        check_values(prepared.filter_values, model, call.cursor)
