"""uv, which `mcp dev` runs in the checkout, replaces no package of the environment that the lock file made."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.packaging.installed import Environment, new_checkout
from tests.packaging.lock_pins import ROOT

NPX = """#!/bin/sh
# In place of the Inspector: starts the server as it would, says the first thing, and hangs up.
shift
printf '%s\\n' "$INITIALIZE" | "$@"
"""
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "inspector", "version": "1"},
    },
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return new_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.mark.needs_uv
def test_uv_sync_changes_no_package(checkout: Environment) -> None:
    before = checkout.packages()
    checkout.run("uv", "sync", "--all-groups")
    assert checkout.packages() == before


@pytest.mark.needs_uv
def test_mcp_dev_starts_the_server_and_changes_no_package(checkout: Environment, tmp_path: Path) -> None:
    before = checkout.packages()
    npx = tmp_path / "npx"
    npx.write_text(NPX, encoding="utf-8")
    npx.chmod(0o755)
    variables = {
        "PATH": os.pathsep.join([str(tmp_path), checkout.variables()["PATH"]]),
        "GATA_TENANT": "tyrell_corp",
        "GATA_HOME": str(tmp_path / "state"),
        "INITIALIZE": json.dumps(INITIALIZE),
    }
    said = checkout.run("mcp", "dev", "server/mcp_entry.py", variables=variables)
    assert json.loads(said)["result"]["serverInfo"]["name"] == "gata"
    assert checkout.packages() == before


def test_git_ignores_the_lock_file_that_uv_leaves() -> None:
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
