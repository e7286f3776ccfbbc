"""The mutation bench: what it changes, that it can fail, and that no engine is left out. `python -P -m bench.mutations`
itself takes minutes; one small engine is judged here."""

from __future__ import annotations

from time import perf_counter

import pytest

from bench.engine_trials import connectors, macros, shared_macros, trial_of, trials_of
from bench.equivalent_mutants import RULES, Rule
from bench.macro_source import Macro, Mutant
from bench.mutants import mutants
from bench.mutations import QUICK, Bench, Verdict, judge, of_macro, sources, verdict, wrong
from pipeline.config.engine_cases import Case, Row, unit_test_cases
from pipeline.contracts.fields import Leaf, Meaning, Record
from warehouse.projects.engines import engines_like

CHARGES = "engine_stripe_charges"
(STRIPE,) = engines_like("stripe")
REPORT = Record((("cost", Leaf("BIGINT", Meaning.MICROS)), ("budget", Leaf("BIGINT", Meaning.MICROS))))
MACRO = """{% macro engine_of_nobody(tenant, platform, currency) -%}
select
    {{ cast_as('reports.day', 'utc_time') }} as day,
    coalesce({{ cast_as('reports.cost', 'micros') }}, 0) as spend,
    case when reports.kind = 'ad' then {{ currency }} end as currency
from {{ ref('int_' ~ tenant ~ '__reports') }} as reports
left join ads on ads.id = reports.id
qualify row_number() over (partition by reports.id, reports.day order by reports.at) = 1
{%- endmacro %}"""


def changes(kind: str) -> list[str]:
    """What the lines become in the mutants of a kind."""
    return [each.change.split("  ->  ")[1] for each in mutants(Macro(MACRO, [REPORT])) if each.kind == kind]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("column", "coalesce({{ cast_as('reports.budget', 'micros') }}, 0) as spend,"),
        ("table", "left join ads on reports.id = reports.id"),
        ("unit", "coalesce({{ cast_as('reports.cost', 'decimal') }}, 0) as spend,"),
        ("sign", "coalesce((-{{ cast_as('reports.cost', 'micros') }}), 0) as spend,"),
        ("zone", "timezone('Pacific/Honolulu', {{ cast_as('reports.day', 'utc_time') }}) as day,"),
        ("dropped", "{{ cast_as('reports.cost', 'micros') }} as spend,"),
        ("dropped", "case when reports.kind = 'ad' then null end as currency"),
        ("literal", "case when reports.kind = 'other ad' then {{ currency }} end as currency"),
        ("literal", "coalesce({{ cast_as('reports.cost', 'micros') }}, 1) as spend,"),
        ("order", "coalesce(0, {{ cast_as('reports.cost', 'micros') }}) as spend,"),
        ("order", "qualify row_number() over (partition by reports.id, reports.day order by reports.at desc) = 1"),
        ("dropped", "qualify row_number() over (partition by reports.id order by reports.at) = 1"),
        ("filter", "case when true then {{ currency }} end as currency"),
        ("filter", "inner join ads on ads.id = reports.id"),
        ("filter", "left join ads on true"),
        ("boolean", "case when reports.kind <> 'ad' then {{ currency }} end as currency"),
    ],
)
def test_a_mutant_has_one_thing_wrong(kind: str, line: str) -> None:
    assert line in changes(kind)


def test_every_mutant_differs_from_the_macro_and_says_how() -> None:
    made = list(mutants(Macro(MACRO, [REPORT])))
    assert all(each.text != MACRO and len(set(each.change.split("  ->  "))) == 2 for each in made)


def test_comments_and_names_of_inputs_stay_as_they_are() -> None:
    commented = MACRO.replace("select\n", "{#- cost = 'ad' and day -#}\nselect\n", 1)
    kept = "{#- cost = 'ad' and day -#}", "{{ ref('int_' ~ tenant ~ '__reports') }} as reports"
    assert all(each in mutant.text for mutant in mutants(Macro(commented, [REPORT])) for each in kept)


def test_a_number_that_is_only_asked_whether_it_is_there_keeps_its_sign() -> None:
    asked = (
        "{{ zero_if_omitted('spend', [reports.cost, 'clicks']) }} as spend",
        "coalesce(reports.cost, 1) is null as no",
    )
    text = "{% macro engine_of_nobody() -%} select " + ", ".join(asked) + " {%- endmacro %}"
    made = {each.kind for each in mutants(Macro(text, [REPORT]))}
    assert "column" in made
    assert "sign" not in made


def test_a_name_of_an_argument_and_a_value_alone_have_no_mutants() -> None:
    text = "{% macro engine_of_nobody() -%} coalesce({{ of(cost='budget') }}) {%- endmacro %}"
    assert [each.text for each in mutants(Macro(text, [REPORT])) if each.kind in ("column", "dropped")] == [
        text.replace("'budget'", "'cost'")
    ]


@pytest.mark.parametrize("name", connectors())
def test_every_engine_has_cases_and_every_macro_of_a_connector_has_mutants(name: str) -> None:
    made = {macro: list(mutants(source)) for macro, source in sources(name).items()}
    assert all(made.values())
    assert {engine.macro for engine in engines_like(name)} <= made.keys()
    assert {engine.macro for engine in engines_like(name)} == unit_test_cases(name).keys()
    assert {"column", "literal", "dropped"} <= {each.kind for of_one in made.values() for each in of_one}


def test_the_cases_of_an_engine_notice_every_mutant() -> None:
    judged = judge("stripe", QUICK)
    assert judged.survivors == judged.refuted == ()
    made = list(mutants(sources("stripe")[CHARGES]))
    sites = {each.site for each in made if each.site is not None}
    assert judged.killed > len(sites) + sum(each.site is None for each in made) / 2  # most of them are valid SQL


def test_only_the_mutants_that_were_printed_are_run_again() -> None:
    first, *_, last = (each for each in mutants(sources("stripe")[CHARGES]) if each.kind == "literal")
    judged = judge("stripe", only={f"stripe: {first}", f"stripe: {last}", "shopify: no mutant of it"})
    assert (judged.mutants, judged.killed) == (2, 2)
    assert not list(wrong([judged], (), is_part=True))


def test_a_case_that_shows_too_little_lets_mutants_survive() -> None:
    sent: Row = {"id": "ch_1", "amount_captured": 0, "currency": "usd", "status": "succeeded", "captured": True}
    made: Row = {"charge_id": "ch_1", "captured_amount": 0, "currency": "USD"}
    survivors = _judged(Case("nothing was taken", {"charges": [sent]}, [made])).survivors
    assert {"unit", "sign", "zone", "column", "dropped"} <= {each.kind for each in survivors}
    assert any("'micros'" in each.change for each in survivors)


def test_a_case_that_fails_without_any_mutant_is_refused() -> None:
    sent: Row = {"id": "ch_1", "amount_captured": 1234, "currency": "usd"}
    with pytest.raises(ValueError, match=f"The case of {CHARGES} fails as it is"):
        _judged(Case("cents are no dollars", {"charges": [sent]}, [{"captured_amount": 1234}]))


def test_what_no_case_reaches_survives_and_in_shared_macros_is_left_out() -> None:
    never = Mutant("literal", _texts()["cast_as"].replace("'%Y%m%d'", "'%d%m%Y'"), "a date that Stripe never sends")
    bench = Bench.of(trials_of("stripe"), _texts())
    assert bench.notices("cast_as", never) is False
    bench.leaves_out_unreached = True
    assert bench.notices("cast_as", never) is None


def test_a_rule_of_equivalence_holds_for_all_that_it_covers_or_is_refuted() -> None:
    said = [(Mutant("unit", "", "cents  ->  dollars"), True), (Mutant("unit", "", "cents  ->  cents"), False)]
    rule = Rule("stripe", "unit", "-> +(dollars|cents)", "No reason at all.")
    judged = verdict("stripe", iter(said), [rule], perf_counter())
    assert (judged.killed, judged.equivalent, judged.survivors) == (1, 1, ())
    assert list(wrong([judged], [rule])) == [
        "stripe: a case notices unit: cents  ->  dollars, but: No reason at all.",
    ]


def test_a_rule_that_covers_nothing_is_said() -> None:
    rule = Rule("stripe", "unit", "no such change", "It was once so.")
    judged = verdict("stripe", iter(()), [rule], perf_counter())
    assert list(wrong([judged], [rule])) == ["stripe: no mutant is 'no such change', so no rule is needed"]


def test_a_survivor_is_said_with_its_change() -> None:
    judged = verdict("stripe", iter([(Mutant("sign", "", "1  ->  -1"), False)]), [], perf_counter())
    assert list(wrong([judged], [])) == ["stripe: sign: 1  ->  -1"]


def test_rules_of_equivalence_are_of_engines_there_are_and_have_a_reason() -> None:
    assert {rule.engines for rule in RULES} <= {*connectors(), "shared"}
    assert all(rule.why.endswith(".") for rule in RULES)


def _texts() -> dict[str, str]:
    return {**shared_macros(), **macros("stripe")}


def _judged(case: Case) -> Verdict:
    """What becomes of the mutants of Stripe's engine when this is its only case."""
    bench = Bench.of([trial_of(STRIPE, "stripe", case)], _texts())
    return verdict("stripe", of_macro(CHARGES, sources("stripe")[CHARGES], bench, QUICK), (), perf_counter())
