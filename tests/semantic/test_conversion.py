"""With exchange rates money is one sum in the reporting currency, says so, and equals SQL over raw amounts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipeline.errors import BuildError
from semantic.answering.export import export_catalog
from semantic.answering.listing import list_metrics
from semantic.answering.rollups import Choice, make_rollups, with_rollups
from semantic.answering.run_query import run_query
from semantic.answering.validate import validate_run
from semantic.catalog.run_definitions import read_definitions
from semantic.planning.query import read_query
from tests.semantic.hand_star import SLUG, TODAY, HandStar

FIRST = date(2026, 1, 1)
RATES = {"EUR": [Decimal(1), Decimal(1)], "USD": [Decimal("0.9"), Decimal("0.8")], "GBP": [Decimal("1.2")] * 2}
"""In euros, in January and from February on."""
CONVERTED = f"""(select *, amount * case currency {
    " ".join(
        f"when '{code}' then case when day < date '2026-02-01' then {then} else {now} end"
        for code, (then, now) in RATES.items()
    )
} end as euros from (select {{day}} as day, {{amount}} as amount, * from fct_{SLUG}__{{fact}}))"""
NOTE = "Money is in EUR, converted from {} by the rates of rates.csv by day."


def in_euros(fact: str, day: str, amount: str) -> str:
    """Rows of a fact with `euros`, by the rates as this file knows them."""
    return CONVERTED.format(fact=fact, day=day, amount=amount)


ADS, ORDERS, VISITS = (
    in_euros("ad_performance", "report_date", "spend"),
    in_euros("orders", "order_date", "total_price"),
    in_euros("sessions", "session_date", "session_revenue"),
)


def priced(day: date, column: str, amount: int | str, currency: str | None) -> dict[str, Any]:
    """An amount as a build leaves it: as it came, and in euros."""
    worth = RATES[currency][day >= date(2026, 2, 1)] if currency in RATES else None
    euros = Decimal(amount) * worth if worth is not None else None if Decimal(amount) else Decimal(0)
    return {column: Decimal(amount), f"{column}_converted": euros, "currency": currency}


def shop_of_three_currencies(folder: Path, **tenant: Any) -> HandStar:
    star = HandStar(folder, currency="EUR", rates=Path("rates.csv"), **tenant)
    star.add("campaigns", {"campaign_key": "k1", "campaign_id": "1", "campaign_name": "Alpha"})
    for n in range(60):
        day, code = FIRST + timedelta(days=n), ["USD", "EUR", "GBP"][n % 3]
        ad = {"report_date": day, "clicks": n, "campaign_key": "k1", "campaign_id": "1"}
        star.add("ad_performance", ad | priced(day, "spend", f"{n}.25", code))
        order = {"order_date": day, "is_valid": n % 5 > 0, "order_id": f"{n}", "order_key": f"{n}"}
        star.add("orders", order | priced(day, "total_price", 10 + n, ["GBP", "USD"][n % 2]))
        visit = {"session_date": day, "user_key": f"u{n}", "is_conversion_session": n % 4 == 0, "campaign_key": "k1"}
        visit |= {"campaign_name": "Alpha", "attribution": "matched" if n % 3 else "none"}
        star.add(
            "sessions",
            visit | priced(day, "session_revenue", 7 * n if n % 4 == 0 else 0, "USD" if n % 4 == 0 else None),
        )
    return star


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    own = {
        "dear": {"metric": "orders", "filters": [{"name": "total_price", "op": ">", "value": 40}]},
        "usual": {"fact": "orders", "aggregate": "average", "column": "total_price"},
        "dearest": {"fact": "ad_performance", "aggregate": "max", "column": "spend"},
    }
    said = {name: {"filters": [], "description": name} | entry for name, entry in own.items()}
    made = shop_of_three_currencies(tmp_path_factory.mktemp("three"), semantic={"metrics": said})
    assert made.model
    yield made
    made.close()


def test_money_of_several_currencies_is_one_sum_in_the_reporting_currency_and_says_so(star: HandStar) -> None:
    answer = star.ask(metrics=["spend"], dimensions=["date"], time_grain="month")
    assert [tuple(row) for row in answer.rows] == [
        (str(month), spend)
        for month, spend in star.sql(
            f"select date_trunc('month', day)::date, sum(euros) from {ADS} group by 1 order by 1"
        )
    ]
    assert answer.columns[1]["unit"] == "EUR"
    assert NOTE.format("GBP and USD") in answer.notes


def test_a_ratio_over_facts_of_different_currencies_is_one_of_euros(star: HandStar) -> None:
    [(attributed, spent)] = star.sql(
        f"select (select sum(euros) from {VISITS} where attribution = 'matched'), (select sum(euros) from {ADS})"
    )
    [row] = star.table(metrics=["roas", "cpc", "blended_roas", "spend"], dimensions=["campaign_name"])[:1]
    assert row["spend"] == spent
    assert row["roas"] == pytest.approx(float(attributed) / float(spent), rel=1e-12)
    [(orders,)] = star.sql(f"select sum(euros) from {ORDERS} where is_valid")
    assert star.one("blended_roas") == pytest.approx(float(orders) / float(spent), rel=1e-12)


def test_currency_still_tells_what_was_paid_in_and_can_be_totalled_shared_and_ranked(star: HandStar) -> None:
    part = {"totals": True, "share_of_total": ["spend"], "top": {"by": "spend", "n": 1, "other": True}}
    answer = star.ask(metrics=["spend"], dimensions=["currency"], **part)
    sums = dict(star.sql(f"select currency, sum(euros) from {ADS} group by 1"))
    first = max(sums, key=lambda code: sums[code])
    whole = sum(sums.values())
    assert [row[:2] for row in answer.rows] == [[first, sums[first]], ["other", whole - sums[first]], [None, whole]]
    assert answer.rows[0][2] == pytest.approx(float(sums[first] / whole))
    assert "The column currency is that of the money before." in answer.notes


def test_filters_on_money_and_on_currency_mean_euros_and_the_original_currency(star: HandStar) -> None:
    by_day = star.table(metrics=["spend"], dimensions=["date"], filters=[{"name": "spend", "op": ">", "value": 45}])
    found = star.sql(f"select day, sum(euros) from {ADS} group by 1 having sum(euros) > 45 order by 1")
    assert [(row["date"], row["spend"]) for row in by_day] == [(str(day), euros) for day, euros in found]
    assert 0 < len(found) < len(star.sql(f"select 1 from {ADS} where amount > 45"))  # not what raw amounts would leave
    for code in RATES:
        answer = star.ask(metrics=["spend"], filters=[{"name": "currency", "value": code}])
        assert answer.rows == ([star.sql(f"select sum(euros) from {ADS} where currency = '{code}'")[0][0]],)
        assert answer.columns[0]["unit"] == "EUR"
        assert any(note == NOTE.format(code) for note in answer.notes) == (code != "EUR")


def test_single_values_are_compared_in_euros(star: HandStar) -> None:
    [(least, most, middle)] = star.sql(
        f"select min(euros), max(euros), median(euros::double) from {ORDERS} where is_valid"
    )
    row = star.table(metrics=["smallest_order", "largest_order", "median_order_value"])[0]
    assert list(row.values()) == [least, most, pytest.approx(middle, rel=1e-12)]


def test_metrics_of_a_tenants_own_are_made_of_euros_too(star: HandStar) -> None:
    [(dear, usual)] = star.sql(f"select count(*) filter (where euros > 40), avg(euros::double) from {ORDERS}")
    [(dearest,)] = star.sql(f"select max(euros) from {ADS}")
    assert star.one("dear") == dear != star.sql(f"select count(*) from {ORDERS} where amount > 40")[0][0]
    assert star.one("usual") == pytest.approx(usual, rel=1e-12)
    assert star.one("dearest") == dearest


def test_the_catalog_says_euros(star: HandStar) -> None:
    units = {metric["name"]: metric["unit"] for metric in list_metrics(star.model)["metrics"]}
    assert {units[name] for name in ("spend", "order_revenue", "session_revenue", "cpc", "usual")} == {"EUR"}
    exported = {
        metric["name"]: metric["unit"] for metric in json.loads(export_catalog(star.model, run_id="r"))["metrics"]
    }
    assert (exported["spend"], exported["roas"]) == ("EUR", "ratio")


def test_a_day_of_another_rate_is_compared_at_its_own(star: HandStar) -> None:
    answer = star.ask(
        metrics=["spend"], time_range={"start": "2026-02-01", "end": "2026-02-28"}, compare="previous_period"
    )
    months = star.sql(
        f"select sum(euros) from {ADS} group by date_trunc('month', day) order by date_trunc('month', day)"
    )
    assert answer.rows[0][:2] == [months[1][0], months[0][0]]


def test_rollups_hold_euros_and_give_the_same_answers(star: HandStar) -> None:
    run_dir = star.folder / star.model.run_id
    definitions = read_definitions((run_dir / "semantic.yml").read_bytes())
    paths = {name: star.model.catalog.dimensions[name].paths["ad_performance"] for name in ("date", "currency")}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"ATTACH '{run_dir / 'stars.duckdb'}' AS run (READ_ONLY); USE run; ATTACH ':memory:' AS rollups"
        )
        made = make_rollups(connection, star.model, definitions, [Choice("ads", "ad_performance", paths)])
        query = read_query({"metrics": ["spend", "roas"], "dimensions": ["currency"], "include_sql": True})
        got, expected = (
            run_query(query, model, connection, today=TODAY) for model in (with_rollups(star.model, made), star.model)
        )
    assert "m_spend" in got.sql[0]
    assert "m_spend" not in expected.sql[0]
    assert got.rows == expected.rows


def test_a_shop_in_the_reporting_currency_alone_is_answered_as_without_rates(tmp_path: Path) -> None:
    star = HandStar(tmp_path, currency="EUR", rates=Path("rates.csv"))
    star.add("ad_performance", {"report_date": FIRST} | priced(FIRST, "spend", 5, "EUR"))
    answer = star.ask(metrics=["spend"])
    assert (answer.rows, answer.columns[0]["unit"]) == (([5],), "EUR")
    assert not [note for note in answer.notes if "rates" in note or "converted" in note]
    star.close()


def test_a_star_without_rows_has_its_unit_and_no_conversion_to_tell(tmp_path: Path) -> None:
    star = HandStar(tmp_path, currency="EUR", rates=Path("rates.csv"))
    answer = star.ask(metrics=["spend", "order_revenue", "roas"])
    assert answer.rows == ([None, None, None],)
    assert [column["unit"] for column in answer.columns] == ["EUR", "EUR", "ratio"]
    assert not [note for note in answer.notes if "rates" in note]
    star.close()


def test_money_of_which_no_rate_is_known_is_in_no_sum_and_never_without_a_word(tmp_path: Path) -> None:
    star = HandStar(tmp_path, currency="EUR", rates=Path("rates.csv"))
    for amount, code in ((10, "USD"), (20, "BRL"), (30, "BRL"), (0, "CLP"), (40, None)):
        star.add("ad_performance", {"report_date": FIRST} | priced(FIRST, "spend", amount, code))
    star.add("orders", {"order_date": FIRST, "is_valid": True} | priced(FIRST, "total_price", 1, "EUR"))
    lost = "2 rows of ad_performance in BRL have no rate on or before their day: they are in no amount."
    silent = "1 rows of ad_performance hold money without saying its currency: it is in no amount."
    answer = star.ask(metrics=["spend"])
    assert answer.rows == ([9],)
    assert {lost, silent} <= set(answer.notes)
    assert lost in star.ask(metrics=["cac"]).notes
    by_currency = {row["currency"]: row["spend"] for row in star.table(metrics=["spend"], dimensions=["currency"])}
    assert by_currency == {"USD": 9, "BRL": None, "CLP": 0, None: None}
    assert lost not in star.ask(metrics=["spend"], filters=[{"name": "currency", "value": "USD"}]).notes
    assert lost not in star.ask(metrics=["order_revenue"]).notes
    star.close()


def test_definitions_that_add_up_what_is_not_converted_are_refused(star: HandStar, tmp_path: Path) -> None:
    run_dir = shop_of_three_currencies(tmp_path).write()
    assert validate_run(run_dir)
    path = run_dir / "semantic.yml"
    definitions = yaml.safe_load(path.read_text(encoding="utf-8"))
    definitions["models"]["ad_performance"]["measures"]["spend"] = "_.spend.sum()"
    path.write_text(yaml.safe_dump(definitions), encoding="utf-8")
    with pytest.raises(BuildError, match="spend adds up spend of ad_performance, which is not converted to EUR"):
        validate_run(run_dir)
