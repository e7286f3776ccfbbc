"""A shop that sells and advertises in three currencies, with a file of exchange rates: from files to answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from server.orchestration.build_report import BuildReport
from server.orchestration.publishing import read_published_star
from server.orchestration.verbs import build
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import CAMPAIGNS, SMALL_TENANT, event, insight, order, write_shop
from warehouse.build.inputs import star_inputs

SHOP = "small_shop"
RATES = "date,currency,rate\n2026-03-01,USD,0.9\n2026-03-03,USD,0.8\n2026-03-03,GBP,1.15\n"
TENANTS = SMALL_TENANT.replace("currency: EUR\n", "currency: EUR\n    rates: rates.csv\n")
NEIGHBOUR = SMALL_TENANT.replace("small_shop", "neighbour").removeprefix("\ntenants:\n")
DOLLARS = {"account_currency": "USD"}
ORDERS = [
    order(1, "10.50"),
    order(2, "20.00", currency="USD"),  # on 2 March: 18 euros
    order(3, "30.25", currency="GBP"),  # before the first rate of pounds
    order(4, "40.00", currency="GBP", created_at="2026-03-03T09:00:00+01:00"),  # 46 euros
]
INSIGHTS = [insight("1", "5.00") | DOLLARS, insight("1", "6.25", day="2026-03-03") | DOLLARS, insight("2", "7.00")]
EVENTS = [
    event("ann", "purchase", 5, transaction_id="1", value=10.5, currency="EUR"),
    event("bob", "purchase", 9, transaction_id="2", value=20.0, currency="USD"),
    event("eve", "page_view", 3),
]
LOST = "1 rows of {} of shopify main in GBP, 2026-03-02 to 2026-03-02, have no rate in rates.csv on or before their day"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, BuildReport]:
    folder = tmp_path_factory.mktemp("rates")
    write_shop(folder, orders=ORDERS, insights=INSIGHTS, events=EVENTS, campaigns=CAMPAIGNS)
    (folder / "rates.csv").write_text(RATES, encoding="utf-8")
    home = open_project(folder, TENANTS + NEIGHBOUR)
    return home, home.build(slugs=[SHOP])


def test_money_is_converted_by_its_own_day(built: tuple[Project, BuildReport]) -> None:
    spend = Decimal("5.00") * Decimal("0.9") + Decimal("6.25") * Decimal("0.8") + Decimal("7.00")
    answer = built[0].ask(SHOP, metrics=["spend", "order_revenue", "session_revenue", "roas", "margin"])
    assert answer["rows"][0][:3] == [spend, Decimal("10.50") + 18 + 46, Decimal("28.5")]
    assert answer["rows"][0][3:] == [pytest.approx(28.5 / float(spend)), Decimal("74.5") - spend]
    assert [column["unit"] for column in answer["columns"]] == ["EUR", "EUR", "EUR", "ratio", "EUR"]
    assert "Money is in EUR, converted from GBP and USD by the rates of rates.csv by day." in answer["notes"]


def test_money_without_a_rate_is_a_finding_and_told_with_every_amount(built: tuple[Project, BuildReport]) -> None:
    home, report = built
    for fact in ("orders", "order_items"):
        assert f"{LOST.format(fact)}: they are in no amount." in report.tenants[0].findings
    note = "1 rows of orders in GBP have no rate on or before their day: they are in no amount."
    assert note in home.ask(SHOP, metrics=["order_revenue"])["notes"]
    assert note not in home.ask(SHOP, metrics=["spend"])["notes"]


def test_other_rates_build_their_tenant_alone_and_wrong_ones_leave_what_is_served(
    built: tuple[Project, BuildReport],
) -> None:
    home, _ = built
    file = home.settings.tenants.with_name("rates.csv")

    def inputs() -> list[str]:
        return [star_inputs(tenant, home.context.blueprints, home.settings) for tenant in home.context.manifest.tenants]

    neighbour, shop = inputs()
    assert read_published_star(home.settings, SHOP).inputs == shop  # type: ignore[union-attr]  # it was built
    before = home.ask(SHOP, metrics=["spend"])
    file.write_text(RATES.replace("0.8", "-0.8"), encoding="utf-8")
    assert inputs()[0] == neighbour
    assert inputs()[1] != shop
    report = build(home.context, slugs=[SHOP])
    assert (report.exit_code, report.tenants[0].status) == (2, "failed")
    assert "rates.csv, line 3: the rate of USD on 2026-03-03 is '-0.8'." in str(report.tenants[0].error)
    assert home.ask(SHOP, metrics=["spend"]) == before
    file.write_text(RATES, encoding="utf-8")
