"""Gates of landing and sinks, over a hub made by hand: every threshold at its boundary, every fault by its own gate."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipeline.config.accounts import Account
from pipeline.config.slug import slug_of
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.errors import GateFailed
from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gates.gate_result import GateResult, GateStatus, failed_sentences
from pipeline.gates.landing_checks import landing_results
from pipeline.gates.landing_gates import enforce, waiting_results
from pipeline.gates.sink_gates import sink_results
from pipeline.ingest.deliveries.delivered_days import DeliveredDays
from pipeline.ingest.land import LandedTable, Landing
from pipeline.ingest.landing_tables import LOAD_TABLES
from pipeline.settings import Settings
from tests.pipeline.landing_fixture import BLUEPRINTS
from warehouse.build.inputs import star_inputs

ORDERS = BLUEPRINTS["shopify", "orders"]
TABLE = f"landing_acme.{ORDERS.landing_table}"
SOURCE = Source(platform="shopify", domain="ecommerce", objects=("orders",), enabled=True, accounts=(Account(),))
TENANT = Tenant(slug=slug_of("acme"), business_name="Acme", sources=(SOURCE,))
LANDED = LandedTable("shopify", "main", "orders", rows=0, quarantined=0, files=1, known_files=0, findings=())
PASSED, WARNED, FAILED = GateStatus.PASSED, GateStatus.WARNED, GateStatus.FAILED


class Hub:
    """A hub with one object of one account, whose tables a test fills."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, today=date(2026, 3, 1))

    def create(self) -> Hub:
        with self.open() as con:
            con.execute("create schema landing_acme")
            for name in ("landed_files", "quarantine"):
                columns = ", ".join(f"{column} {type_}" for column, type_ in LOAD_TABLES[name])
                con.execute(f"create table landing_acme.{name} ({columns})")
            con.execute(
                f"""create table landing_acme._dlt_loads as select '1' as load_id, 0 as status;
                create table {TABLE} (id bigint, _account varchar, _dlt_load_id varchar);
                create table platform_ops__push_ledger (tenant_slug varchar, source_platform varchar,
                    source_object varchar, load_id varchar, pushed_at timestamp, batch_rows bigint);
                create table hub_key_registry (tenant_slug varchar, source_platform varchar, source_account varchar,
                    source_object varchar, tenant_skey varchar);
                create table {ORDERS.sink} (tenant_slug varchar, source_platform varchar, source_account varchar,
                    tenant_skey varchar, payload_hash uhugeint, load_id varchar, source_position bigint)"""
            )

        return self

    def open(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.settings.hub))

    def run(self, *statements: str) -> None:
        with self.open() as con:
            con.execute(";".join(statements))

    def land(self, rows: int, quarantined: int = 0) -> None:
        """A load of a file with so many good and bad records."""
        self.run(
            f"insert into {TABLE} select n, 'main', '1' from range({rows}) as numbers(n)",
            f"""insert into landing_acme.quarantine (platform, account, object, path, line, reason, record, batch_id,
                    _dlt_load_id)
                select 'shopify', 'main', 'orders', 'a.jsonl', n, 'id is missing', '{{}}', 'b', '1'
                from range({quarantined}) as numbers(n)""",
            f"""insert into landing_acme.landed_files (platform, account, object, path, rows, quarantined, batch_id,
                    _dlt_load_id) values ('shopify', 'main', 'orders', 'a.jsonl', {rows}, {quarantined}, 'b', '1')""",
        )

    def push(self, rows: int, *, duplicates: int = 0) -> None:
        """A push of the load, of which so many rows repeat another."""
        self.run(
            f"insert into platform_ops__push_ledger values ('acme', 'shopify', 'orders', '1', now(), {rows})",
            f"""insert into {ORDERS.sink} select 'acme', 'shopify', 'main', 'key ' || lpad(n::varchar, 6, '0'),
                    n, '1', 1
                from range({rows - duplicates}) as numbers(n)""",
            f"""insert into hub_key_registry select 'acme', 'shopify', 'main', 'orders', tenant_skey
                from {ORDERS.sink}""",
        )

    def sinks(self, tenant: Tenant = TENANT) -> dict[str, GateResult]:
        return {each.gate: each for each in sink_results(tenant, BLUEPRINTS, self.settings, ["1"])}

    def waiting(self, tenant: Tenant = TENANT) -> dict[str, GateResult]:
        return {each.gate: each for each in waiting_results(tenant, self.settings)}

    def landing(
        self, *delivered: DeliveredDays, table: LandedTable = LANDED, tenant: Tenant = TENANT
    ) -> dict[str, GateResult]:
        landing = Landing("1", (table,), delivered)
        return {each.gate: each for each in landing_results(tenant, landing, (), BLUEPRINTS, self.settings)}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Hub(tmp_path_factory.mktemp("empty")).create().settings.hub


@pytest.fixture
def hub(tmp_path: Path, empty: Path) -> Hub:
    shutil.copy(empty, tmp_path)
    return Hub(tmp_path)


def test_a_load_whose_records_are_all_there_passes_every_gate_also_with_duplicates(hub: Hub) -> None:
    hub.land(1000, quarantined=9)
    assert {each.status for each in (*hub.landing().values(), *hub.waiting().values())} == {PASSED}
    hub.push(1000, duplicates=400)
    assert {gate: each.status for gate, each in hub.sinks().items()} == dict.fromkeys(
        ("sink_counts", "unique_keys", "row_loss"), PASSED
    )


@pytest.mark.parametrize(
    ("percent", "status"),
    [("0.9", PASSED), ("1.0", PASSED), ("4.9", PASSED), ("5.0", FAILED), ("5.1", FAILED)],
)
def test_less_than_5_percent_may_be_in_quarantine_and_5_are_too_many(
    hub: Hub, percent: str, status: GateStatus
) -> None:
    bad = int(Decimal(percent) * 10)
    hub.land(1000 - bad, quarantined=bad)
    result = hub.waiting()["quarantine_share"]
    assert (result.status, result.value, result.threshold) == (status, Decimal(bad) / 1000, Decimal("0.05"))
    if result.finding:
        assert result.finding.sentence == f"{bad} of 1000 records of shopify.orders (account main) are in quarantine."


@pytest.mark.parametrize(("lost", "status"), [(0, PASSED), (9, PASSED), (10, FAILED), (49, FAILED), (50, FAILED)])
def test_less_than_1_percent_of_rows_may_be_lost_and_1_is_too_much(hub: Hub, lost: int, status: GateStatus) -> None:
    hub.land(1000)
    hub.push(1000)
    hub.run(f"delete from {ORDERS.sink} where payload_hash < {lost}")
    result = hub.sinks()["row_loss"]
    assert (result.status, result.value) == (status, Decimal(lost) / 1000)
    if result.finding:
        assert result.finding.samples == tuple(f"key 00000{n}" for n in range(5))
        assert f"{lost} of 1000 records of orders of shopify ({lost // 10}" in result.finding.sentence


def test_rows_that_the_push_left_behind_are_lost_and_do_not_add_up(hub: Hub) -> None:
    hub.land(1000)
    hub.push(980)
    found = hub.sinks()
    assert (found["sink_counts"].value, found["sink_counts"].status) == (20, FAILED)
    assert (found["row_loss"].value, found["row_loss"].status) == (Decimal("0.02"), FAILED)


def test_a_person_who_is_forgotten_after_the_push_is_no_loss(hub: Hub) -> None:
    hub.land(1000)
    hub.push(1000)
    hub.run(f"delete from {TABLE} where id < 100")
    assert {each.status for each in sink_results(TENANT, BLUEPRINTS, hub.settings)} == {PASSED}


def test_without_loads_the_last_push_of_each_object_is_judged(hub: Hub) -> None:
    hub.land(10)
    hub.push(10)
    hub.run(
        "update platform_ops__push_ledger set pushed_at = timestamp '2026-01-01'",
        f"insert into {TABLE} select n, 'main', '2' from range(7) as numbers(n)",
        "insert into platform_ops__push_ledger values ('acme', 'shopify', 'orders', '2', now(), 5)",
        "insert into platform_ops__push_ledger values ('acme', 'shopify', 'orders', '3', '2099-01-01', 0)",
    )
    (counts,) = (each for each in sink_results(TENANT, BLUEPRINTS, hub.settings) if each.gate == "sink_counts")
    assert (counts.value, counts.status) == (2, FAILED)


def test_rows_in_a_sink_that_never_landed_do_not_add_up(hub: Hub) -> None:
    hub.land(10)
    hub.push(10)
    hub.run(f"insert into {ORDERS.sink} values ('acme', 'shopify', 'main', 'key 000000', 99, '1', 1)")
    assert {gate for gate, each in hub.sinks().items() if each.finding} == {"sink_counts"}


def test_one_duplicate_key_fails_and_is_named(hub: Hub) -> None:
    hub.land(1000)
    hub.push(1000)
    hub.run(f"insert into {ORDERS.sink} select * replace ('0' as load_id) from {ORDERS.sink} where payload_hash = 7")
    found = hub.sinks()
    assert {gate for gate, each in found.items() if each.finding} == {"unique_keys"}
    finding = found["unique_keys"].finding
    assert finding is not None
    assert (found["unique_keys"].status, finding.records, finding.samples) == (FAILED, 1, ("key 000007",))


def test_a_key_that_is_registered_twice_is_a_duplicate_too(hub: Hub) -> None:
    hub.land(10)
    hub.push(10)
    hub.run("insert into hub_key_registry select * from hub_key_registry where tenant_skey = 'key 000003'")
    assert (hub.sinks()["unique_keys"].value, hub.sinks()["unique_keys"].status) == (1, FAILED)


def test_the_rows_of_another_tenant_count_for_nothing(hub: Hub) -> None:
    hub.land(10)
    hub.push(10)
    hub.run(f"insert into {ORDERS.sink} select * replace ('other' as tenant_slug) from {ORDERS.sink}")
    assert {each.status for each in hub.sinks().values()} == {PASSED}


SLA = [
    ("orders", "0.05", PASSED, "0.95"),
    ("orders", "0.051", WARNED, "0.95"),
    ("orders", "0.145", WARNED, "0.95"),
    ("orders", "0.146", FAILED, "0.95"),
    ("customers", "0.02", PASSED, "0.98"),
    ("customers", "0.021", WARNED, "0.98"),
    ("product_catalog", "0.01", PASSED, "0.99"),
    ("product_catalog", "0.011", WARNED, "0.99"),
    ("product_catalog", "0.11", FAILED, "0.99"),
    ("insights", "0.05", PASSED, "0.95"),
    *((name, "0.051", WARNED, "0.95") for name in ("order_items", "shopping_carts", "cart_items")),
    *((name, "0.051", WARNED, "0.95") for name in ("returns", "return_items")),
]


def test_a_pass_rate_below_what_is_agreed_warns_down_to_nine_tenths_of_it_and_then_fails(hub: Hub) -> None:
    files = (
        f"""insert into landing_acme.landed_files (platform, account, object, path, rows, quarantined, _dlt_load_id)
        values ('shopify', '{number}', '{name}', 'a', 1000 - {bad} * 1000, {bad} * 1000, '1')"""
        for number, (name, bad, *_) in enumerate(SLA)
    )
    hub.run(*files)
    results = [each for each in waiting_results(TENANT, hub.settings) if each.gate == "pass_rate"]
    found = {(each.table, each.value): (each.status, str(each.threshold)) for each in results}
    assert found == {(name, 1 - Decimal(bad)): (status, agreed) for name, bad, status, agreed in SLA}


def test_a_tenants_own_threshold_stands_over_the_environments(hub: Hub) -> None:
    hub.land(970, quarantined=30)
    hub.settings = hub.settings.model_copy(
        update={"gates": {"quarantine_share": GateSetting(threshold=Decimal("0.02"), severity=Severity.WARNING)}}
    )
    assert hub.waiting()["quarantine_share"].status is WARNED
    own = TENANT.model_copy(update={"gates": {"quarantine_share": GateSetting(tables={"orders": Decimal("0.04")})}})
    assert hub.waiting(own)["quarantine_share"].status is PASSED
    off = TENANT.model_copy(update={"gates": {"quarantine_share": GateSetting(severity=Severity.OFF)}})
    assert set(hub.waiting(off)) == {"pass_rate"}


def test_other_gates_of_the_environment_are_another_input_of_a_star(hub: Hub) -> None:
    before = star_inputs(TENANT, BLUEPRINTS, hub.settings)
    gates = {"row_loss": GateSetting(threshold=Decimal("0.02"))}
    assert star_inputs(TENANT, BLUEPRINTS, hub.settings.model_copy(update={"gates": gates})) != before


def test_the_same_failure_is_a_note_in_local_and_holds_the_run_in_strict_mode(hub: Hub) -> None:
    hub.land(800, quarantined=200)
    failures = failed_sentences(hub.waiting().values())
    assert len(failures) == 1  # of two gates that say the same
    assert enforce(TENANT.slug, failures, strict=False) == failures != []
    with pytest.raises(
        GateFailed,
        match=r"acme is not published: 200 of 1000 .* are in quarantine\. Mend",
    ):
        enforce(TENANT.slug, failures, strict=True)


@pytest.mark.parametrize(
    "fault",
    [
        f"delete from {TABLE} where id = 1",
        f"insert into {TABLE} values (1, 'main', '1')",
        "delete from landing_acme.quarantine where line = 1",
        "update landing_acme.landed_files set rows = rows + 1",
    ],
)
def test_a_load_that_does_not_add_up_fails(hub: Hub, fault: str) -> None:
    hub.land(10, quarantined=5)
    hub.run(fault)
    found = hub.landing()
    assert {gate for gate, each in found.items() if each.finding} == {"landing_counts"}
    assert (found["landing_counts"].status, found["landing_counts"].value) == (FAILED, 1)


def test_a_drifted_table_fails_by_its_contract(hub: Hub) -> None:
    drifted = LandedTable("shopify", "main", "orders", 0, 0, 0, 0, (), drift=("total_price is a number; text came",))
    found = hub.landing(table=drifted)
    assert (found["contract_holds"].status, found["contract_holds"].value) == (FAILED, 1)


def delivered(first: str, *spans: tuple[str, str], every: int = 1) -> DeliveredDays:
    covered = tuple((date.fromisoformat(one), date.fromisoformat(other)) for one, other in spans)
    at = datetime.fromisoformat(first)
    return DeliveredDays(
        platform="shopify",
        account="main",
        object="orders",
        covered=covered or None,
        delivered_at=at,
        is_dated=True,
        every_days=every,
    )


def test_days_between_deliveries_that_none_covers_are_found(hub: Hub) -> None:
    whole = delivered("2026-03-01", ("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28"))
    assert hub.landing(whole)["expected_days"].status is PASSED
    holed = delivered(
        "2026-03-01", ("2026-01-01", "2026-01-05"), ("2026-01-07", "2026-01-09"), ("2026-01-12", "2026-02-28")
    )
    result = hub.landing(holed)["expected_days"]
    assert (result.status, result.value) == (WARNED, 3)
    assert result.finding is not None
    assert "2026-01-06, 2026-01-10 to 2026-01-11." in result.finding.sentence
    assert (result.finding.first_day, result.finding.last_day) == (date(2026, 1, 6), date(2026, 1, 11))


@pytest.mark.parametrize(
    ("last", "every", "status"),
    [("2026-02-26", 1, PASSED), ("2026-02-25", 1, WARNED), ("2026-02-08", 7, PASSED), ("2026-02-07", 7, WARNED)],
)
def test_a_live_source_is_stale_after_three_usual_distances(
    hub: Hub, last: str, every: int, status: GateStatus
) -> None:
    result = hub.landing(delivered(last, every=every))["source_freshness"]
    assert result.status is status
    if result.finding:
        assert f"The last delivery of shopify main is of {last}" in result.finding.sentence


def test_a_source_that_ended_is_not_stale(hub: Hub) -> None:
    ended = SOURCE.model_copy(update={"ended": date(2026, 2, 20)})
    tenant = TENANT.model_copy(update={"sources": (ended,)})
    assert "source_freshness" not in hub.landing(delivered("2026-02-01"), tenant=tenant)
