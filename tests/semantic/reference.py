"""The same questions, answered the slow way: plain Python over lists of rows. Imports nothing of ours but Query."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from semantic.query import Query, TimeRange

Row = dict[str, Any]
Rows = dict[str, list[Row]]
Key = tuple[Any, ...]

DAY = {
    "ad_performance": "report_date",
    "orders": "order_date",
    "order_items": "order_date",
    "sessions": "session_date",
    "events": "event_date",
}


def _sum(column: str, condition: Callable[[Row], bool] = lambda row: True) -> Callable[[list[Row]], Any]:
    def added(rows: list[Row]) -> Any:
        values = [(row[column] if condition(row) else 0) for row in rows]
        known = [Decimal(str(value)) for value in values if value is not None]
        return sum(known, Decimal(0)) if known or not rows else None

    return added


def _count(condition: Callable[[Row], bool] = lambda row: True) -> Callable[[list[Row]], Any]:
    return lambda rows: sum(1 for row in rows if condition(row))


def _distinct(column: str, condition: Callable[[Row], bool] = lambda row: True) -> Callable[[list[Row]], Any]:
    return lambda rows: len({row[column] for row in rows if condition(row) and row[column] is not None})


def _valid(row: Row) -> bool:
    return bool(row["is_valid"])


BASE: dict[str, tuple[str, Callable[[list[Row]], Any]]] = {
    "spend": ("ad_performance", _sum("spend")),
    "clicks": ("ad_performance", _sum("clicks")),
    "impressions": ("ad_performance", _sum("impressions")),
    "ad_conversions": ("ad_performance", _sum("conversions")),
    "orders": ("orders", _count()),
    "valid_orders": ("orders", _count(_valid)),
    "order_revenue": ("orders", _sum("total_price", _valid)),
    "customers": ("orders", _distinct("customer_key", _valid)),
    "units_sold": ("order_items", _sum("quantity", _valid)),
    "sessions": ("sessions", _count()),
    "converting_sessions": ("sessions", _count(lambda row: row["is_conversion_session"])),
    "session_revenue": ("sessions", _sum("session_revenue")),
    "attributed_revenue": ("sessions", _sum("session_revenue", lambda row: row["attribution"] == "matched")),
    "session_users": ("sessions", _distinct("user_key")),
    "events": ("events", _count()),
}
RATIOS = {
    "ctr": ("clicks", "impressions"),
    "cost_per_conversion": ("spend", "ad_conversions"),
    "average_order_value": ("order_revenue", "valid_orders"),
    "conversion_rate": ("converting_sessions", "sessions"),
    "roas": ("attributed_revenue", "spend"),
    "blended_roas": ("order_revenue", "spend"),
    "cac": ("spend", "converting_sessions"),
}
ADDS_UP = set(BASE) - {"customers", "session_users"}


def _own(column: str) -> Callable[[Row, Rows], Any]:
    return lambda row, rows: row[column]


def _via(key: str, table: str, column: Callable[[Row, Rows], Any]) -> Callable[[Row, Rows], Any]:
    def looked_up(row: Row, rows: Rows) -> Any:
        met = [other for other in rows[table] if row[key] is not None and other[key] == row[key]]
        return column(met[0], rows) if met else None

    return looked_up


_CAMPAIGN = {name: _via("campaign_key", "campaigns", _own(name)) for name in ("campaign_name", "campaign_id")}
_CUSTOMER = _via("user_key", "users", _own("is_customer"))
DIMENSIONS: dict[str, dict[str, Callable[[Row, Rows], Any]]] = {
    "date": {fact: _own(column) for fact, column in DAY.items()},
    "ad_platform": {
        "ad_performance": _own("source_platform"),
        "sessions": _own("ad_platform"),
        "orders": _own("ad_platform"),
        "order_items": _via("order_key", "orders", _own("ad_platform")),
        "events": _via("session_id", "sessions", _own("ad_platform")),
    },
    "campaign_name": {
        **dict.fromkeys(("ad_performance", "sessions", "orders"), _CAMPAIGN["campaign_name"]),
        "order_items": _via("order_key", "orders", _CAMPAIGN["campaign_name"]),
        "events": _via("session_id", "sessions", _CAMPAIGN["campaign_name"]),
    },
    "campaign_id": {
        **dict.fromkeys(("sessions", "orders"), _CAMPAIGN["campaign_id"]),
        "ad_performance": _own("campaign_id"),
    },
    "traffic_source": {
        **dict.fromkeys(("sessions", "orders", "events"), _own("traffic_source")),
        "order_items": _via("order_key", "orders", _own("traffic_source")),
    },
    "geo_country": dict.fromkeys(("sessions", "events"), _own("geo_country")),
    "is_customer": {
        **dict.fromkeys(("sessions", "orders", "events"), _CUSTOMER),
        "order_items": _via("order_key", "orders", _CUSTOMER),
    },
    "product_name": {"order_items": _via("product_key", "products", _own("product_name"))},
}


def facts_of(metric: str) -> list[str]:
    return [BASE[part][0] for part in RATIOS.get(metric, (metric,))]


def go_together(metrics: Iterable[str], dimensions: Iterable[str]) -> bool:
    """Whether every fact of every metric has every dimension."""
    facts = {fact for metric in metrics for fact in facts_of(metric)}
    return all(facts <= DIMENSIONS[dimension].keys() for dimension in dimensions)


def period_start(day: date, grain: str | None, week_start: int = 0) -> date:
    if grain == "week":
        while day.weekday() != week_start:
            day -= timedelta(days=1)
        return day
    months = {"month": 1, "quarter": 3, "year": 12}.get(grain or "")
    return date(day.year, (day.month - 1) // months * months + 1, 1) if months else day


def holds(value: Any, op: str, given: Any) -> bool:
    """A filter's condition; an empty value meets none but is_null."""
    if op in ("is_null", "is_not_null"):
        return (value is None) == (op == "is_null")
    if value is None:
        return False
    if isinstance(value, date):
        given = tuple(map(date.fromisoformat, given)) if isinstance(given, tuple) else date.fromisoformat(given)
    if isinstance(value, Decimal) and not isinstance(given, tuple):
        given = Decimal(str(given))
    folded = value.casefold() if isinstance(value, str) else value
    return bool(
        {
            "=": lambda: value == given,
            "!=": lambda: value != given,
            ">": lambda: value > given,
            ">=": lambda: value >= given,
            "<": lambda: value < given,
            "<=": lambda: value <= given,
            "in": lambda: value in given,
            "not_in": lambda: value not in given,
            "between": lambda: given[0] <= value <= given[1],
            "contains": lambda: given.casefold() in folded,
            "starts_with": lambda: folded.startswith(given.casefold()),
        }[op]()
    )


def groups(
    query: Query,
    rows: Rows,
    metrics: Iterable[str],
    start: date | None,
    end: date | None,
    rename: Callable[[Key], Key] = lambda key: key,
) -> dict[Key, Row]:
    """Every base metric that `metrics` need, for every key that any of their facts has; keys may be renamed first."""
    parts = list(dict.fromkeys(part for metric in metrics for part in RATIOS.get(metric, (metric,))))
    kept: dict[str, dict[Key, list[Row]]] = {}
    for fact in dict.fromkeys(BASE[part][0] for part in parts):
        kept[fact] = {} if query.dimensions else {(): []}
        for row in rows[fact]:
            day = row[DAY[fact]]
            cuts = [f for f in query.filters if f.name in DIMENSIONS]
            if (start and day < start) or (end and day > end):
                continue
            if all(holds(DIMENSIONS[f.name][fact](row, rows), f.op, f.value) for f in cuts):
                key = tuple(
                    period_start(day, query.time_grain) if name == "date" else DIMENSIONS[name][fact](row, rows)
                    for name in query.dimensions
                )
                kept[fact].setdefault(rename(key), []).append(row)
    keys = dict.fromkeys(key for found in kept.values() for key in found)
    return {key: {part: BASE[part][1](kept[BASE[part][0]].get(key, [])) for part in parts} for key in keys}


def value(metric: str, parts: Row) -> Any:
    if metric not in RATIOS:
        return parts[metric]
    above, below = (parts[part] for part in RATIOS[metric])
    return None if above is None or not below else float(above) / float(below)


def answer(query: Query, rows: Rows) -> dict[Key, Row]:
    """Metrics by key, after filters on dimensions, the time range and filters on metrics."""
    span = query.time_range if isinstance(query.time_range, TimeRange) else TimeRange()
    tests = [f for f in query.filters if f.name not in DIMENSIONS]
    used = [*query.metrics, *(f.name for f in tests)]
    found = groups(query, rows, used, span.start, span.end)
    return {
        key: {metric: value(metric, parts) for metric in query.metrics}
        for key, parts in found.items()
        if all(holds(value(f.name, parts), f.op, f.value) for f in tests)
    }


def before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def compared(
    query: Query, rows: Rows, current: tuple[date, date], previous: tuple[date, date], months: int
) -> dict[Key, Row]:
    """Each metric now and `months` before; with a date, each date beside the same day of the earlier month."""
    now = groups(query, rows, query.metrics, *current)
    old = groups(query, rows, query.metrics, *previous)
    zero = {part: BASE[part][1]([]) for metric in query.metrics for part in RATIOS.get(metric, (metric,))}
    at = query.dimensions.index("date") if "date" in query.dimensions else None
    moved = {}
    for key, parts in old.items():
        if at is None:
            moved[key] = parts
            continue
        later = before(key[at], -months)
        if later.day == key[at].day:
            moved[(*key[:at], later, *key[at + 1 :])] = parts
    found = {}
    for key in dict.fromkeys((*now, *moved)):
        has_day = at is None or before(key[at], months).day == key[at].day
        found[key] = {
            metric: (value(metric, now.get(key, zero)), value(metric, moved.get(key, zero)) if has_day else None)
            for metric in query.metrics
        }
    return found


def added_up(
    query: Query, rows: Rows, metric: str, start: date, end: date, first: Callable[[date], date]
) -> dict[Key, Any]:
    """A metric over all days from `first(day)` to each day that has rows, for keys (date, ...)."""
    found = {}
    for key in groups(query, rows, query.metrics, start, end):
        days = groups(query, rows, query.metrics, first(key[0]), key[0], rename=lambda other: other[1:])
        found[key] = value(metric, days[key[1:]])
    return found


def filled(query: Query, rows: Rows, start: date, end: date) -> dict[Key, Row]:
    """Every period of the range for every group, for keys (date, ...)."""
    found = groups(query, rows, query.metrics, start, end)
    zero = {part: BASE[part][1]([]) for metric in query.metrics for part in RATIOS.get(metric, (metric,))}
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    others = dict.fromkeys(key[1:] for key in found) if len(query.dimensions) > 1 else [()]
    periods = dict.fromkeys(period_start(day, query.time_grain) for day in days)
    return {
        (day, *other): {metric: value(metric, found.get((day, *other), zero)) for metric in query.metrics}
        for other in others
        for day in periods
    }
