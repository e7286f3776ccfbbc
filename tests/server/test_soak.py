"""Eight clients ask without pause while runs are published and one is rolled back: the short form of bench/soak.py."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from functools import partial
from itertools import count

import anyio
import anyio.to_thread
import httpx
import pytest

from pipeline.publish.run_store import move_pointer_back
from tests.server.isolation import ACCEPT, META, MODERN
from tests.server.published_fixture import DAYS, PublishedHome

pytestmark = [pytest.mark.anyio, pytest.mark.long]  # a server under load while runs are published

CLIENTS = 8
ENOUGH = 16
"""Answers between one change and the next."""


def spent(spend: int) -> list[list[object]]:
    """What campaigns 1 and 2 of alpha cost together: n x spend and a millionth a day."""
    return [[f"ALPHAXCANARY campaign {n}", round(DAYS * (n * spend + 0.000001), 6)] for n in (1, 2)]


async def test_no_answer_fails_or_mixes_runs_while_runs_are_published_and_rolled_back(
    fresh_home: PublishedHome,
) -> None:
    fresh, answers = count(), defaultdict[str, list[object]](list)
    failed: list[str] = []
    current: list[str] = []
    """The run that readers get, as soon as it is known; every call that begins after that is to be of it."""
    late: list[str] = []
    news = anyio.Condition()

    async def ask(http: httpx.AsyncClient, interface: str) -> None:
        question = {
            "metrics": ["spend"],
            "dimensions": ["campaign_name"],
            "filters": [{"name": "spend", "op": ">", "value": -next(fresh)}],
            "order_by": ["campaign_name"],
        }
        known = current[-1] if current else None
        if interface == "rest":
            answer = await http.post("/semantic-layer/alpha/query", json=question)
        else:
            params = {"name": "query", "arguments": question, "_meta": META}
            headers = {"accept": ACCEPT, "mcp-protocol-version": MODERN}
            headers |= {"mcp-method": "tools/call", "mcp-name": "query"}
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            answer = await http.post("/mcp", json=body, headers=headers)
        found = answer.json()
        found = found if interface == "rest" else found.get("result", {}).get("structuredContent", {})
        if answer.status_code != 200 or "rows" not in found:
            failed.append(answer.text[:300])
            return
        answers[found["run_id"]].append(found["rows"])
        if known not in {None, found["run_id"]} and current[-1] == known:
            late.append(found["run_id"])

    async def client(http: httpx.AsyncClient, interface: str, scope: anyio.CancelScope) -> None:
        while not scope.cancel_called:
            await ask(http, interface)
            async with news:
                news.notify_all()

    async def seen(run_id: str) -> None:
        """Wait until so many more answers are of this run."""
        enough = len(answers[run_id]) + ENOUGH
        with anyio.fail_after(120):
            async with news:
                while len(answers[run_id]) < enough:
                    await news.wait()

    (first,) = (path.name for path in fresh_home.settings.published("alpha").glob("2*"))
    expected = {first: spent(10)}
    published = fresh_home.settings.published("alpha")
    with fresh_home.serving() as address:
        http = httpx.AsyncClient(base_url=address, headers=fresh_home.headers("alpha"), timeout=120)
        async with http, anyio.create_task_group() as group:
            done = anyio.CancelScope()
            for number in range(CLIENTS):
                group.start_soon(client, http, ("rest", "mcp")[number % 2], done)
            await seen(first)
            for spend in (20, 30):
                run_id = await anyio.to_thread.run_sync(partial(fresh_home.publish, "alpha", spend=spend))
                expected[run_id] = spent(spend)
                await seen(run_id)
            back = await anyio.to_thread.run_sync(partial(move_pointer_back, published, None, now=datetime.now(UTC)))
            current.append(back)
            await seen(back)
            done.cancel()
    assert back == list(expected)[1]
    assert failed == []
    assert answers.keys() == expected.keys()
    for run_id, rows in answers.items():
        assert all(given == expected[run_id] for given in rows), run_id
    assert late == []
