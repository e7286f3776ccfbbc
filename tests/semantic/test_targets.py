"""Goals and target costs of tenants.yaml go with the answers they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.accounts import Account
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from semantic.catalog.run_definitions import MetricDefinition
from semantic.definitions.targets import note_targets
from tests.semantic.hand_star import hand_shop


def aiming(*, currency: str = "USD", **accounts: str | None) -> Tenant:
    """A tenant whose bing_ads aims at leads for 45; `accounts` by currency."""
    logic = {"goal": "lead_gen", "target_cpa": 45}
    own = tuple(Account(name=name, currency=said) for name, said in accounts.items()) or (Account(),)
    tables = {"account_performance_report": logic}
    source = Source(platform="bing_ads", domain="ads", objects=(), enabled=True, accounts=own, tables=tables)
    return Tenant(slug="acme", business_name="Acme", currency=currency, sources=(source,))


def noted(tenant: Tenant) -> str | None:
    metric = MetricDefinition(description="Cost.", type="decimal", unit="currency", kind="sum", adds_up="sum")
    metrics = {"cost_per_conversion": metric, "spend": metric}
    note_targets(tenant, metrics)
    assert metrics["spend"] == metric
    return metrics["cost_per_conversion"].note


@pytest.mark.parametrize(
    ("tenant", "unit"),
    [
        (aiming(currency="GBP"), "GBP"),
        (aiming(main="EUR"), "EUR"),
        (aiming(eu="EUR", main=None), "in each account's own currency"),
    ],
)
def test_a_target_is_in_the_currency_of_its_account(tenant: Tenant, unit: str) -> None:
    assert noted(tenant) == f"bing_ads aims at lead_gen for at most 45 {unit} each."


def test_a_goal_or_a_target_may_stand_alone_and_neither_says_nothing() -> None:
    source = aiming().sources[0]
    said = {}
    for logic in ({"goal": "lead_gen"}, {"target_cpa": 12.50}, {}):
        changed = source.model_copy(update={"tables": {"ads": logic}})
        said[str(logic)] = noted(aiming().model_copy(update={"sources": (changed,)}))
    assert list(said.values()) == [
        "bing_ads aims at lead_gen.",
        "bing_ads aims at conversions for at most 12.5 USD each.",
        None,
    ]


def test_the_target_goes_with_the_answers_about_it_and_with_no_others(folder: Path) -> None:
    star = hand_shop(folder, sources=aiming().sources)
    sentence = "bing_ads aims at lead_gen for at most 45 USD each."
    assert sentence in star.ask(metrics=["cost_per_conversion"]).notes
    assert sentence not in star.ask(metrics=["spend"]).notes
    star.close()
