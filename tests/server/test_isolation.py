"""Isolation: no answer of any interface holds data of another tenant, under concurrent load."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.serving.runs.published_runs import PublishedRuns
from tests.server.isolation import (
    CANARY,
    SLUGS,
    answered_with,
    callers,
    cross,
    crossing,
    outside_probes,
    probes,
    publish_marked,
)
from tests.server.published_fixture import UNMARKED, PublishedHome, new_published_home
from warehouse.star_schema import star_schema

pytestmark = pytest.mark.anyio

PAIRS = 100
SEED = 6


@pytest.fixture(scope="module")
def marked_home(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    home = new_published_home(tmp_path_factory.mktemp("marked"))
    publish_marked(home)
    return home


@pytest.mark.parametrize("slug", SLUGS)
def test_every_text_of_a_marked_star_holds_the_canary(marked_home: PublishedHome, slug: str) -> None:
    for table in star_schema():
        texts = [column.name for column in table.columns if column.type == "VARCHAR" and column.name not in UNMARKED]
        counted = ", ".join(
            f"count_if({name} is not null and not contains({name}, '{CANARY[slug]}'))" for name in texts
        )
        (without,) = marked_home.sql(slug, f"select {counted} from {table.table_name(slug)}")
        assert dict(zip(texts, without, strict=True)) == dict.fromkeys(texts, 0), table.name


async def test_whatever_two_tenants_ask_at_once_no_canary_crosses(marked_home: PublishedHome) -> None:
    with marked_home.serving() as address:
        found = await cross(marked_home, address, PAIRS, SEED)
    assert found.crossed == []
    assert found.failed == []
    assert found.calls.total() == 2 + 3 * PAIRS
    for interface in ("2026-07-28", "2025-11-25", "sse", "rest", "agency", "agency of both"):
        assert found.own[interface] > 2, f"Nothing that was asked over {interface} reached the data."
    assert found.taken["own 200"] > 0
    assert {"own", "foreign"} >= {kind.partition(" ")[0] for kind in found.taken}
    assert set(found.taken) <= {"own 200", "own 304", "foreign 404"}


async def test_a_word_of_another_tenant_is_answered_like_a_word_that_nobody_has(marked_home: PublishedHome) -> None:
    answers = []
    with marked_home.serving() as address:
        async with callers(marked_home, address) as both:
            for ask, theirs, nobodys in probes():
                answers.append([await answered_with(both["alpha"], ask, word) for word in (theirs, nobodys)])
    for foreign, missing in answers:
        assert foreign == missing


async def test_a_tenant_outside_the_set_of_an_agency_is_answered_like_one_that_nobody_has(
    marked_home: PublishedHome,
) -> None:
    with marked_home.serving() as address:
        async with callers(marked_home, address) as known:
            for ask in outside_probes():
                foreign, missing = [await answered_with(known["agency"], ask, word) for word in ("gamma", "zetta")]
                assert foreign == missing
                assert not crossing("agency", foreign.text, others=("gamma",))


def test_open_runs_of_two_tenants_are_two_databases(marked_home: PublishedHome) -> None:
    runs = PublishedRuns(marked_home.settings)
    try:
        for slug, other in (SLUGS, SLUGS[::-1]):
            with runs.run(slug) as run, run.cursor() as cursor:
                tables = {name for (name,) in cursor.execute("select table_name from duckdb_tables()").fetchall()}
                files = [path for (path,) in cursor.execute("select path from duckdb_databases()").fetchall() if path]
            assert tables
            assert all(f"_{slug}__" in name for name in tables)
            assert files
            assert all(Path(path).is_relative_to(marked_home.settings.published(slug)) for path in files)
            assert not any(f"/{other}/" in path for path in files)
    finally:
        runs.close()
