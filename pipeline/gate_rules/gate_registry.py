"""The registry of gates. Severity and threshold are settings: `GATA_GATES`, and `gates:` of a tenant over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType

from pipeline.gate_rules.gate import Gate, GateLayer, Passes, Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_SLA = {
    **dict.fromkeys(("orders", "order_items", "shopping_carts", "cart_items", "returns", "return_items"), "0.95"),
    "customers": "0.98",
    "product_catalog": "0.99",
    "products": "0.99",
}
"""Pass rates that are agreed by table; others have that of the gate."""
_MEND = "Mend the source, or ask the vendor for it again, and build."
_REBUILD = "Run `gata build --full`; if it stays, report it with the run's gates.json."
_LOOK = "Compare the day with the vendor's own report; if it is right, nothing is to be done."


def _landing() -> Iterator[Gate]:
    layer = GateLayer.LANDING
    yield Gate(
        id="files_readable",
        layer=layer,
        severity=_WARNING,
        checks="files of an object that cannot be read as a whole",
        next_step=_MEND,
    )
    yield Gate(
        id="landing_counts",
        layer=layer,
        severity=_ERROR,
        checks="records of a load that were read and are neither landed nor in quarantine, or are there twice",
        next_step=_REBUILD,
    )
    yield Gate(
        id="contract_holds",
        layer=layer,
        severity=_ERROR,
        checks="fields of an object that have drifted from its contract, whose files are withheld",
        next_step=_MEND,
    )
    yield Gate(
        id="expected_days",
        layer=layer,
        severity=_WARNING,
        checks="days between the first and the last day of a report that no delivery covers",
        next_step="Ask the vendor for these days, and build.",
    )
    yield Gate(
        id="source_freshness",
        layer=layer,
        severity=_WARNING,
        checks="age of the last delivery of a live source, in usual distances of its deliveries",
        threshold=Decimal(3),
        next_step="Deliver it, or write `ended: DATE` to the source in tenants.yaml.",
    )


def _sink() -> Iterator[Gate]:
    layer = GateLayer.SINK
    yield Gate(
        id="quarantine_share",
        layer=layer,
        severity=_ERROR,
        checks="share of the records of an object that wait for their push which is in quarantine",
        check=Passes.BELOW,
        threshold=Decimal("0.05"),
        next_step=_MEND,
    )
    yield Gate(
        id="pass_rate",
        layer=layer,
        severity=_ERROR,
        checks="share of the records of an object that wait for their push which follow the contract",
        check=Passes.AT_LEAST,
        threshold=Decimal("0.95"),
        tables=MappingProxyType({name: Decimal(rate) for name, rate in _SLA.items()}),
        warns_from=Decimal("0.9"),
        next_step=_MEND,
    )
    yield Gate(
        id="sink_counts",
        layer=layer,
        severity=_ERROR,
        checks="rows by which landing differs from sink and duplicates, in the loads of a push",
        next_step=_REBUILD,
    )
    yield Gate(
        id="unique_keys",
        layer=layer,
        severity=_ERROR,
        checks="rows of a sink, or of the registry of keys, that are there twice",
        next_step=_REBUILD,
    )
    yield Gate(
        id="row_loss",
        layer=layer,
        severity=_ERROR,
        checks="share of the pushed records of an object that its sink does not have",
        check=Passes.BELOW,
        threshold=Decimal("0.01"),
        next_step=_REBUILD,
    )
    yield Gate(
        id="foreign_keys",
        layer=layer,
        severity=_WARNING,
        checks="share of the keys of a fact that the export of their dimension names; only sources that send it count",
        check=Passes.ABOVE,
        threshold=Decimal("0.99"),
        next_step="Export the dimension again, with all its records.",
    )


def _star() -> Iterator[Gate]:
    layer = GateLayer.STAR
    yield Gate(
        id="promised_columns",
        layer=layer,
        severity=_ERROR,
        checks="columns of a table that are missing or have another type than promised",
        next_step=_REBUILD,
    )
    yield Gate(
        id="minimum_rows",
        layer=layer,
        severity=_WARNING,
        checks="rows of a fact whose domain the tenant has",
        check=Passes.AT_LEAST,
        threshold=Decimal(1),
        next_step="Deliver its source, or leave the domain out of `domains:` in tenants.yaml.",
    )
    rules = {
        "clicks_within_impressions": "rows of ads with more clicks than impressions",
        "net_within_gross": "orders whose net is above their gross: refunds or discounts below 0, or more paid than "
        "charged",
        "totals_not_negative": "orders with a total, or lines with an amount and a quantity, below 0",
        "dates_not_in_future": "rows of a day that is still to come",
    }
    for name, checks in rules.items():
        yield Gate(
            id=name,
            layer=layer,
            severity=_WARNING,
            checks=checks,
            next_step="Look at these records in the vendor's system, and export them again.",
        )
    yield Gate(
        id="null_rates",
        layer=layer,
        severity=_WARNING,
        checks="rise of the share of NULL in a column since the last published run",
        threshold=Decimal("0.1"),
        next_step="See whether the vendor stopped to send the field.",
    )
    yield Gate(
        id="totals_match",
        layer=layer,
        severity=_ERROR,
        checks="rows or sums by which a fact differs from the records of the sinks that it is made of",
        next_step=_REBUILD,
    )
    yield Gate(
        id="volume_band",
        layer=layer,
        severity=_WARNING,
        checks="distance of a day's rows from the median of its weekday in the weeks before, in spreads",
        threshold=Decimal(6),
        next_step=_LOOK,
    )


def _run() -> Iterator[Gate]:
    layer = GateLayer.RUN
    yield Gate(
        id="definitions_compile",
        layer=layer,
        severity=_ERROR,
        checks="metrics and dimensions that the built tables do not have",
        next_step="Correct the definition in `semantic:` of tenants.yaml.",
        is_fixed=True,
    )
    yield Gate(
        id="metric_totals",
        layer=layer,
        severity=_WARNING,
        checks="change of a key figure's total over the days of the last published run, as a share of it",
        threshold=Decimal("0.1"),
        next_step="See what was delivered since: `gata build --json` names it.",
    )
    yield Gate(
        id="metric_band",
        layer=layer,
        severity=_WARNING,
        checks="distance of a key figure's day from the median of its weekday in the weeks before, in spreads",
        threshold=Decimal(6),
        next_step=_LOOK,
    )
    yield Gate(
        id="known_answers",
        layer=layer,
        severity=_WARNING,
        checks="questions of the tenant's own list that a run does not answer as it is known (1, else 0)",
        next_step="See both answers with `gata verify`; correct the definition, the data, or the known answer.",
    )


TESTS: Mapping[Severity, tuple[str, ...]] = MappingProxyType(
    {
        Severity.ERROR: (
            *("unique", "unique_together", "not_null", "relationships", "accepted_values"),
            *("one_action_type", "every_amount_has_a_rate"),
        ),
        Severity.WARNING: (
            *("a_known_action_type", "rows_of_one_day", "one_breakdown", "nothing_below_zero", "one_source_of_meta"),
            *("every_currency_is_known", "few_inferred_rows", "every_measure_is_said", "rates_are_recent"),
            *("every_event_has_a_user", "purchases_in_the_sessions_currency", "every_purchase_has_an_id"),
            *("visits_of_a_day_at_most", "purchases_of_one_order", "every_order_has_a_time", "every_status_is_known"),
            *("refunds_in_the_orders_currency", "parts_of_orders_are_proven", "edits_are_proven"),
            *("taxes_of_lines_are_known", "disputes_say_what_came_of_them", "refunds_within_the_total"),
            *("totals_are_explained", "customers_have_one_currency", "every_refund_has_a_day"),
            *("charges_of_one_order", "charges_in_the_orders_currency", "charges_of_real_money"),
            *("every_charge_has_an_order", "every_charge_status_is_known"),
        ),
    }
)
"""The tests of the star that dbt runs (warehouse/projects/star_tests.py), by their severity."""


def _tests() -> Iterator[Gate]:
    for severity, names in TESTS.items():
        for name in names:
            yield Gate(id=name, layer=GateLayer.STAR, severity=severity, checks="", threshold=None)


GATES: Mapping[str, Gate] = MappingProxyType(
    {gate.id: gate for each in (_landing, _sink, _star, _run, _tests) for gate in each()}
)
"""Every gate, by its id, in the order of the layers."""
