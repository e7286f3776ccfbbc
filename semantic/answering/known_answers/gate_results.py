"""The gate of questions with known answers: one result for each, which travels with answers about its metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.gate_result import GateResult, judge
from semantic.answering.known_answers.ask_known import AskedQuestion, Verdict
from semantic.catalog.catalog import Catalog
from semantic.catalog.formula import metric_names

GATE = "known_answers"


def known_answer_results(asked: Iterable[AskedQuestion], rules: GateRules, catalog: Catalog) -> Iterator[GateResult]:
    """A result for each question; a finding quotes the question, and no value of an answer."""
    for each in asked:
        names = [name for name in each.metrics if name in catalog.metrics]
        base = tuple(dict.fromkeys(one for name in names for one in metric_names(catalog.metrics[name].formula)))
        facts = tuple(dict.fromkeys(fact for name in names for fact in catalog.facts_of(name)))
        how = "is refused" if each.verdict is Verdict.REFUSED else "has another answer than the known one"
        yield judge(
            rules,
            GATE,
            each.known.question,
            int(each.verdict is not Verdict.RIGHT),
            f"The question {each.known.question!r} {how}.",
            facts=facts,
            metrics=base,
        )
