"""Writes the definitions of a run as YAML that the loader of Boring Semantic Layer reads, one model per table.

A fact joins the tables of its dimensions itself, the farther ones by a key of a nearer one: a table joins nothing while
another joins it, so that no table comes twice. What one such model cannot say right is listed under `left_out`, which
the loader passes over: metrics of several facts, whose rows one tree of joins would repeat or cross, and measures of
rows that a column of another table selects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from semantic.catalog.catalog import Metric
from semantic.catalog.expression import columns_in
from semantic.catalog.formula import to_text
from semantic.catalog.run_definitions import SelectionCondition
from semantic.interchange.shared_run import SharedRun, yaml_text
from semantic.planning.currency_rules import catalog_unit

Tree = dict[str, object]

_HEAD = """\
Definitions of {tenant}, run {run_id}, for Boring Semantic Layer. Written by `gata export --format bsl`.

    con = ibis.duckdb.connect("<home>/published/{tenant}/{run_id}/stars.duckdb", read_only=True)
    models = boring_semantic_layer.from_yaml(THIS_FILE, tables={{name: con.table(name) for name in con.list_tables()}})

Money is in the currency that `unit` names; where that is "currency", in the one of each row: group by it.
A sum over no rows is empty here, and 0 in an answer of gata.""".splitlines()
_COMPARISONS = {"=": "==", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


def bsl_yaml(run: SharedRun) -> str:
    """Write the models of a run; the same run gives the same bytes."""
    facts = _joining_first(run)
    models: dict[str, object] = {fact: _fact(run, fact) for fact in facts}
    models |= {table: _table(run, table) for table in run.joined_tables}
    left_out = [*_several_facts(run), *_selected_elsewhere(run), *_unreached(run)]
    head = [line.format(tenant=run.definitions.tenant, run_id=run.run_id) for line in _HEAD]
    return yaml_text(head, models | ({"left_out": left_out} if left_out else {}))


def _joining_first(run: SharedRun) -> list[str]:
    """The facts, each before those that it joins: the loader gives a joined model as it is then, without its joins."""
    left = sorted(run.catalog.facts)
    joined = {fact: set(run.tables_on_the_way(fact)) for fact in left}
    ordered: list[str] = []
    while left:
        free = [fact for fact in left if not any(fact in joined[other] for other in left if other != fact)]
        ordered.append((free or left)[0])
        left.remove(ordered[-1])
    return ordered


def _table(run: SharedRun, name: str) -> Tree:
    model = run.definitions.models[name]
    return {
        "table": model.table,
        "description": model.description,
        "dimensions": {key: _dimension(run, key, text) for key, text in run.dimensions_of(name).items()},
    }


def _fact(run: SharedRun, name: str) -> Tree:
    measures = {key: text for key, text in run.measures_of(name).items() if _is_own(run, name, text)}
    formulas = {
        key: metric
        for key, metric in run.formulas_of([name]).items()
        if all(base in measures for base in run.bases_of(metric))
    }
    tree = _table(run, name)
    tree["measures"] = {
        key: _measure(run, run.catalog.metrics[key], _with_conditions(run, name, text))
        for key, text in measures.items()
    }
    if formulas:
        tree["calculated_measures"] = {key: _measure(run, metric, _formula(metric)) for key, metric in formulas.items()}
    if joins := {to: join for to, (join, problem) in _joins(run, name).items() if problem is None}:
        tree["joins"] = joins
    return tree


def _dimension(run: SharedRun, name: str, expression: str) -> Tree:
    entry = run.catalog.dimensions[name]
    time = {"is_time_dimension": True, "smallest_time_grain": "TIME_GRAIN_DAY"} if entry.type == "date" else {}
    about: Tree = {"label": entry.label, "synonyms": list(entry.synonyms), "type": entry.type, "note": entry.note}
    return {"expr": expression, "description": entry.description, **time, "metadata": _without_empty(about)}


def _measure(run: SharedRun, metric: Metric, expression: str) -> Tree:
    about: Tree = {
        "label": metric.label,
        "unit": catalog_unit(metric, run.catalog),
        "synonyms": list(metric.synonyms),
        "note": metric.note,
        "hidden": metric.hidden,
    }
    return {"expr": expression, "description": metric.description, "metadata": _without_empty(about)}


def _without_empty(about: Tree) -> Tree:
    return {key: value for key, value in about.items() if value}


def _joins(run: SharedRun, fact: str) -> dict[str, tuple[Tree, str | None]]:
    """The joins of a fact in their order, each with what is wrong with it.

    A key of a nearer table is named bare in the rows that are joined so far: where one of those has a column of the
    same name, it would be taken instead.
    """
    models, found = run.definitions.models, dict[str, tuple[Tree, str | None]]()
    for to, path in run.tables_on_the_way(fact).items():
        holder = path[-2] if len(path) > 1 else fact
        join = models[holder].joins[to]
        before = [fact, *list(found)]
        others = [each for each in before[: before.index(holder)] if join.left_on in run.columns[models[each].table]]
        problem = f"its key {join.left_on} of {holder} is a column of {others[0]} too" if others else None
        if len(path) > 1 and found[holder][1]:
            problem = found[holder][1]
        keys: Tree = {"model": to, "type": join.type, "left_on": join.left_on, "right_on": join.right_on}
        found[to] = (keys, problem)
    return found


def _formula(metric: Metric) -> str:
    """Its formula over measures; a quotient with a denominator of 0 is empty."""
    return to_text(metric.formula, "_.{}".format, divisor="{}.nullif(0)".format)


def _flags(run: SharedRun, fact: str, measure: str) -> dict[str, tuple[SelectionCondition, ...]]:
    """The flags of rows that a measure reads, with their conditions."""
    conditions = {column: run.conditions_of(fact, column) for column in columns_in(measure)}
    return {column: each for column, each in conditions.items() if each is not None}


def _is_own(run: SharedRun, fact: str, measure: str) -> bool:
    """Whether a measure reads columns of its own table alone."""
    return not any(each.through for conditions in _flags(run, fact, measure).values() for each in conditions)


def _with_conditions(run: SharedRun, fact: str, measure: str) -> str:
    for flag, conditions in _flags(run, fact, measure).items():
        text = " & ".join(f"({_condition(each)})" for each in conditions)
        measure = f"({text})".join(re.split(rf"_\.{flag}\b", measure))
    return measure


def _condition(condition: SelectionCondition) -> str:
    """A condition on a column of the table itself, as an expression."""
    value = condition.expression or f"_.{condition.column}"
    given = [_constant(each, condition.type) for each in condition.values]
    match condition.op:
        case "in" | "not_in":
            return f"{value}.{'isin' if condition.op == 'in' else 'notin'}([{', '.join(given)}])"
        case "between":
            return f"{value}.between({', '.join(given)})"
        case "contains":
            return f"{value}.lower().contains({given[0].lower()})"
        case "starts_with":
            return f"{value}.lower().startswith({given[0].lower()})"
        case "is_null" | "is_not_null":
            return f"{value}.{'isnull' if condition.op == 'is_null' else 'notnull'}()"
    return f"{value} {_COMPARISONS[condition.op]} {given[0]}"


def _constant(value: str | bool | float, type_: str) -> str:
    """A value as Python writes it; numbers are kept as text where they are exact."""
    return str(float(value)) if type_ == "number" and isinstance(value, str) else repr(value)


def _several_facts(run: SharedRun) -> Iterator[Tree]:
    for name in run.catalog.askable_metrics:
        facts = run.catalog.facts_of(name)
        if len(facts) > 1:
            formula = _formula(run.catalog.metrics[name])
            why = f"It is of {' and '.join(facts)}: ask each alone, and combine them by what they share."
            yield {"metric": name, "expr": formula, "why": why}


def _selected_elsewhere(run: SharedRun) -> Iterator[Tree]:
    for fact in sorted(run.catalog.facts):
        measures: Mapping[str, str] = run.measures_of(fact)
        others = {name for name, text in measures.items() if not _is_own(run, fact, text)}
        for name in run.catalog.askable_metrics:
            if run.catalog.facts_of(name) == (fact,) and others & set(run.bases_of(run.catalog.metrics[name])):
                yield {"metric": name, "why": "A column of another table selects its rows."}


def _unreached(run: SharedRun) -> Iterator[Tree]:
    for fact in sorted(run.catalog.facts):
        for to, (_, problem) in _joins(run, fact).items():
            if problem:
                yield {"join": f"{fact} to {to}", "why": f"{problem[0].upper()}{problem[1:]}."}
