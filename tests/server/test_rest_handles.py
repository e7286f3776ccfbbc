"""Handles of whole results: random, bound to a tenant, over after an hour."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.storage.ops import Ops
from server.app import http_app
from server.serving import result_handles
from server.serving.result_handles import Handles
from tests.pipeline.storage_faults import little_room
from tests.server.published_fixture import PublishedHome

RUN = "20260301T000000000000Z_0a1b2c"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_handle_is_found_by_its_tenant_in_every_process_and_by_nobody_else(tmp_path: Path) -> None:
    with Ops(tmp_path / "ops.sqlite") as one, Ops(tmp_path / "ops.sqlite") as other:
        made = Handles(one).make("alpha", RUN, '{"metrics":["spend"]}')
        assert Handles(other).find("alpha", made.id) == made
        assert Handles(other).find("beta", made.id) is None
        for no_id in ("", made.id[:-1], f"{made.id}x", "%", "../alpha", "ä" * 22):
            assert Handles(other).find("alpha", no_id) is None


def test_a_handle_is_over_after_an_hour_to_the_second(tmp_path: Path) -> None:
    with Ops(tmp_path / "ops.sqlite") as ops:
        made = Handles(ops, lambda: NOON).make("alpha", RUN, "{}")
        assert made.expires_at == NOON + timedelta(hours=1)
        assert Handles(ops, lambda: NOON + timedelta(minutes=59, seconds=59)).find("alpha", made.id) is not None
        assert Handles(ops, lambda: NOON + timedelta(hours=1)).find("alpha", made.id) is None


def test_no_two_handles_of_one_question_are_alike_and_each_has_128_random_bits(tmp_path: Path) -> None:
    with Ops(tmp_path / "ops.sqlite") as ops:
        made = {Handles(ops).make("alpha", RUN, "{}").id for _ in range(50)}
    assert len(made) == 50
    assert all(len(each) == 22 for each in made)  # 22 characters of 6 bits hold 128


def test_a_tenant_that_makes_many_loses_its_own_oldest_and_nobody_elses(tmp_path: Path) -> None:
    moments = iter(NOON + timedelta(seconds=n) for n in range(10_000))
    with Ops(tmp_path / "ops.sqlite") as ops:
        store = Handles(ops, lambda: next(moments))
        of_beta = store.make("beta", RUN, "{}")
        made = [store.make("alpha", RUN, "{}") for _ in range(result_handles.MOST_HANDLES + 2)]
        found = [store.find("alpha", handle.id) is not None for handle in (*made[:3], made[-1])]
        assert found == [False, False, True, True]
        assert store.find("beta", of_beta.id) == of_beta


def test_what_is_over_is_forgotten_with_the_next_handle(tmp_path: Path) -> None:
    with Ops(tmp_path / "ops.sqlite") as ops:
        Handles(ops, lambda: NOON).make("alpha", RUN, "{}")
        later = Handles(ops, lambda: NOON + timedelta(hours=2)).make("beta", RUN, "{}")
        kept = ops.connection.execute("select id from result_handles").fetchall()
        assert [row["id"] for row in kept] == [later.id]


@pytest.mark.parametrize("cause", ["busy", "full"])
def test_a_cut_answer_goes_out_without_a_handle_where_none_can_be_kept(fresh_home: PublishedHome, cause: str) -> None:
    asked = {"metrics": ["spend"], "dimensions": ["date"], "limit": 3}
    path, headers = "/semantic-layer/alpha/query", fresh_home.headers("alpha")
    with TestClient(http_app(fresh_home.settings), base_url="http://localhost") as http:
        whole = http.post(path, json=asked, headers=headers).json()
        with refusing(fresh_home, cause):
            began = time.monotonic()
            answers = [http.post(path, json=asked, headers=headers) for _ in range(3)]
            assert time.monotonic() - began < 5  # three waits of 0.2 s at most, not of 10 s
        again = http.post(path, json=asked, headers=headers).json()
    assert whole.pop("full_result")["path"].startswith("/results/")
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.json() for answer in answers] == [whole] * 3
    assert "full_result" in again


@contextmanager
def refusing(home: PublishedHome, cause: str) -> Iterator[None]:
    """ops.sqlite takes no new row: another process writes, or the disk is full."""
    if cause == "busy":
        with Ops(home.settings.ops) as other, other.transaction():
            yield
    else:
        with little_room(0):
            yield
