"""The synthetic shop: repeatable, balanced sums, parameters that work, and records as the vendors send them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.accounts import Account, Read
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.connector import contracts_of
from pipeline.errors import ConfigError
from pipeline.synthetic.chunks import replaces_another
from pipeline.synthetic.generate import generate
from pipeline.synthetic.model.parameters import FunnelParameters

UNTIL = date(2026, 3, 1)
DOMAINS = {"facebook_ads": "ads", "shopify": "ecommerce", "google_analytics": "analytics"}
OWNERS = {
    "facebook_ads": ("daily_spend_mean", "campaign_count", "ad_group_count", "cpc_mean", "avg_ctr"),
    "shopify": ("daily_orders_mean", "aov_mean", "product_count", "daily_order_count"),
}


def shop(
    slug: str = "tyrell_corp",
    *,
    accounts: dict[str, tuple[Account, ...]] | None = None,
    zone: str = "UTC",
    **parameters: Any,
) -> Tenant:
    """A tenant of the three connectors with these parameters."""
    owner = {name: platform for platform, names in OWNERS.items() for name in names}
    sources = tuple(
        Source(
            platform=platform,
            domain=domain,
            objects=tuple(contracts_of(platform)),
            enabled=True,
            accounts=(accounts or {}).get(platform, (Account(),)),
            generation={
                name: value for name, value in parameters.items() if owner.get(name, "google_analytics") == platform
            },
        )
        for platform, domain in DOMAINS.items()
    )
    return Tenant(slug=slug, business_name=slug, timezone=zone, sources=sources)


class GeneratedFiles:
    """The generated files of one tenant, to be asked in SQL: all_events, all_orders, ... and orders as they are now."""

    def __init__(self, tenant: Tenant, home: Path, *, days: int = 28, until: date = UNTIL) -> None:
        self.files = generate(tenant, home, until=until, days=days)
        self.connection = duckdb.connect(config={"threads": 1})
        self._unread = {"names": NAMES, "orders": ORDERS_NOW, "visits": VISITS}
        for name in ("events", "orders", "products", "facebook_insights", "campaigns", "ad_sets", "ads"):
            paths = [str(path) for (_, _, each), files in self.files.items() if each == name for path in files]
            reader = "read_parquet" if name == "events" else "read_json_auto"
            if paths:
                self._unread[f"all_{name}"] = f"select * from {reader}({paths}, filename = true)"

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        self._read(sql)
        return self.connection.execute(sql).fetchall()

    def _read(self, sql: str) -> None:
        """See that the tables which a question names are there."""
        for name in [name for name in self._unread if re.search(rf"\b{name}\b", sql)]:
            table = self._unread.pop(name)
            self._read(table)
            self.connection.execute(f"create table {name} as {table}")

    def one(self, sql: str) -> Any:
        return self.ask(sql)[0][0]


NAMES = "select distinct id, name from all_campaigns"
ORDERS_NOW = """
select * from all_orders qualify row_number() over (partition by id order by updated_at::timestamptz desc) = 1
"""
VISITS = """
select
    user_pseudo_id,
    list_filter(event_params, lambda param: param.key = 'ga_session_id')[1].value.int_value as ga_session_id,
    min(event_date) as visit_date,
    any_value(list_filter(event_params, lambda param: param.key = 'source')[1].value.string_value)
        filter (event_name = 'session_start') as source,
    any_value(list_filter(event_params, lambda param: param.key = 'medium')[1].value.string_value)
        filter (event_name = 'session_start') as medium,
    any_value(list_filter(event_params, lambda param: param.key = 'campaign')[1].value.string_value)
        filter (event_name = 'session_start') as campaign,
    max(list_filter(event_params, lambda param: param.key = 'ga_session_number')[1].value.int_value) as number,
    count(*) filter (event_name = 'session_start') as starts,
    count(*) filter (event_name = 'purchase') as purchases
from all_events
where user_pseudo_id is not null
group by all
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> GeneratedFiles:
    return GeneratedFiles(shop(), tmp_path_factory.mktemp("generated"))


def digests(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def records(paths: Iterable[Path], *, every: int = 1) -> list[Any]:
    """What the files hold, in their order; of each, every so many-th record."""
    return [record for path in paths for record in _read(path, every)]


def _read(path: Path, every: int) -> list[Any]:
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        rows = pa.array(range(0, table.num_rows, every), pa.int64())
        return list(table.take(rows).to_pylist())
    return [json.loads(line) for line in path.read_text().splitlines()[::every] if line]


def test_the_same_tenant_and_days_give_the_same_bytes(tmp_path: Path) -> None:
    for home in ("one", "other"):
        generate(shop(), tmp_path / home, until=UNTIL, days=7)
    assert digests(tmp_path / "one") == digests(tmp_path / "other")


def test_a_later_day_adds_files_and_changes_none(tmp_path: Path) -> None:
    generate(shop(), tmp_path, until=UNTIL, days=7)
    before = digests(tmp_path)
    files = generate(shop(), tmp_path, until=UNTIL + timedelta(days=2), days=7)
    after = digests(tmp_path)
    ledger = "synthetic/tyrell_corp/_generator.json"
    assert {path: digest for path, digest in after.items() if path in before and path != ledger} == {
        path: digest for path, digest in before.items() if path != ledger
    }
    assert [path.name for path in files["google_analytics", "main", "events"]] == [
        "events_2026-02-22_2026-02-28.parquet",
        "events_2026-03-01_2026-03-02.parquet",
    ]
    assert len(after) == len(before) + 7


def test_days_hold_the_same_records_however_they_are_cut(tmp_path: Path) -> None:
    small = shop(daily_orders_mean=5)
    whole = generate(small, tmp_path / "whole", until=UNTIL, days=12)
    for until in (UNTIL - timedelta(days=5), UNTIL - timedelta(days=1), UNTIL):
        cut = generate(small, tmp_path / "cut", until=until, days=7)

    def known(paths: Iterable[Path], *key: str) -> list[str]:
        """The newest version of every record; without a key, each is its own."""
        newest = {str([record[name] for name in key or record]): str(record) for record in records(paths)}
        return sorted(newest.values())

    for platform, name, key in (
        ("google_analytics", "events", ()),
        ("shopify", "orders", ("id", "updated_at")),
        ("facebook_ads", "facebook_insights", ("ad_id", "date_start")),
        ("facebook_ads", "campaigns", ("id", "updated_time")),
    ):
        assert len(cut[platform, "main", name]) >= 3
        assert known(whole[platform, "main", name], *key) == known(cut[platform, "main", name], *key)


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    first = generate(shop(), tmp_path, until=UNTIL, days=7)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert generate(shop(), tmp_path, until=UNTIL, days=7) == first
    assert generate(shop(), tmp_path, until=UNTIL - timedelta(days=3), days=7) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_interrupted_generation_is_completed_by_the_next(tmp_path: Path) -> None:
    files = generate(shop(), tmp_path, until=UNTIL, days=7)
    before = digests(tmp_path)
    for key in (("shopify", "main", "orders"), ("google_analytics", "main", "events")):
        files[key][0].unlink()
    (tmp_path / "synthetic/tyrell_corp/shopify/main/.orders.draft").write_text('{"id": 1')
    assert generate(shop(), tmp_path, until=UNTIL, days=7) == files
    assert {path: digest for path, digest in digests(tmp_path).items() if not path.endswith(".draft")} == before


@pytest.mark.parametrize("change", [{"aov_mean": 80}, {"zone": "Europe/Berlin"}, {"days": 9}])
def test_another_shop_or_a_longer_past_is_made_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    generate(shop(), tmp_path, until=UNTIL, days=7)
    days = change.pop("days", 7)
    later = UNTIL + timedelta(days=1)
    files = generate(shop(**change), tmp_path, until=later, days=days)
    generate(shop(**change), tmp_path / "fresh", until=later, days=days)
    folders = [home / "synthetic" for home in (tmp_path, tmp_path / "fresh")]
    assert [replaces_another(folder / "tyrell_corp") for folder in folders] == [bool(change), False]
    for folder in folders:
        (folder / "tyrell_corp/_generator.json").unlink()  # only it says whether there was another shop before
    assert digests(folders[0]) == digests(folders[1])
    assert all(len(paths) == 1 for (_, _, name), paths in files.items() if name != "campaigns")


@pytest.mark.parametrize("damaged", [b"\x9a", b"{", b"[]", b"{}", b'{"generator": 2, "shop": {}, "chunks": 1}'])
def test_files_whose_record_is_damaged_are_made_anew(tmp_path: Path, damaged: bytes) -> None:
    generate(shop(), tmp_path, until=UNTIL, days=7)
    before = digests(tmp_path)
    (tmp_path / "synthetic/tyrell_corp/_generator.json").write_bytes(damaged)
    generate(shop(), tmp_path, until=UNTIL, days=7)
    after = digests(tmp_path)
    assert {path for path in after if after[path] != before.get(path)} <= {"synthetic/tyrell_corp/_generator.json"}


def test_a_renamed_business_keeps_its_files(tmp_path: Path) -> None:
    generate(shop(), tmp_path, until=UNTIL, days=7)
    before = digests(tmp_path)
    generate(shop().model_copy(update={"business_name": "New name"}), tmp_path, until=UNTIL, days=7)
    assert digests(tmp_path) == before


def test_tenants_share_no_id_and_no_number(tmp_path: Path, generated: GeneratedFiles) -> None:
    other = GeneratedFiles(shop("wayne_enterprises"), tmp_path)
    for ids in (
        "select id from all_orders",
        "select id from all_products",
        "select customer.id from all_orders where customer is not null",
        "select id from all_campaigns",
        "select user_pseudo_id from all_events where user_pseudo_id is not null",
    ):
        assert not set(generated.ask(ids)) & set(other.ask(ids))
    assert generated.ask(
        "select price from (select unnest(variants, recursive := true) from all_products)"
    ) != other.ask("select price from (select unnest(variants, recursive := true) from all_products)")


def test_orders_and_purchase_events_are_the_same_money(generated: GeneratedFiles) -> None:
    orders = generated.one("select sum(total_price::decimal(18, 2)) from orders where not test")
    assert orders > 0
    assert orders == generated.one("select sum(ecommerce.purchase_revenue::decimal(18, 2)) from all_events")
    value = "list_filter(event_params, lambda param: param.key = 'value')[1].value"
    assert orders == generated.one(
        f"select sum(coalesce({value}.double_value, {value}.int_value)::decimal(18, 2)) from all_events"
    )


def test_every_purchase_event_names_an_order_and_every_order_but_tests_has_one(generated: GeneratedFiles) -> None:
    orders = {str(number) for (number,) in generated.ask("select id from orders where not test")}
    events = [
        number
        for (number,) in generated.ask("select ecommerce.transaction_id from all_events where event_name = 'purchase'")
    ]
    assert sorted(events) == sorted(orders)
    assert generated.one("select count(*) from orders where test") > 0


def test_clicks_of_a_campaign_and_day_are_the_visits_it_brought(generated: GeneratedFiles) -> None:
    clicks = """
        select date_start::date, campaign_id, sum(clicks::bigint) as clicks
        from all_facebook_insights group by all having clicks > 0 order by all
    """
    visits = """
        select strptime(visit_date, '%Y%m%d')::date, names.id, count(*)
        from visits join names on names.name = visits.campaign
        where source = 'facebook' and medium = 'paid_social' and starts > 0 group by all order by all
    """
    assert generated.ask(clicks) == generated.ask(visits)
    assert not generated.ask("select campaign from visits where source = 'facebook' except select name from names")


def test_conversions_are_the_purchases_of_paid_visits_under_every_name_of_a_purchase(generated: GeneratedFiles) -> None:
    final = f"date_start::date < date '{UNTIL}' - 7"  # what was said of it is revised no more
    actions = f"""
        select campaign_id, action.action_type, sum(action.value::bigint)
        from all_facebook_insights, unnest(actions) as t(action)
        where action.action_type like '%purchase%' and {final} group by all
    """
    counts = {(campaign, name): count for campaign, name, count in generated.ask(actions)}
    bought = dict(
        generated.ask(f"""
            select names.id, sum(purchases) as bought from visits join names on names.name = visits.campaign
            where source = 'facebook' and {final.replace("date_start", "strptime(visit_date, '%Y%m%d')")}
            group by all having bought > 0
        """)
    )
    names = ("purchase", "omni_purchase", "offsite_conversion.fb_pixel_purchase")
    assert counts == {(campaign, name): count for campaign, count in bought.items() for name in names}
    revenue = "select sum(a.value::decimal(18, 2)) from all_facebook_insights, unnest(action_values) as t(a) where {}"
    assert generated.one(revenue.format("a.action_type = 'purchase'")) * 3 == generated.one(revenue.format("true"))


def test_insights_of_ads_add_up_over_campaigns_that_exist(generated: GeneratedFiles) -> None:
    sql = """
        select count(*) from all_facebook_insights as i
        join all_ads as a on a.id = i.ad_id and a.adset_id = i.adset_id and a.campaign_id = i.campaign_id
        join all_ad_sets as s on s.id = i.adset_id and s.campaign_id = i.campaign_id
        join names as c on c.id = i.campaign_id and c.name = i.campaign_name
    """
    assert generated.one(sql) == generated.one("select count(*) from all_facebook_insights") == 28 * 20


def test_changed_orders_come_again_with_a_later_update(tmp_path: Path) -> None:
    generate(shop(daily_orders_mean=60), tmp_path, until=UNTIL - timedelta(days=7), days=14)
    generated = GeneratedFiles(shop(daily_orders_mean=60), tmp_path, days=14)
    first, second = (str(path) for path in generated.files["shopify", "main", "orders"])
    again = f"""
        select count(*), bool_and(new.updated_at::timestamptz > old.updated_at::timestamptz),
            bool_and(new.total_price = old.total_price), bool_or(new.financial_status <> old.financial_status)
        from (select * from all_orders where filename = '{first}'
            qualify row_number() over (partition by id order by updated_at::timestamptz desc) = 1) as old
        join all_orders as new on new.id = old.id and new.filename = '{second}'
    """
    count, is_later, is_same_price, changes_status = generated.ask(again)[0]
    assert count > 50
    assert is_later
    assert is_same_price
    assert changes_status
    day = "updated_at::timestamptz::date"
    assert generated.one(f"select max({day}) from all_orders where filename = '{first}'") < generated.one(
        f"select min({day}) from all_orders where filename = '{second}'"
    )


def test_orders_have_guests_tests_cancellations_and_refunds_whose_money_adds_up(tmp_path: Path) -> None:
    generated = GeneratedFiles(shop(daily_orders_mean=60), tmp_path)
    statuses = {status for (status,) in generated.ask("select distinct financial_status from orders")}
    assert statuses == {"paid", "pending", "partially_refunded", "refunded", "voided"}
    for some in ("customer is null", "email is null", "cancelled_at is not null", "len(note_attributes) > 0", "test"):
        assert 0 < generated.one(f"select avg(({some})::int) from orders") < 1
    assert not generated.ask("""
        select id from orders
        where total_price::decimal(18, 2) - current_total_price::decimal(18, 2)
            <> coalesce(refunds[1].transactions[1].amount::decimal(18, 2), 0)
            or (financial_status = 'refunded' and current_total_price <> '0.00')
            or (refunds[1] is not null and refunds[1].created_at::timestamptz < created_at::timestamptz)
    """)
    assert not generated.ask("""
        select id from orders
        where total_price::decimal(18, 2) <> subtotal_price::decimal(18, 2) + total_tax::decimal(18, 2)
            or subtotal_price::decimal(18, 2) <> list_sum(list_transform(line_items,
                lambda line: line.quantity * line.price::decimal(18, 2) - line.total_discount::decimal(18, 2)))
    """)
    assert not generated.ask("""
        with lines as (select refunds, unnest(line_items) as line from orders)
        select line.id from lines
        where line.total_discount::decimal(18, 2) <> coalesce(line.discount_allocations[1].amount::decimal(18, 2), 0)
            or line.quantity - line.current_quantity <> coalesce(list_filter(
                refunds[1].refund_line_items, lambda item: item.line_item_id = line.id)[1].quantity, 0)
    """)


def test_some_events_have_no_user_and_no_visit(generated: GeneratedFiles) -> None:
    alone = generated.ask("select distinct event_name, len(event_params) from all_events where user_pseudo_id is null")
    assert alone == [("page_view", 0)]


def test_a_gap_of_thirty_minutes_is_what_parts_visits(generated: GeneratedFiles) -> None:
    sql = """
        with gaps as (
            select user_pseudo_id, event_timestamp - lag(event_timestamp) over user_events as gap,
                list_filter(event_params, lambda param: param.key = 'ga_session_id')[1].value.int_value as session,
                lag(session) over user_events as session_before
            from all_events where user_pseudo_id is not null
            window user_events as (partition by user_pseudo_id order by event_timestamp)
        )
        select count(*) filter (session = session_before and gap > 1800000000),
            count(*) filter (session <> session_before and gap <= 1800000000),
            count(*) filter (session <> session_before)
        from gaps
    """
    within, between, breaks = generated.ask(sql)[0]
    assert (within, between) == (0, 0)
    assert breaks > 100


def test_records_satisfy_their_contracts_and_leave_no_field_unknown(generated: GeneratedFiles) -> None:
    for (platform, _, name), paths in generated.files.items():
        contract = contracts_of(platform)[name]
        sample = records(paths, every=7)
        assert sample
        for record in sample[:: len(sample) // 300 + 1]:
            parsed = contract.model_validate(record)
            assert not parsed.model_extra
            assert all(getattr(parsed, field) is not None for field in contract.required)


def test_numbers_of_insights_are_text_and_nothing_is_an_absent_key(tmp_path: Path) -> None:
    files = generate(shop(daily_orders_mean=1), tmp_path, until=UNTIL, days=7)
    rows = records(files["facebook_ads", "main", "facebook_insights"])
    assert all(isinstance(row["spend"], str) and isinstance(row["impressions"], str) for row in rows)
    assert all(value is not None for row in rows for value in row.values())
    assert any("clicks" not in row and "actions" not in row for row in rows)
    assert all(row.get("clicks") != "0" for row in rows)


def test_days_are_those_of_each_accounts_own_zone(tmp_path: Path) -> None:
    accounts = {
        "facebook_ads": (Account(timezone="Asia/Tokyo"),),
        "shopify": (Account(timezone="America/New_York"),),
        "google_analytics": (Account(timezone="Australia/Lord_Howe"),),
    }
    until = date(2026, 4, 7)  # summer time began in New York on March 8 and ended on Lord Howe Island on April 5
    generated = GeneratedFiles(shop(accounts=accounts, zone="Europe/Berlin"), tmp_path, days=35, until=until)
    island = ZoneInfo("Australia/Lord_Howe")
    for day, micros in generated.ask("select event_date, event_timestamp from all_events using sample 2000 rows"):
        assert day == datetime.fromtimestamp(micros / 1e6, island).strftime("%Y%m%d")
    assert generated.ask("select min(event_date), max(event_date) from all_events") == [("20260303", "20260406")]
    assert generated.ask("select min(date_start)::text, max(date_start)::text from all_facebook_insights") == [
        ("2026-03-03", "2026-04-06")
    ]
    for order in records(generated.files["shopify", "main", "orders"]):
        placed = datetime.fromisoformat(order["created_at"])
        offset = -5 if placed.replace(tzinfo=None) < datetime(2026, 3, 8, 2) else -4  # noqa: DTZ001  # local time is meant
        assert placed.utcoffset() == timedelta(hours=offset)


def test_accounts_of_a_platform_share_the_shop_and_repeat_nothing(tmp_path: Path) -> None:
    two = (Account(name="eu", currency="EUR"), Account(name="us", currency="USD"))
    accounts = {"facebook_ads": two, "shopify": two, "google_analytics": (Account(name="web"),)}
    generated = GeneratedFiles(shop(accounts=accounts, campaign_count=5), tmp_path)
    single = GeneratedFiles(shop(campaign_count=5), tmp_path / "single")
    assert generated.one("select count(*) from orders") == single.one("select count(*) from orders")
    names = "select distinct name from names order by name"
    assert generated.ask(names) == single.ask(names)
    assert generated.one("select count(distinct id) from all_campaigns") == 5
    assert generated.one("select count(distinct id) - count(*) from all_products") == 0
    per_currency = (
        "select currency, sum(total_price::decimal(18, 2)) from orders where not test group by all order by all"
    )
    currency = "list_filter(event_params, lambda param: param.key = 'currency')[1].value.string_value"
    assert generated.ask(per_currency) == generated.ask(
        f"select {currency}, sum(ecommerce.purchase_revenue::decimal(18, 2)) from all_events"
        " where event_name = 'purchase' group by all order by all"
    )
    assert generated.one("select count(distinct currency) from orders") == 2


def test_only_synthetic_accounts_are_generated(tmp_path: Path) -> None:
    files = (Account(read=Read(kind="files", objects={"orders": ("/exports/orders.jsonl",)})),)
    made = generate(shop(accounts={"shopify": files}), tmp_path, until=UNTIL, days=7)
    assert {platform for platform, _, _ in made} == {"facebook_ads", "google_analytics"}
    nothing = generate(shop(accounts=dict.fromkeys(DOMAINS, files)), tmp_path / "none", until=UNTIL)
    assert nothing == {}
    assert not (tmp_path / "none").exists()


def test_a_day_without_orders_is_a_file_without_records_not_an_empty_one(tmp_path: Path) -> None:
    files = generate(shop(daily_orders_mean=0), tmp_path, until=UNTIL, days=1)
    assert files["shopify", "main", "orders"][0].read_bytes() == b"\n"
    assert records(files["google_analytics", "main", "events"]) == []


def near(wanted: float, share: float) -> Any:
    return pytest.approx(wanted, rel=share)


ENDS = ("bounce", "view", "cart", "checkout", "payment", "purchase")
SHOPS: dict[str, dict[str, Any]] = {
    "plain": {},
    "busy": {
        "daily_spend_mean": 3000,
        "campaign_count": 8,
        "ad_group_count": 15,
        "avg_ctr": 0.05,
        "product_count": 20,
        "daily_orders_mean": 40,
        "aov_mean": 120,
        "organic_traffic_ratio": 0.8,
    },
    "reluctant": {"daily_spend_mean": 6000, "conversion_rate": 0.02, "daily_orders_mean": 10},
    "eager": {"conversion_rate": 0.2, "daily_order_count": 60, "organic_traffic_ratio": 1},
    "bought": {"cpc_mean": 2.0, "daily_spend_mean": 600},
    "counted": {"daily_event_count": 1500},
    "empty": {"daily_orders_mean": 0},
    "own": {
        "unique_user_base": 9000,
        "funnel": {
            "session_to_view": 0.9,
            "view_to_cart": 0.5,
            "cart_to_checkout": 0.9,
            "checkout_to_payment": 0.4,
            "payment_to_purchase": 0.5,
        },
    },
    "once": {"funnel": {f"return_after_{end}": 0 for end in ENDS}},
}


@pytest.fixture(scope="module")
def generated_by_parameter(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], GeneratedFiles]:
    """The generated files of each of SHOPS, cached once they were needed."""
    return cache(lambda name: GeneratedFiles(shop(**SHOPS[name]), tmp_path_factory.mktemp(name)))


SPEND = "select sum(spend::double) / count(distinct date_start) from all_facebook_insights"
CLICKS = "select sum(clicks::double) / 28 from all_facebook_insights"
CTR = "select sum(clicks::double) / sum(impressions::double) from all_facebook_insights"
BROUGHT = "select count(distinct id) from visits join names on name = campaign where source = 'facebook'"
ORDERS = "select count(*) / 28 from orders where not test"
VALUE = "select avg(total_price::double) from orders where not test"
ORGANIC = "select avg((source is distinct from 'facebook')::int) from visits where starts > 0"
CONVERSION = "select sum(purchases) / sum(starts) from visits"
EVENTS = "select count(*) / 28 from all_events"
USERS = "select count(distinct user_pseudo_id) from all_events where event_name = 'first_visit'"
STEP = "select count(*) filter (event_name = '{}') / count(*) filter (event_name = '{}') from all_events"


@pytest.mark.parametrize(
    ("name", "question", "wanted"),
    [
        ("busy", SPEND, near(3000, 0.05)),
        ("reluctant", SPEND, near(6000, 0.05)),
        ("plain", SPEND, near(100, 0.05)),
        ("busy", "select count(distinct id) from all_campaigns", 8),
        ("busy", BROUGHT, 8),
        ("busy", "select count(*) from all_ad_sets", 15),
        ("busy", CTR, near(0.05, 0.1)),
        ("plain", CTR, near(0.015, 0.1)),
        ("bought", CLICKS, near(300, 0.1)),
        ("busy", "select count(*) from all_products", 20),
        ("busy", ORDERS, near(40, 0.1)),
        ("eager", ORDERS, near(60, 0.1)),
        ("plain", ORDERS, near(15, 0.15)),
        ("busy", VALUE, near(120, 0.08)),
        ("plain", VALUE, near(75, 0.12)),
        ("busy", ORGANIC, near(0.8, 0.05)),
        ("eager", ORGANIC, 1),
        ("plain", ORGANIC, near(0.4, 0.05)),
        ("reluctant", CONVERSION, near(0.02, 0.15)),
        ("eager", CONVERSION, near(0.2, 0.1)),
        ("counted", EVENTS, near(1500, 0.1)),
        ("empty", EVENTS, 0),
        ("own", USERS, near(9000 * 28 / 90, 0.1)),
        ("own", STEP.format("view_item", "session_start"), near(0.9, 0.05)),
        ("own", STEP.format("add_to_cart", "view_item"), near(0.5, 0.08)),
        ("own", STEP.format("begin_checkout", "add_to_cart"), near(0.9, 0.08)),
        ("own", STEP.format("add_payment_info", "begin_checkout"), near(0.4, 0.15)),
        ("own", STEP.format("purchase", "add_payment_info"), near(0.5, 0.15)),
        ("once", "select max(number) from visits", 1),
        ("plain", "select max(number) from visits", 3),
    ],
)
def test_a_parameter_does_what_it_says(
    generated_by_parameter: Callable[[str], GeneratedFiles], name: str, question: str, wanted: Any
) -> None:
    assert float(generated_by_parameter(name).one(question)) == wanted


@pytest.mark.parametrize("end", ENDS)
def test_fewer_visits_follow_when_fewer_visitors_come_back(end: str) -> None:
    fewer = FunnelParameters(**{f"return_after_{end}": 0.0}).build(None).expected()
    assert fewer.visits < FunnelParameters().build(None).expected().visits


def test_who_has_bought_before_buys_more_when_boosted(tmp_path: Path) -> None:
    def repeats(boost: float) -> float:
        buyers = "select user_pseudo_id from all_events where event_name = 'purchase' group by all having count(*) > 1"
        tenant = shop(daily_orders_mean=60, funnel={"returning_customer_boost": boost})
        return float(GeneratedFiles(tenant, tmp_path / str(boost), days=14).one(f"select count(*) from ({buyers})"))

    assert repeats(1.6) > 1.5 * repeats(1.0)


def test_tracking_loss_hides_visits_from_analytics_but_not_orders_or_clicks(
    tmp_path: Path, generated: GeneratedFiles
) -> None:
    lossy = GeneratedFiles(shop(tracking_loss=0.3), tmp_path)
    for kept in ("select count(*) from orders", "select sum(clicks::bigint) from all_facebook_insights"):
        assert lossy.one(kept) == generated.one(kept)
    for lost in ("select count(*) from visits", "select sum(ecommerce.purchase_revenue) from all_events"):
        assert lossy.one(lost) < 0.9 * generated.one(lost)
    assert lossy.one("select count(*) from visits") == near(0.7 * generated.one("select count(*) from visits"), 0.05)


def test_orders_of_visits_that_never_buy_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tyrell_corp asks for 15 orders a day of visits that never buy"):
        generate(shop(daily_orders_mean=15, conversion_rate=0), tmp_path, until=UNTIL)
    assert not list(tmp_path.iterdir())
