"""Questions over MCP stdio against the SQL an analyst writes: `python -P -m bench.semantic [--home HOME] [--json]`.

Five million ad rows and as many visits of two years. Every call draws days and values of its own, the sides take
turns, and every answer is compared with the rows of the SQL. No answer is cached unless a row says so. Making the
star takes most of the time; with --home it is made once and used again.

The SQL runs on the published star and on a lean copy with integer keys (`bench.lean_star`). CPU seconds of threads
are what ratios are judged by: wall seconds only mean something on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import duckdb
import yaml
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.comparison_questions import COMPARISON_QUESTIONS
from bench.lean_star import lean_star
from bench.measured import run
from bench.questions import QUESTIONS, Query, Question
from bench.shop import SLUG, TODAY
from bench.stdio import MODERN, Server, serving
from pipeline.publish.pointer import latest_run_id

UNCACHED = {"GATA_ANSWER_CACHE": "0MB"}
FROM_FACTS = UNCACHED | {"GATA_ROLLUPS": "0"}
SEED = 7
IN_FLIGHT, CROWD = 32, QUESTIONS["CAC by platform"]
GEOMETRIC_MEAN, NEWER, ANY_RATIO, ANY_MORE_MS, ROLLED = 1.2, 1.2, 2.0, 5.0, 0.5
ASKED = {**QUESTIONS, **COMPARISON_QUESTIONS}
LIMITS = {"known shape, two facts": 3.0, "new shape, one fact and a join": 30.0, "new shape, two facts": 80.0}
LIMITS |= {f"the {nth}, 500 metrics and 200 dimensions": limit * 1.5 for nth, limit in (("first", 30), ("second", 80))}
Figures = dict[str, float]
T = TypeVar("T")
U = TypeVar("U")
Row = Sequence[Any]  # Any: values of SQL or of JSON


@dataclass(frozen=True)
class Spent:
    """Milliseconds of one question: medians, or of one call."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Turns:
    """What all sides of one question spend."""

    gata: Spent
    star: Spent
    """The SQL on the published star."""
    lean: Spent
    """The same SQL on the lean tables."""

    @property
    def ratio(self) -> float:
        return self.gata.cpu / self.star.cpu

    @property
    def lean_ratio(self) -> float:
        return self.gata.cpu / self.lean.cpu

    @property
    def is_within(self) -> bool:
        """Not over 2 times, or not over 5 ms more: whichever allows more."""
        return self.ratio <= ANY_RATIO or self.gata.cpu - self.star.cpu <= ANY_MORE_MS


class ByHand:
    """Plain DuckDB on a file, with the memory and threads that a server has."""

    def __init__(self, file: Path) -> None:
        self._connection = duckdb.connect(file, read_only=True, config={"threads": 2, "memory_limit": "512MB"})

    def ask(self, sql: str) -> list[Row]:
        return list(self._connection.cursor().execute(sql).fetchall())


def timed(work: Callable[[T], U], asked: T, clock: Callable[[], float] = time.process_time) -> tuple[U, Spent]:
    """What the work gives, and what it spends; `clock` gives the CPU seconds of the process that works."""
    cpu, wall = clock(), time.perf_counter()
    found = work(asked)
    wall = time.perf_counter() - wall
    return found, Spent(wall * 1000, (clock() - cpu) * 1000)


def take_turns(server: Server, hands: Sequence[ByHand], question: Question, calls: int, draw: Random) -> Turns:
    """Medians over fresh values; the first call of each side is left out: it compiles, and reads the file."""
    spent: list[list[Spent]] = []
    for n in range(calls + 1):
        query, sql = question.ask(draw)
        asked: list[Callable[[], tuple[Any, Spent]]] = [  # Any: an answer, or rows
            partial(timed, server.query, query, server.cpu_seconds),
            *(partial(timed, hand.ask, sql) for hand in hands),
        ]
        turns = [(place + n) % len(asked) for place in range(len(asked))]
        found = {place: asked[place]() for place in turns}
        for place in range(1, len(asked)):
            compare(found[0][0]["rows"], found[place][0], query)
        spent += [[found[place][1] for place in range(len(asked))]] if n else []
    return Turns(*(_median(side) for side in zip(*spent, strict=True)))


def _median(spent: Iterable[Spent]) -> Spent:
    calls = list(spent)
    return Spent(statistics.median(each.wall for each in calls), statistics.median(each.cpu for each in calls))


def compare(ours: Sequence[Row], theirs: Sequence[Row], query: dict[str, Any]) -> None:
    """See that both sides give the same rows in the same order; doubles may differ in the last digits."""
    wrong = next((pair for pair in zip(ours, theirs, strict=False) if not all(map(is_same, *pair))), None)
    if wrong or len(ours) != len(theirs) or not ours:
        raise SystemExit(f"{query}: {len(ours)} rows, by hand {len(theirs)}; {wrong}")


def is_same(ours: object, theirs: object) -> bool:
    if isinstance(theirs, float | Decimal) and isinstance(ours, int | float):
        return math.isclose(float(ours), float(theirs), rel_tol=1e-9, abs_tol=1e-9)
    return ours == (theirs.isoformat() if isinstance(theirs, date) else theirs)


def answered_again(server: Server, draw: Random, calls: int) -> float:
    """Milliseconds of a question that was asked before; the median over all questions."""
    taken = []
    for question in ASKED.values():
        query, _ = question.ask(draw)
        first = server.query(query)
        for _ in range(calls):
            again, spent = timed(server.query, query)
            assert again == first
            taken.append(spent.wall)
    return statistics.median(taken)


def in_flight(server: Server, draw: Random) -> Figures:
    """Milliseconds from the moment that all questions were sent to the answer of each; every one is answered."""
    questions = [CROWD.ask(draw)[0] for _ in range(IN_FLIGHT + 5)]
    alone = statistics.median(timed(server.query, query)[1].wall for query in questions[IN_FLIGHT:])
    began = time.perf_counter()
    for query in questions[:IN_FLIGHT]:
        server.send("tools/call", name="query", arguments=query)
    taken = []
    for _ in range(IN_FLIGHT):
        server.receive()
        taken.append((time.perf_counter() - began) * 1000)
    p95 = statistics.quantiles(taken, n=20)[-1]
    return {"alone": alone, "median": statistics.median(taken), "p95": p95, "each": taken[-1] / IN_FLIGHT}


def compiling(run_dir: Path) -> Figures:
    """Milliseconds of CPU from a query to bound SQL, without running it, in this process."""
    from semantic.answering.run_query import run_query as answer
    from semantic.answering.semantic_model import SemanticModel, load_model
    from semantic.planning.query import read_query

    connection = duckdb.connect()

    def spent(query: Query, model: SemanticModel) -> float:
        asked = read_query(query | {"compile_only": True})
        began = time.process_time()
        answer(asked, model, connection, today=TODAY)
        return (time.process_time() - began) * 1000

    def new(query: Query, folder: Path) -> float:
        """The median over shapes that differ in their days, each new to a model that was just loaded."""
        model = load_model(folder)
        first, last = {"start": "2026-01-01"}, {"end": "2026-01-31"}
        asked = (query, *(query | {"time_range": days} for days in (first, last, first | last)))
        return statistics.median([spent(each, model) for each in asked])

    one = {"metrics": ["spend"], "dimensions": ["campaign_name"], "filters": [{"name": "account", "value": "x"}]}
    two = {"metrics": ["roas"], "dimensions": ["campaign_name", "date"], "time_grain": "month"}
    known = load_model(run_dir)
    spent(two, known)  # imports, too
    with tempfile.TemporaryDirectory() as folder:
        wide = widened(run_dir, Path(folder) / run_dir.name)
        return {
            "known shape, two facts": statistics.median(spent(two, known) for _ in range(200)),
            "new shape, one fact and a join": new(one, run_dir),
            "new shape, two facts": new(two, run_dir),
            "the first, 500 metrics and 200 dimensions": new(one, wide),
            "the second, 500 metrics and 200 dimensions": new(two, wide),
        }


def widened(run_dir: Path, folder: Path) -> Path:
    """A run whose definitions have 500 metrics and 200 dimensions more."""
    definitions = yaml.load((run_dir / "semantic.yml").read_bytes(), Loader=yaml.CSafeLoader)
    ads = definitions["models"]["ad_performance"]
    for n in range(500):
        ads["measures"][f"spend_{n}"] = ads["measures"]["spend"]
        definitions["metrics"][f"spend_{n}"] = definitions["metrics"]["spend"]
    for n in range(200):
        ads["dimensions"][f"ad_{n}"] = ads["dimensions"]["ad_id"]
        paths = {"ad_performance": f"ad_{n}"}
        definitions["dimensions"][f"ad_{n}"] = definitions["dimensions"]["ad_id"] | {"paths": paths}
    folder.mkdir()
    (folder / "semantic.yml").write_text(yaml.dump(definitions, Dumper=yaml.CSafeDumper), encoding="utf-8")
    return folder


def measure(home: Path, calls: int) -> dict[str, Any]:  # Any: JSON values
    figures: dict[str, Any] = {"sides": {}}
    published = home / "published" / SLUG
    run_dir = published / str(latest_run_id(published))
    stars = run_dir / "stars.duckdb"
    hands = [ByHand(stars), ByHand(lean_star(stars, home / f"lean_{run_dir.name}.duckdb"))]
    for name, how in (("from facts", FROM_FACTS), ("with rollups", UNCACHED)):
        draw = Random(SEED)
        with serving(home, MODERN, **how) as server:
            server.greet()
            turns = {what: take_turns(server, hands, question, calls, draw) for what, question in ASKED.items()}
            crowd = in_flight(server, draw)
            figures["sides"][name] = {
                "questions": {what: asdict(pair) for what, pair in turns.items()},
                "in flight": crowd,
                "peak_mb": server.peak_mb(),
            }
    with serving(home, MODERN) as server:
        server.greet()
        figures["cached answer"] = answered_again(server, Random(SEED), calls)
    figures["compiling"] = compiling(run_dir)
    return figures


def report(figures: dict[str, Any]) -> None:  # Any: JSON values
    console = Console(width=150)
    table = Table("question", box=SIMPLE)
    for name in ("SQL", "lean", "facts", "ratio", "to lean", "", "SQL", "lean", "rollups", "ratio", "to lean", ""):
        table.add_column(name, justify="right")
    sides = {
        name: {
            what: Turns(**{who: Spent(**spent) for who, spent in turns.items()})
            for what, turns in side["questions"].items()
        }
        for name, side in figures["sides"].items()
    }
    for what, plain in sides["from facts"].items():
        rolled = sides["with rollups"][what]
        adds_up = ASKED[what].adds_up
        judged = ("met" if rolled.ratio <= ROLLED else "MISSED") if adds_up else ""
        table.add_row(what, *_cells(plain), "met" if plain.is_within else "MISSED", *_cells(rolled), judged)
    console.print(table)
    newer, older = (
        _mean(sides["from facts"][what] for what in questions) for questions in (COMPARISON_QUESTIONS, QUESTIONS)
    )
    limits = {
        "geometric mean of the ratios, from facts": (_mean(sides["from facts"].values()), GEOMETRIC_MEAN),
        **{
            f"that to lean tables, {name}": (statistics.geometric_mean(each.lean_ratio for each in side.values()), None)
            for name, side in sides.items()
        },
        "geometric mean of all, with rollups": (_mean(sides["with rollups"].values()), None),
        "that of comparisons and cohorts / that of the others": (newer / older, NEWER),
        "the same with rollups, where metrics add up": (
            _mean(pair for what, pair in sides["with rollups"].items() if ASKED[what].adds_up),
            ROLLED,
        ),
        "ROAS by campaign, two facts": (sides["from facts"]["ROAS by campaign"].ratio, 2.0),
        "a cached answer, ms": (figures["cached answer"], 5.0),
        **{f"{what}, ms": (value, LIMITS.get(what)) for what, value in figures["compiling"].items()},
    }
    for name, side in figures["sides"].items():
        crowd = side["in flight"]
        limits[f"one alone, {name}, ms"] = crowd["alone"], None
        limits[f"{IN_FLIGHT} in flight, {name}: p95, ms"] = crowd["p95"], 4 * crowd["alone"]
        limits[f"{IN_FLIGHT} in flight, {name}: one every ms"] = crowd["each"], None
        limits[f"peak memory of the server, {name}, MB"] = side["peak_mb"], None
    if made := figures["made"]:
        limits["making the star, s"] = made["written_seconds"], None
        limits["publishing it, CPU s"] = made["publish_cpu_seconds"], None
        limits["peak memory of both, MB"] = made["peak_mb"], None
    verdicts = Table("what", box=SIMPLE)
    for name in ("measured", "target", ""):
        verdicts.add_column(name, justify="right")
    for what, (value, limit) in limits.items():
        target = "" if limit is None else f"<= {limit:.1f}"
        verdicts.add_row(what, f"{value:.2f}", target, "" if limit is None else "met" if value <= limit else "MISSED")
    console.print(verdicts)


def _cells(turns: Turns) -> tuple[str, ...]:
    """CPU milliseconds, and ratios of them."""
    spent = (f"{each.cpu:.1f}" for each in (turns.star, turns.lean, turns.gata))
    return (*spent, f"{turns.ratio:.2f}", f"{turns.lean_ratio:.2f}")


def _mean(pairs: Iterable[Turns]) -> float:
    return statistics.geometric_mean(pair.ratio for pair in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="a state folder where the star is, or is made")
    parser.add_argument("--calls", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata_bench_") as folder:
        home = (arguments.home or Path(folder)).resolve()
        made: dict[str, Any] = {}  # Any: JSON values
        if not (home / "published" / SLUG).exists():
            cost, made = run("bench.big_star", "--home", str(home))
            made |= {"peak_mb": cost.peak_mb}
        figures = measure(home, arguments.calls) | {"made": made}
    if arguments.json:
        print(json.dumps(figures))
    else:
        report(figures)


if __name__ == "__main__":
    main()
