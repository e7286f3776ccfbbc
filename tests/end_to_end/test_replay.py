"""A replay of the quarantine reaches the answers, once however often it is run, after a fix of ours and of theirs."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from pipeline.config.slug import slug_of
from pipeline.storage.hub import write_hub
from pipeline.storage.ops import Ops
from server.serving.access import Access
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import order, write_jsonl
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome
from tests.server.test_rest_onboard import ended


@pytest.mark.long
def test_a_replay_brings_what_now_converts_into_the_answers_once_however_often_it_is_run(
    tmp_path: Path, small: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = copy_project(small, tmp_path)
    write_jsonl(tmp_path / "shop/orders_later.jsonl", [order(4, "40.00"), order(5, "50.00"), order(6, "many")])
    shop.build()
    with write_hub(shop.settings) as hub:  # as an earlier release that could not read order 5 left it
        hub.execute("""
            insert into landing_small_shop.quarantine by name
            select 'shopify' as platform, 'main' as account, 'orders' as object, _source_file as path, 2 as line,
                'x: unreadable' as reason, '{"id": 5}' as record, _batch_id as batch_id, _dlt_load_id
            from landing_small_shop.shopify__orders where id = 5
        """)
        hub.execute("delete from landing_small_shop.shopify__orders where id = 5")
        hub.execute("delete from platform_mm__shopify_api_v1_orders where raw_data_payload ->> '$.id' = '5'")
    shop.build(full=True)
    assert shop.number("small_shop", "order_revenue") == Decimal("100.75")
    with Terminal(monkeypatch, capsys) as terminal:
        gata = terminal.use(shop.settings)
        for before in (2, 1):
            done = gata("quarantine", "replay", "--tenant", "small_shop", "--json")
            assert done.code == 0, done.err
            assert json.loads(done.out)["in_quarantine"] == {"before": before, "after": 1}
            assert shop.number("small_shop", "order_revenue") == Decimal("150.75")
            assert shop.number("small_shop", "orders") == 5
        with Ops(shop.settings.ops) as ops:
            assert [row["count"] for row in ops.quarantine(slug_of("small_shop"))] == [1]
        write_jsonl(tmp_path / "shop/orders_later.jsonl", [order(4, "40.00"), order(5, "50.00"), order(6, "60.00")])
        assert (
            json.loads(gata("quarantine", "replay", "--tenant", "small_shop", "--json").out)["in_quarantine"]["after"]
            == 0
        )
        assert shop.number("small_shop", "order_revenue") == Decimal("210.75")


@pytest.mark.long
def test_an_owner_replays_its_own_quarantine_over_rest_and_the_server_answers_from_the_new_run(
    tmp_path: Path, small: Project
) -> None:
    shop, slug = copy_project(small, tmp_path), slug_of("small_shop")
    later = tmp_path / "shop/orders_later.jsonl"
    write_jsonl(later, [order(4, "40.00"), order(5, "many")])
    shop.build()
    with Ops(shop.settings.ops) as ops:
        tokens = {"owner": Access(ops).create(tenant=slug, name="owner", owner=True)[0]}
    home = PublishedHome(shop.settings, tokens)
    with home.serving() as address, httpx.Client(base_url=address, headers=home.headers("owner"), timeout=300) as http:

        def revenue() -> Decimal:
            answer = http.post("/semantic-layer/small_shop/query", json={"metrics": ["order_revenue"]})
            ((value,),) = json.loads(answer.text, parse_float=Decimal)["rows"]
            return Decimal(value)

        def replayed(mended: str) -> tuple[int, Decimal]:
            """What is in quarantine after a replay, and the answer."""
            write_jsonl(later, [order(4, "40.00"), order(5, mended)])
            job, states = ended(http, http.post("/quarantine/replay", json={"object": "orders"}))
            assert states[-1] == "ready", job
            return http.get("/quarantine").json()["total"], revenue()

        assert (http.get("/quarantine").json()["total"], revenue()) == (1, Decimal("100.75"))
        assert replayed("much") == (1, Decimal("100.75"))
        assert replayed("50.00") == (0, Decimal("150.75"))
        nothing, states = ended(http, http.post("/quarantine/replay", json={"object": "orders"}))
        assert (states, nothing["run_id"], revenue()) == (["queued", "ready"], None, Decimal("150.75"))
