"""Cost of a push as history grows: `python -P -m bench.push [--json]`.

The same 100,000 new events are pushed into a sink that holds nothing, and into one that holds a million older events;
then they are exported once more and pushed again. Beside each push stands the plain way on a copy of the same hub:
whole rows bundled by `to_json`, and a MERGE on the md5 of the payload's text.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measured import run

BATCH, HISTORY = 100_000, 1_000_000
LOADS = ("new", "again")  # the same events in two exports


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=BATCH, help="new events")
    parser.add_argument("--history", type=int, default=HISTORY, help="events in the sink before")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        print(json.dumps(WORK[arguments.work](arguments.home, arguments.batch, arguments.history)))
        return
    with tempfile.TemporaryDirectory(prefix="gata_bench_") as folder:
        figures = [
            each for history in (0, arguments.history) for each in measure(Path(folder), arguments.batch, history)
        ]
    if arguments.json:
        print(json.dumps(figures))
    else:
        report(figures)


def measure(folder: Path, batch: int, history: int) -> list[dict[str, Any]]:  # Any: JSON values
    """New events, then the same ones again, by gata and the plain way, into sinks of this history."""
    ours, plain = folder / f"gata_{history}", folder / f"plain_{history}"
    size = ("--batch", str(batch), "--history", str(history))
    run("bench.push", "--work", "lay", "--home", str(ours), *size)
    shutil.copytree(ours, plain)
    figures = []
    for load in LOADS:
        for home, name in ((ours, "gata"), (plain, "plain")):
            run("bench.push", "--work", f"land_{load}", "--home", str(home), *size)
            cost, done = run("bench.push", "--work", f"push_{name}", "--home", str(home), *size)
            figures.append({"history": history, "load": load, "way": name, **done, **asdict(cost)})
    shutil.rmtree(ours)
    shutil.rmtree(plain)
    return figures


def report(figures: list[dict[str, Any]]) -> None:
    table = Table("sink before", box=SIMPLE)
    for name in ("batch", "way", "rows added", "push s", "of it dbt s", "CPU s", "peak MB", "others"):
        table.add_column(name, justify="right")
    for each in figures:
        spent = (f"{each[name]:.2f}" for name in ("seconds", "dbt", "push_cpu"))
        rest = f"{each['peak_mb']:.0f}", f"{each['others']:.0%}"
        table.add_row(f"{each['history']:,}", each["load"], each["way"], f"{each['added']:,}", *spent, *rest)
    console = Console(width=110)
    console.print(table)
    for load in LOADS:
        for way in ("gata", "plain"):
            empty, full = (_work(each) for each in figures if (each["load"], each["way"]) == (load, way))
            console.print(f"{load:8}{way:8}costs x {full / empty:.1f} with the history there, dbt left out")


def _work(each: dict[str, Any]) -> float:
    return float(each["seconds"] - each["dbt"])


def lay(home: Path, batch: int, history: int) -> dict[str, Any]:
    """A hub with landing tables, and a sink with older events of the same size."""
    from bench.shop import SLUG, generate_files, open_shop, write_tenants
    from pipeline.contracts.fields import wire_type
    from pipeline.ingest.landing_tables import LOAD_TABLES
    from pipeline.storage.hub import write_hub
    from warehouse.build.hub_library import prepare_hub

    write_tenants(home, 3 * batch // 2, 365)
    generate_files(home, 365)
    shop, _tenant = open_shop(home)
    prepare_hub(shop.blueprints, shop.settings)
    with write_hub(shop.settings) as hub:
        hub.execute(f"create schema landing_{SLUG}")
        hub.execute(f"create table landing_{SLUG}._dlt_loads (load_id varchar, status bigint)")
        for blueprint in shop.blueprints.values():
            columns = ", ".join(f'"{name}" {wire_type(shape)}' for name, shape in blueprint.shape)
            hub.execute(
                f"""create table landing_{SLUG}.{blueprint.landing_table} ({columns}, _extra json, _account varchar,
                _source_file varchar, _source_line bigint, _exported_at timestamp, _landed_at timestamp,
                _batch_id varchar, _dlt_load_id varchar)"""
            )
        listed = ", ".join(f"{name} {type_}" for name, type_ in LOAD_TABLES["landed_deliveries"])
        hub.execute(f"create table landing_{SLUG}.landed_deliveries ({listed})")
        sink = shop.blueprints["google_analytics", "events"].sink
        hub.execute(
            f"""insert into {sink} select
                '{SLUG}', 'google_analytics', 'main', md5(n::varchar), 'x', timestamp '2025-01-01',
                '{{"event_timestamp":' || n || ',"event_params":"' || repeat(md5(n::varchar), 30) || '"}}',
                md5_number(n::varchar), date '2022-01-01' + (n * 1000 // {max(history, 1)})::integer, 'older',
                null, timestamp '2025-01-01', n
            from range({history}) as events (n)"""
        )
    return {}


def land(home: Path, batch: int, load: str) -> dict[str, Any]:
    """One finished load of the same first events of the shop's export."""
    from bench.shop import SLUG, open_shop
    from pipeline.storage.hub import write_hub

    shop, _tenant = open_shop(home)
    blueprint = shop.blueprints["google_analytics", "events"]
    (file,) = (home / "synthetic" / SLUG / "google_analytics/main").glob("events_*.parquet")
    with write_hub(shop.settings) as hub:
        source = f"read_parquet('{file}', file_row_number = true)"
        held = {name for name, *_ in hub.execute(f"describe select * from {source}").fetchall()}
        fields = [
            (f'to_json("{name}")::json' if type_ == "JSON" else f'"{name}"') + f' as "{name}"'
            for name, type_ in blueprint.columns
            if name in held
        ]
        hub.execute(
            f"""insert into landing_{SLUG}.{blueprint.landing_table} by name
            select {", ".join(fields)}, 'main' as _account, '{load}' as _source_file,
                file_row_number + 1 as _source_line,
                timestamp '2026-11-21' + interval {LOADS.index(load)} hour as _landed_at,
                '{load}' as _dlt_load_id
            from {source} limit {batch}"""
        )
        hub.execute(f"insert into landing_{SLUG}._dlt_loads values ('{load}', 0)")
    return {}


def push_gata(home: Path, _batch: int, _history: int) -> dict[str, Any]:
    """gata's push of all objects, dbt loaded but the project not yet parsed."""
    import dbt.cli.main  # noqa: F401  # so that it is not timed
    import duckdb

    from bench.shop import open_shop
    from warehouse.build.push import push

    shop, tenant = open_shop(home)
    sink = shop.blueprints["google_analytics", "events"].sink

    def push_all() -> float:
        push(tenant, shop.blueprints, shop.settings)
        with duckdb.connect(str(shop.settings.hub), read_only=True) as hub:
            found = hub.execute("select sum(seconds) from run_results__current where name like '%events%'").fetchall()
        return float(found[0][0])

    return _timed(shop.settings.hub, sink, push_all)


def push_plain(home: Path, _batch: int, _history: int) -> dict[str, Any]:
    """The literal way: bundle all that landed, and MERGE where no payload has the same text."""
    from bench.shop import SLUG, open_shop
    from pipeline.storage.hub import write_hub

    shop, _tenant = open_shop(home)
    blueprint = shop.blueprints["google_analytics", "events"]

    def merge() -> float:
        started = time.perf_counter()
        with write_hub(shop.settings) as hub:
            fields = ", ".join(f'"{name}"' for name, _ in blueprint.columns)
            hub.execute("set threads = 2")
            hub.execute(
                f"""merge into {blueprint.sink} as t using (
                    select _account, _dlt_load_id, _landed_at, _source_line, to_json(fields) as payload
                    from (select *, struct_pack({fields}) as fields from landing_{SLUG}.{blueprint.landing_table})
                ) as s
                on t.tenant_slug = '{SLUG}' and t.source_platform = 'google_analytics'
                    and md5(t.raw_data_payload::varchar) = md5(s.payload::varchar)
                when not matched then insert
                values ('{SLUG}', 'google_analytics', s._account, md5(s.payload::varchar), 'x', s._landed_at, s.payload,
                    0, date '2026-11-21', s._dlt_load_id, null, s._landed_at, s._source_line)"""
            )
        return time.perf_counter() - started

    return _timed(shop.settings.hub, blueprint.sink, merge)


def _timed(hub: Path, sink: str, work: Callable[[], float]) -> dict[str, Any]:
    """Seconds of the work, of it those that dbt spent beside the one model, CPU seconds, and the rows it added."""
    before = _rows(hub, sink)
    started, spent = time.perf_counter(), time.process_time()
    model_seconds = work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - spent
    return {"seconds": seconds, "dbt": seconds - model_seconds, "push_cpu": cpu, "added": _rows(hub, sink) - before}


def _rows(hub: Path, sink: str) -> int:
    import duckdb

    with duckdb.connect(str(hub), read_only=True) as connection:
        return int(connection.execute(f"select count(*) from {sink}").fetchall()[0][0])


WORK: dict[str, Callable[[Path, int, int], dict[str, Any]]] = {
    "lay": lay,
    "land_new": lambda home, batch, _: land(home, batch, "new"),
    "land_again": lambda home, batch, _: land(home, batch, "again"),
    "push_gata": push_gata,
    "push_plain": push_plain,
}


if __name__ == "__main__":
    main()
