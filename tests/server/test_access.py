"""Tokens: who they stand for, how they are kept, and how they end."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AccessError
from pipeline.storage.ops import Ops
from server.serving.access import Access, Caller, check_slug, local_caller


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    with Ops(tmp_path / "ops.sqlite") as ops:
        yield ops


@pytest.fixture
def access(ops: Ops, clock: Clock) -> Access:
    return Access(ops, clock)


def test_a_token_stands_for_its_one_tenant(access: Access) -> None:
    text, token = access.create(tenant="alpha", name="claude")
    assert access.verify(text) == Caller("alpha", "read", token.id, "claude")
    assert text.startswith(f"gata_{token.id}_")
    assert len(text.rpartition("_")[2]) <= 43 <= len(text) - len(f"gata_{token.id}_")


def test_a_token_without_a_tenant_is_an_admin_and_sees_everybody(access: Access) -> None:
    text, token = access.create(tenant=None, name="operator")
    caller = access.verify(text)
    assert caller == Caller(None, "admin", token.id, "operator")
    assert caller.sees("alpha")


def test_a_read_token_sees_its_own_tenant_only(access: Access) -> None:
    text, _ = access.create(tenant="alpha", name="claude")
    caller = access.verify(text)
    assert caller is not None
    assert caller.sees("alpha")
    assert not caller.sees("beta")


def test_the_secret_is_nowhere_in_the_store(access: Access, ops: Ops, tmp_path: Path) -> None:
    text, token = access.create(tenant="alpha", name="claude")
    secret = text.removeprefix(f"gata_{token.id}_")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.id.encode() in kept
    assert secret.encode() not in kept


def test_two_tokens_never_share_a_secret(access: Access) -> None:
    texts = {access.create(tenant="alpha", name="claude")[0] for _ in range(50)}
    assert len({text[-43:] for text in texts}) == 50


def test_a_token_ends_at_its_moment_and_not_before(access: Access, clock: Clock) -> None:
    text, token = access.create(tenant="alpha", name="claude", expires=timedelta(days=90))
    assert token.expires_at == clock.now + timedelta(days=90)
    clock.now += timedelta(days=90) - timedelta(seconds=1)
    assert access.verify(text) is not None
    clock.now += timedelta(seconds=1)
    assert access.verify(text) is None


def test_a_revoked_token_is_refused_by_every_process_at_once(access: Access, ops: Ops) -> None:
    text, token = access.create(tenant="alpha", name="claude")
    with Ops(ops.path) as elsewhere:
        assert Access(elsewhere).verify(text) is not None
        access.revoke(token.id)
        assert Access(elsewhere).verify(text) is None
    assert access.verify(text) is None


def test_revoking_twice_keeps_the_first_moment(access: Access, clock: Clock) -> None:
    _, token = access.create(tenant="alpha", name="claude")
    first = access.revoke(token.id).revoked_at
    clock.now += timedelta(days=1)
    assert access.revoke(token.id).revoked_at == first


def test_revoking_what_is_not_there_names_the_nearest(access: Access) -> None:
    _, token = access.create(tenant="alpha", name="claude")
    with pytest.raises(AccessError, match=f"Did you mean {token.id}"):
        access.revoke(token.id[:-1] + "x")


def test_the_list_shows_every_token_and_no_secret(access: Access, clock: Clock) -> None:
    first, _ = access.create(tenant="alpha", name="claude")
    clock.now += timedelta(seconds=1)
    second, admin = access.create(tenant=None, name="operator")
    access.revoke(admin.id)
    listed = access.tokens()
    assert [(token.name, token.tenant, token.scope, token.is_live(clock.now)) for token in listed] == [
        ("claude", "alpha", "read", True),
        ("operator", None, "admin", False),
    ]
    assert first[-43:] not in repr(listed)
    assert second[-43:] not in repr(listed)


@pytest.mark.parametrize(
    "change", [str.upper, lambda text: text + "A", lambda text: text[:-1], lambda _: "", lambda text: f" {text}"]
)
def test_a_token_that_was_touched_is_refused(access: Access, change: Callable[[str], str]) -> None:
    text, _ = access.create(tenant="alpha", name="claude")
    assert access.verify(change(text)) is None


def test_the_secret_of_one_token_does_not_open_another(access: Access) -> None:
    alpha, alpha_token = access.create(tenant="alpha", name="a")
    beta, beta_token = access.create(tenant="beta", name="b")
    assert access.verify(f"gata_{alpha_token.id}_{beta[-43:]}") is None
    assert access.verify(f"gata_{beta_token.id}_{alpha[-43:]}") is None


@given(st.text())
def test_no_text_is_a_token_by_chance(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with Ops(tmp_path_factory.getbasetemp() / "chance.sqlite") as ops:
        assert Access(ops).verify(text) is None


def test_a_name_may_hold_anything_and_changes_nothing(access: Access) -> None:
    name = "x'); drop table tokens; --"
    text, _ = access.create(tenant="alpha", name=name)
    caller = access.verify(text)
    assert caller is not None
    assert caller.name == name


@pytest.mark.parametrize("slug", ["", "Alpha", "al-pha", "../beta", "1alpha", "alpha/..", "a" * 64, "alpha\n", "älpha"])
def test_a_slug_that_could_reach_another_path_is_no_tenant(access: Access, slug: str) -> None:
    with pytest.raises(AccessError, match="no such tenant"):
        check_slug(slug)
    with pytest.raises(AccessError, match="no such tenant"):
        access.create(tenant=slug, name="x")
    with pytest.raises(AccessError, match="no such tenant"):
        local_caller(slug)


def test_the_store_itself_refuses_an_admin_of_one_tenant(access: Access, ops: Ops) -> None:
    access.create(tenant="alpha", name="claude")
    with pytest.raises(sqlite3.IntegrityError):
        ops.connection.execute("update tokens set scope = 'admin'")


def test_many_threads_may_check_and_make_tokens_together(access: Access) -> None:
    text, _ = access.create(tenant="alpha", name="claude")
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(20):
            own, token = access.create(tenant="beta", name=str(number))
            checks = (access.verify(text), access.verify(own))
            if checks[0] is None or checks[1] is None or checks[1].token_id != token.id:
                wrong.append(checks)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(access.tokens()) == 161
