"""Real files of every connector in, numbers out: each compared with SQL written by hand over the files themselves."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.storage.ops import Ops
from tests.end_to_end.documented import DOCUMENTED
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.raw_numbers import ADS, CAMPAIGNS, CHARGES, EVENTS, ORDERS, VISITS
from tests.end_to_end.real_files import TENANTS, Delivery, RealFiles, deliveries
from tests.warehouse.reading import at, read_file

pytestmark = pytest.mark.long  # builds the real records of all connectors

CATALOG = load_catalog(Path(__file__).parents[2] / "supported_connectors.yaml")
CONNECTORS = [connector for connectors in TENANTS.values() for connector in connectors]
SLUG = {connector: slug for slug, connectors in TENANTS.items() for connector in connectors}
A_MILLIONTH = Decimal("0.000001")

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class RealProject:
    """The project that reads them, and the files themselves."""

    project: Project
    files: RealFiles

    def raw(self, connector: str, sql: str) -> Rows:
        """What the files say."""

        def source(found: re.Match[str]) -> str:
            if not found[1]:
                return f"read_csv('{self.files.path(connector, found[2])}.csv', all_varchar = true)"
            rows = f"read_json_objects('{self.files.path(connector, found[2])}', maximum_object_size = 33554432)"
            return f"(select json as row from {rows})"

        with duckdb.connect(config={"threads": 1}) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(re.sub(r"{(text:)?([\w./-]+)}", source, sql)).fetchall()

    def star(self, connector: str, sql: str) -> Rows:
        """What the published star of the connector's tenant says; `{t}` is its slug."""
        slug = SLUG[connector]
        (path,) = self.project.settings.published(slug).glob("*Z_*/stars.duckdb")
        with duckdb.connect(str(path), read_only=True) as con:
            return con.execute(sql.format(t=slug), [connector]).fetchall()

    def sums(self, connector: str, *names: str, **query: Any) -> dict[Any, Any]:
        """The answer to a question about one connector, by its first column."""
        dimension = {"ads": "ad_platform", "ecommerce": "shop_platform", "analytics": "analytics_platform"}
        cut = [{"name": dimension[CATALOG[connector].domain], "op": "=", "value": connector}]
        filters = cut + query.pop("filters", [])
        rows = self.project.ask(SLUG[connector], metrics=list(names), filters=filters, **query)["rows"]
        return {row[0]: tuple(row[1:]) for row in rows}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> RealProject:
    """Two tenants, twelve connectors, every kind of file there is of them; stars built in this process."""
    files = RealFiles(real_data, tmp_path_factory.mktemp("lifted"))
    files.lift()
    made = open_project(tmp_path_factory.mktemp("connectors"), files.tenants_yaml())
    made = replace(made, settings=made.settings.model_copy(update={"threads": 1}))
    made.build()
    return RealProject(made, files)


def by_key(rows: Rows, values: int) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Rows as a mapping: the last columns are the values, decimals without trailing zeros and doubles to six places."""
    found = {row[:-values]: tuple(_plain(value) for value in row[-values:]) for row in rows}
    assert len(found) == len(rows)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    return Decimal(value).normalize() if isinstance(value, Decimal) else value


# ── what lands, and what does not ──


def records_of(path: Path) -> list[str]:
    """The records of a file, each as a text that another copy of it has too; what a loader adds of itself left out."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        return [
            json.dumps({name: text for name, text in row.items() if not name.lower().startswith("_fivetran")})
            for row in rows
        ]
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    many = path.suffixes[0] == ".jsonl"
    documents = [json.loads(line) for line in text.splitlines()] if many else [json.loads(text)]
    records = [record for document in documents for record in _unwrapped(document)]
    return [json.dumps({name: record[name] for name in sorted(record.keys() - UNKNOWN)}) for record in records]


def _unwrapped(document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    wrapped = [
        document[name] for name in ("data", "campaigns", "orders", "order", "products", "product") if name in document
    ]
    inner = wrapped[0] if wrapped and "id" not in document else document
    return inner if isinstance(inner, list) else [inner]


UNKNOWN = ("default_attributes", "related_ids")
"""What two documented responses about one WooCommerce product differ in: our contract has neither, so to us they are
the same record."""

WITHHELD: dict[tuple[str, str, str], tuple[int, str]] = {
    # A report of search terms has neither network nor device: no layout knows it.
    ("google_ads", "search_term", "search_term_keyword_stats_data.csv"): (10, "segments.date is missing"),
    # A summary has no day, and a row of ours needs one.
    ("bing_ads", "download", "keyword_performance_1.csv"): (5, "TimePeriod is missing"),
    # The loader's table of GraphQL orders is no layout of ours, as its deleted orders stay in it: none of its columns
    # is a total that the contract knows, and the file is withheld as one.
    ("shopify", "graphql", "shopify_gql_order_data.csv"): (
        1,
        "withheld with the records that do not convert: the contract says that total_price or total_price_set",
    ),
    # Answers about the making of a report are no report.
    ("amazon_ads", "api", "sponsored_ads_v3_create_report_sp_daily_campaign_report.json"): (1, "date is missing"),
    ("amazon_ads", "api", "sponsored_ads_v3_report_status_complete_status.json"): (1, "date is missing"),
    # The answer of a batch wraps what it created, updated and deleted.
    ("woocommerce", "documented", "orders_http_request_6.json"): (1, "id is missing"),
}
"""Connector, account, file; how many records stay in quarantine (a withheld file is one), and how the reason begins."""


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_object_holds_the_distinct_records_of_its_files(real: RealProject, connector: str) -> None:
    expected, found = {}, {}
    with duckdb.connect(str(real.project.settings.hub), read_only=True) as hub:
        for each in [one for one in deliveries() if one.connector == connector]:
            sink = f"platform_mm__{CATALOG[connector].master_model_id}_{each.object}"
            asked = "tenant_slug = ? and source_platform = ? and source_account = ?"
            place = [each.slug, connector, each.account]
            found[each.account, each.object] = hub.execute(
                f"select count(*) from {sink} where {asked}", place
            ).fetchall()
            expected[each.account, each.object] = [(len(distinct_records(real.files, each)),)]
    assert found == expected


def distinct_records(files: RealFiles, delivery: Delivery) -> set[str]:
    """The records that files bring, but for those in quarantine."""
    kept = [path for path in files.paths(delivery) if (delivery.connector, delivery.account, path.name) not in WITHHELD]
    return {record for path in kept for record in records_of(path)}


@pytest.mark.parametrize("connector", CONNECTORS)
def test_what_is_no_record_is_quarantined_by_file_and_reason(real: RealProject, connector: str) -> None:
    found: Counter[tuple[str, str, str]] = Counter()
    reasons: dict[tuple[str, str, str], set[str]] = {}
    with Ops(real.project.settings.ops) as ops:
        for row in ops.quarantine(SLUG[connector]):
            if row["platform"] == connector:
                place = (connector, row["account"], Path(row["path"]).name)
                found[place] += row["count"]
                reasons.setdefault(place, set()).add(row["reason"])
    expected = {place: said for place, said in WITHHELD.items() if place[0] == connector}
    assert dict(found) == {place: count for place, (count, _) in expected.items()}
    assert all(reason.startswith(expected[place][1]) for place, said in reasons.items() for reason in said)


# ── ads ──


@pytest.mark.parametrize("connector", ADS)
def test_spend_impressions_clicks_and_conversions_by_day_and_campaign(real: RealProject, connector: str) -> None:
    found = real.star(
        connector,
        """select source_account, report_date, campaign_id, sum(spend), sum(impressions)::bigint, sum(clicks)::bigint,
            sum(conversions) from fct_{t}__ad_performance where source_platform = ? group by all""",
    )
    expected = by_key(real.raw(connector, ADS[connector]), 4)
    assert by_key(found, 4) == expected
    assert sum(spend or 0 for spend, *_ in expected.values()) > 0


@pytest.mark.parametrize("connector", ADS)
def test_raw_spend_reconciles_to_the_fact_and_to_the_answer(real: RealProject, connector: str) -> None:
    rows = real.raw(connector, ADS[connector])
    spend, impressions, clicks = (sum(row[place] or 0 for row in rows) for place in (3, 4, 5))
    ((of_fact,),) = real.star(connector, "select sum(spend) from fct_{t}__ad_performance where source_platform = ?")
    assert abs(of_fact - spend) <= A_MILLIONTH
    answer = real.sums(connector, "spend", "impressions", "clicks", dimensions=["ad_platform"])
    assert answer == {connector: (spend, impressions, clicks)}


@pytest.mark.parametrize("connector", ADS)
def test_spend_of_each_day_is_asked_for_as_the_files_say_it(real: RealProject, connector: str) -> None:
    days: dict[str, Decimal | None] = {}
    for _, day, _, spend, *_ in real.raw(connector, ADS[connector]):
        before = days.get(str(day))
        days[str(day)] = spend if before is None else before + (spend or 0)
    answer = real.sums(connector, "spend", dimensions=["date"], time_grain="day", order_by=["date"], limit=1000)
    assert {day: spend for day, (spend,) in answer.items()} == days


@pytest.mark.parametrize("connector", CAMPAIGNS)
def test_a_campaign_is_called_as_its_latest_version_says(real: RealProject, connector: str) -> None:
    found = real.star(
        connector,
        """select source_account, campaign_id, campaign_name, campaign_status_raw from dim_{t}__campaigns
        where source_platform = ? and not is_inferred""",
    )
    expected = by_key(real.raw(connector, CAMPAIGNS[connector]), 2)
    assert by_key(found, 2) == expected != {}


# ── shops ──


@pytest.mark.parametrize("connector", ORDERS)
def test_orders_revenue_and_refunds_by_day(real: RealProject, connector: str) -> None:
    found = real.star(
        connector,
        """select source_account, order_date, currency, count(*), sum(total_price), sum(refunded_amount)
        from fct_{t}__orders where source_platform = ? group by all""",
    )
    expected = by_key(real.raw(connector, ORDERS[connector]), 3)
    assert by_key(found, 3) == by_key([(*key, *map(_decimal, sums)) for key, sums in expected.items()], 3) != {}


def _decimal(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) else value


@pytest.mark.parametrize("connector", ORDERS)
def test_orders_and_revenue_are_asked_for_as_the_files_say_them(real: RealProject, connector: str) -> None:
    sums: dict[str, list[Any]] = {}
    for _, _, currency, orders, revenue, _ in real.raw(connector, ORDERS[connector]):
        total = sums.setdefault(currency, [0, Decimal(0)])
        total[0], total[1] = total[0] + orders, total[1] + revenue
    answer = real.sums(connector, "orders", "order_revenue", dimensions=["currency"])
    assert answer == {currency: tuple(total) for currency, total in sums.items()}


# ── analytics ──


@pytest.mark.parametrize("connector", EVENTS)
def test_events_users_visits_and_revenue_by_day(real: RealProject, connector: str) -> None:
    events = EVENTS[connector]
    visits = dict(real.raw(connector, VISITS.replace("{events}", events)))
    totals = "count(*), count(distinct who), coalesce(sum(revenue), 0)"
    ((number, users, revenue),) = real.raw(connector, f"select {totals} from ({events})")
    by_day = "timezone(zone, timezone('UTC', moment))::date, name"
    named = dict(_keyed(real.raw(connector, f"select {by_day}, count(*) from ({events}) group by all")))
    told = real.star(
        connector, "select session_date, count(*) from fct_{t}__sessions where source_platform = ? group by 1"
    )
    assert dict(told) == visits
    told = real.star(
        connector, "select event_date, event_name, count(*) from fct_{t}__events where source_platform = ? group by all"
    )
    assert dict(_keyed(told)) == named
    answer = real.sums(
        connector, "events", "event_users", "sessions", "session_revenue", dimensions=["analytics_platform"]
    )
    assert answer == {connector: (number, users, sum(visits.values()), revenue)}
    answer = real.sums(connector, "sessions", dimensions=["date"], time_grain="day", order_by=["date"])
    assert answer == {str(day): (count,) for day, count in visits.items()}


def _keyed(rows: Rows) -> Iterator[tuple[tuple[Any, ...], Any]]:
    return ((row[:-1], row[-1]) for row in rows)


# ── payments ──


@pytest.mark.parametrize("connector", CHARGES)
def test_charges_and_refunds_by_day(real: RealProject, connector: str) -> None:
    """Charges are built and never published: the star's working file holds them."""
    path = real.project.settings.home / "tenants" / SLUG[connector] / "stars.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        found = con.execute(
            f"""select source_account, charged_at::date, currency, count(*), sum(captured_amount), sum(refunded_amount)
            from int_{SLUG[connector]}__charges where source_platform = ? group by all""",
            [connector],
        ).fetchall()
    assert by_key(found, 3) == by_key(real.raw(connector, CHARGES[connector]), 3) != {}


# ── what every contract was tested on ──


@pytest.mark.parametrize(("connector", "name"), [pytest.param(*place, id=".".join(place)) for place in DOCUMENTED])
def test_an_answer_in_the_documented_form_is_one_record(connector: str, name: str, tmp_path: Path) -> None:
    answer, says = DOCUMENTED[connector, name].answer, DOCUMENTED[connector, name].says
    path = tmp_path / ("answer.csv" if isinstance(answer, str) else "answer.json")
    path.write_text(answer if isinstance(answer, str) else json.dumps(answer), encoding="utf-8")
    read = read_file(connector, name, path)
    assert (len(read.good), read.wrong) == (1, [])
    assert {place: at(read.good[0], place) for place in says} == says


ELSEWHERE = {("google_analytics", "events"): "google_analytics/events/*.parquet"}
"""Real files that another project and other tests read."""
KINDS = {
    "fivetran": "a loader's table",
    "graph_api": "recorded",
    "derived_orders": "derived from real values",
    "events": "recorded",
}
"""What a file is, by its folder; else it is of the vendor's documentation or fixtures."""


def evidence() -> dict[tuple[str, str], tuple[set[str], str]]:
    """Of every object: the kinds of real file that it is tested on, and the page that documents its form."""
    known: dict[tuple[str, str], set[str]] = {}
    for each in deliveries():
        for name in each.names:
            if (each.connector, each.account, Path(name).name) not in WITHHELD:
                folder = "graph_api" if name.startswith("@") else name.partition("/")[0]
                known.setdefault((each.connector, each.object), set()).add(KINDS.get(folder, "documented"))
    known |= {place: {KINDS[name.split("/")[1]]} for place, name in ELSEWHERE.items()}
    found = {}
    for connector in CATALOG.values():
        for name in connector.objects:
            place = connector.like or connector.name, name
            documented = DOCUMENTED.get(place)
            found[connector.name, name] = known.get(place, set()), documented.source if documented else ""
    return found


def test_every_contract_is_tested_on_a_record_that_is_not_ours_or_names_its_documentation() -> None:
    """And what only a loader's table shows is tested in the vendor's own form too."""
    for place, (kinds, source) in evidence().items():
        assert kinds or source, place
        assert kinds - {"a loader's table"} or source, place


def test_the_list_of_what_contracts_are_tested_on(golden: Callable[[str, str], None]) -> None:
    rows = [
        f"| {connector}.{name} | {', '.join(sorted(kinds)) or 'none'} | {source or 'as in the file'} |"
        for (connector, name), (kinds, source) in evidence().items()
        if not CATALOG[connector].like
    ]
    rows += [f"| {each.name} | those of {each.like} | those of {each.like} |" for each in CATALOG.values() if each.like]
    golden("evidence.md", "\n".join(["| object | real files | the vendor's own form |", "|---|---|---|", *rows, ""]))
