"""`gata token`: made once, listed without the secret, revoked for good."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.storage.ops import Ops
from server.serving.access import Access, Caller
from tests.server.cli_run import Terminal

if TYPE_CHECKING:
    from tests.server.published_fixture import PublishedHome


@pytest.fixture
def gata(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fresh_home: PublishedHome
) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(fresh_home.settings)


def caller(home: PublishedHome, token: str) -> Caller | None:
    with Ops(home.settings.ops) as ops:
        return Access(ops).verify(token)


def test_the_token_alone_is_on_stdout_and_it_works(gata: Terminal, fresh_home: PublishedHome) -> None:
    done = gata("token", "create", "--tenant", "alpha", "--name", "claude")
    assert done.code == 0
    assert re.fullmatch(r"gata_[0-9a-f]{12}_[\w-]{43}\n", done.out)
    found = caller(fresh_home, done.out.strip())
    assert found is not None
    assert (found.tenant, found.scope, found.name) == ("alpha", "read", "claude")
    assert "until it is revoked" in done.err
    assert done.out.strip() not in done.err


def test_json_says_what_was_made(gata: Terminal, fresh_home: PublishedHome) -> None:
    made = json.loads(gata("token", "create", "--tenant", "alpha", "--expires", "90d", "--json").out)
    assert list(made) == ["token", "id", "tenant", "tenants", "scope", "expires_at"]
    assert (made["tenant"], made["tenants"], made["scope"]) == ("alpha", ["alpha"], "read")
    assert caller(fresh_home, made["token"]) is not None
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)


def test_an_owner_gets_a_token_of_one_tenant(gata: Terminal, fresh_home: PublishedHome) -> None:
    made = json.loads(gata("token", "create", "--tenant", "alpha", "--owner", "--json").out)
    found = caller(fresh_home, made["token"])
    assert found is not None
    assert (made["scope"], found.scope, found.tenant, found.is_operator) == ("owner", "owner", "alpha", False)
    refused = gata("token", "create", "--admin", "--owner")
    assert (refused.code, "an owner is of one tenant" in refused.err) == (2, True)


def test_an_agency_gets_one_token_of_several_tenants_that_is_no_owner(
    gata: Terminal, fresh_home: PublishedHome
) -> None:
    several = ("--tenant", "beta", "--tenant", "alpha", "--tenant", "beta")
    made = json.loads(gata("token", "create", *several, "--json").out)
    assert (made["tenant"], made["tenants"], made["scope"]) == (None, ["beta", "alpha"], "read")
    found = caller(fresh_home, made["token"])
    assert found is not None
    assert (found.tenant, found.agency, found.scope, found.is_operator) == (None, ("beta", "alpha"), "read", False)
    listed = {token["id"]: token for token in json.loads(gata("token", "list", "--json").out)["tokens"]}
    assert (listed[made["id"]]["tenant"], listed[made["id"]]["tenants"]) == (None, ["beta", "alpha"])
    assert "beta, alpha" in gata("token", "list").out
    before = gata("token", "list", "--json").out
    for wrong in ((*several, "--owner"), (*several, "--admin"), ("--tenant", "alpha", "--tenant", "alpah")):
        assert gata("token", "create", *wrong).code == 2
    assert gata("token", "list", "--json").out == before
    one = json.loads(gata("token", "create", "--tenant", "alpha", "--tenant", "alpha", "--json").out)
    assert (one["tenant"], one["tenants"]) == ("alpha", ["alpha"])
    admin = json.loads(gata("token", "create", "--admin", "--json").out)
    assert (admin["tenant"], admin["tenants"], admin["scope"]) == (None, None, "admin")


def test_the_operator_gets_a_token_of_every_tenant(gata: Terminal, fresh_home: PublishedHome) -> None:
    found = caller(fresh_home, gata("token", "create", "--admin").out.strip())
    assert found is not None
    assert (found.tenant, found.scope) == (None, "admin")


@pytest.mark.parametrize(
    "wrong", [[], ["--tenant", "alpha", "--admin"], ["--admin", "--expires", "90"], ["--admin", "--expires", "0d"]]
)
def test_a_token_for_nobody_both_or_no_time_is_not_made(gata: Terminal, wrong: list[str]) -> None:
    before = gata("token", "list", "--json").out
    done = gata("token", "create", *wrong)
    assert (done.code, done.out) == (2, "")
    assert gata("token", "list", "--json").out == before


def test_a_token_of_a_tenant_that_is_not_there_is_not_made(gata: Terminal) -> None:
    done = gata("token", "create", "--tenant", "alpah")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean alpha?" in done.err


def test_a_revoked_token_is_refused_and_stays_in_the_list(gata: Terminal, fresh_home: PublishedHome) -> None:
    made = json.loads(gata("token", "create", "--tenant", "alpha", "--name", "claude", "--json").out)
    assert gata("token", "revoke", made["id"]).code == 0
    assert caller(fresh_home, made["token"]) is None
    listed = {token["id"]: token for token in json.loads(gata("token", "list", "--json").out)["tokens"]}
    assert listed[made["id"]]["state"] == "revoked"
    assert made["token"][-43:] not in gata("token", "list").out


def test_revoking_what_is_not_there_is_refused(gata: Terminal) -> None:
    done = gata("token", "revoke", "0a1b2c3d4e5f")
    assert (done.code, done.out) == (2, "")
    assert "0a1b2c3d4e5f" in done.err


def test_one_tenant_is_taken_out_of_a_token_of_several(gata: Terminal, fresh_home: PublishedHome) -> None:
    made = json.loads(gata("token", "create", "--tenant", "alpha", "--tenant", "beta", "--json").out)
    done = gata("token", "revoke", made["id"], "--tenant", "alpha")
    assert (done.code, "is of beta now" in done.out) == (0, True)
    found = caller(fresh_home, made["token"])
    assert found is not None
    assert (found.agency, found.sees("alpha"), found.sees("beta")) == (("beta",), False, True)
    one = json.loads(gata("token", "create", "--tenant", "alpha", "--json").out)
    for wrong in ((made["id"], "alpha"), (made["id"], "beta"), (one["id"], "alpha"), (one["id"], "beta")):
        refused = gata("token", "revoke", wrong[0], "--tenant", wrong[1])
        assert (refused.code, "is not one of several tenants" in refused.err) == (2, True)
    assert caller(fresh_home, one["token"]) is not None
