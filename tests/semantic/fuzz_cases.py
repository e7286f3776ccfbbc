"""Fuzz cases: questions that are nearly right, and nonsense, as a careless or hostile caller sends them. Seeded.

for question in wild(seed): ...
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.semantic.random_star import DIMENSIONS, FORMULAS, MEASURES

METRICS = (*MEASURES, *FORMULAS)
CUTS = (*DIMENSIONS, "currency", "account", "event_name", "device_category", "shop_platform")
VALUES = {
    "ad_platform": ["facebook_ads", "google_ads"],
    "campaign_name": ["Alpha", "Beta"],
    "campaign_id": ["1", "2", 1],
    "traffic_source": ["google", "(direct)", "newsletter"],
    "geo_country": ["DE", "FR"],
    "product_name": ["Cap", "Mug"],
    "is_customer": [True, False, "true"],
    "date": ["2026-01-11", "2026-02-06", "2026-03-01"],
    "currency": ["EUR", "USD"],
}
OPERATORS = ("=", "!=", ">", ">=", "<", "<=", "in", "not_in", "contains", "starts_with", "is_null", "is_not_null")
EVIL = (
    *("' OR 1=1 --", "'; DROP TABLE fct_shop__orders; --", "1) OR (1=1", "$start", "$limit", "\x01start\x01", "NULL"),
    *(
        '"',
        "`",
        "\\",
        "%",
        "_",
        "\x00",
        "\n",
        "\u202egnp.exe",
        "\ud800",
        "İstanbul",
        "ﬃ",
        "é",
        "e\u0301",
        "日本",
        "🙂" * 40,
    ),
    *("", " ", "spend ", "SPEND", "-spend", "--spend", "../../etc/passwd", "orders.customer_email", "{{7*7}}", "0x10"),
    *("read_csv('/etc/passwd')", "spend) FROM x --", "nan", "inf", "-0", "1e999", "1e-999", "01/02/2026", "2026-02-30"),
    *("x" * 300, "y" * 5000, "[" * 3000, '{"a":' * 2000, '["spend"]', '{"start": "2026-01-01"}', "true", "null"),
)
NUMBERS = (
    *(0, 1, -1, 2, 7, 100, 10_000, 10_001, 2**31, 2**63, 2**64, -(2**63), 10**24, 10**38, 10**5000, 0.1, 1.5, -0.0),
    *(1e-9, 1e20, 1e308, float("nan"), float("inf"), float("-inf"), True, False, None),
)
DAYS = (
    *("2026-01-01", "2026-01-31", "2026-02-01", "2026-02-28", "2026-03-31", "2026-04-15", "2024-02-29", "1970-01-01"),
    *("2200-12-31", "0001-01-01", "9999-12-31", "2026-02-29", "2026-1-1", "20260101", "2026-W01-1", "yesterday", ""),
)
RANGES = ("last_month", "this_year", "last_30_days", "last_9999_days", "last_9999_years", "last_0_days", "ytd", "2026")
KEYS = (
    *("metrics", "dimensions", "filters", "time_range", "time_grain", "compare", "cumulative", "share_of_total", "top"),
    *(
        "totals",
        "fill_gaps",
        "order_by",
        "limit",
        "cursor",
        "include_sql",
        "compile_only",
        "where",
        "group_by",
        "tenant",
    ),
    *("sql", "having", "offset", "__class__", "model_config", "start", ""),
)


def wild(seed: int) -> dict[str, Any]:
    """One question; about a third can be answered."""
    random = Random(seed)
    if random.random() < 0.1:
        return {random.choice(KEYS): _anything(random, 4) for _ in range(random.randint(0, 5))}
    question = _sensible(random)
    for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
        question = _spoilt(random, question)
    return question


def _some(random: Random, names: tuple[str, ...], most: int, least: int = 0) -> list[str]:
    return random.sample(names, random.randint(least, most))


def _sensible(random: Random) -> dict[str, Any]:
    metrics = _some(random, METRICS, 3, 1)
    question: dict[str, Any] = {"metrics": metrics}
    dimensions = _some(random, CUTS[:4] if random.random() < 0.8 else CUTS, 2)
    by_date = "date" in dimensions or random.random() < 0.1
    parts: dict[str, Callable[[], Any]] = {
        "dimensions": lambda: dimensions,
        "filters": lambda: [_filter(random) for _ in range(random.randint(1, 3))],
        "time_range": lambda: _range(random),
        "time_grain": lambda: random.choice(("day", "week", "month", "quarter", "year")),
        "compare": lambda: random.choice(("previous_period", "previous_year")),
        "cumulative": lambda: _cumulative(random, metrics),
        "share_of_total": lambda: metrics[:1],
        "totals": lambda: True,
        "fill_gaps": lambda: True,
        "top": lambda: {"by": metrics[0], "n": random.randint(1, 3), "other": random.random() < 0.5},
        "order_by": lambda: [random.choice(("", "-")) + random.choice([*metrics, *dimensions])],
        "limit": lambda: random.choice((1, 2, 5, 10_000)),
        "include_sql": lambda: True,
        "compile_only": lambda: random.random() < 0.2,
    }
    often = {"dimensions": 0.9, "filters": 0.5, "time_range": 0.6, "compile_only": 0.05}
    often |= dict.fromkeys(("time_grain", "cumulative", "fill_gaps"), 0.15 if by_date else 0)
    return question | {name: made() for name, made in parts.items() if random.random() < often.get(name, 0.1)}


def _filter(random: Random) -> dict[str, Any]:
    if random.random() < 0.3:
        op = random.choice((*OPERATORS[:8], "between"))
        value: Any = random.choice((0, 1, 5, 10.5, "7", 100))
        value = sorted((0, random.randint(1, 300))) if op == "between" else [value] if op in ("in", "not_in") else value
        return {"name": random.choice(METRICS), "op": op, "value": value}
    name = random.choice([name for name in VALUES if name in (CUTS[:4] if random.random() < 0.8 else CUTS)])
    op = random.choice(OPERATORS)
    if op in ("is_null", "is_not_null"):
        return {"name": name, "op": op}
    value = random.choice(VALUES[name])
    return {"name": name, "op": op, "value": [value] if op in ("in", "not_in") else value}


def _range(random: Random) -> Any:
    if random.random() < 0.2:
        return random.choice(RANGES)
    start, end = sorted(random.sample(DAYS[:7], 2))
    return {key: day for key, day in (("start", start), ("end", end)) if random.random() < 0.9}


def _cumulative(random: Random, metrics: list[str]) -> dict[str, Any]:
    kind = random.choice(("running", "month_to_date", "year_to_date", "rolling"))
    return {"metric": metrics[0], "kind": kind} | ({"days": random.randint(1, 30)} if kind == "rolling" else {})


def _spoilt(random: Random, question: dict[str, Any]) -> dict[str, Any]:
    """The question with one thing wrong."""
    spoilt = copy.deepcopy(question)
    places = list(_places(spoilt))
    holder, key = random.choice(places)
    way = random.randrange(9)
    if way == 0:
        holder[key] = _anything(random, 3)
    elif way == 1:
        holder[key] = random.choice(EVIL)
    elif way == 2:
        holder[key] = random.choice(NUMBERS)
    elif way == 3 and isinstance(holder[key], str):
        holder[key] = _misspelt(random, holder[key])
    elif way == 4:
        spoilt[random.choice(KEYS)] = random.choice((_anything(random, 2), random.choice(EVIL), random.choice(NUMBERS)))
    elif way == 5:
        spoilt["time_range"] = random.choice(
            ({"start": random.choice(DAYS), "end": random.choice(DAYS)}, random.choice(RANGES), random.choice(DAYS))
        )
    elif way == 6:
        holder[key] = [copy.deepcopy(holder[key])] * random.choice((0, 2, 60, 5000))
    elif way == 7:
        holder[key] = str(holder[key])
    else:
        filter_ = {"name": random.choice((*CUTS, *METRICS)), "value": random.choice((*EVIL, *NUMBERS, *DAYS))}
        spoilt["filters"] = [filter_ | {"op": random.choice((*OPERATORS, "between", "like", "IN"))}]
    return spoilt


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a question, as what holds it and the key in that."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(items):
        yield value, key
        yield from _places(part)


def _misspelt(random: Random, text: str) -> str:
    at = random.randint(0, len(text))
    return random.choice(
        (text[:at] + text[at + 1 :], text[:at] + random.choice("xyz_ ") + text[at:], text.upper(), text[::-1])
    )


def _anything(random: Random, depth: int) -> Any:
    way = random.randrange(6)
    if way == 0 and depth:
        return [_anything(random, depth - 1) for _ in range(random.randint(0, 3))]
    if way == 1 and depth:
        return {random.choice((*KEYS, "name", "op", "value", "by")): _anything(random, depth - 1) for _ in range(2)}
    if way == 2:
        return random.choice((*METRICS, *CUTS))
    return random.choice(EVIL if way < 5 else NUMBERS)
