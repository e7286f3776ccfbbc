"""Running the command line as a user does: arguments in, exit code and two streams out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest
import structlog

from pipeline.settings import Settings
from server.cli.app import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class CommandResult:
    code: int
    out: str
    err: str


def environment(settings: Settings | None = None, **more: str) -> dict[str, str]:
    """What a process of ours sees: the settings as GATA_ variables, a width, no colour."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    plain = {"COLUMNS": "100", "PYTHONPATH": str(ROOT)}
    if settings is not None:
        plain |= {"GATA_HOME": str(settings.home), "GATA_TENANTS": str(settings.tenants)}
        plain |= {"GATA_TODAY": settings.today.isoformat()} if settings.today else {}
    return {**kept, **plain, **more}


class Terminal:
    """`gata` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        for name in [name for name in os.environ if name.startswith("GATA_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("COLUMNS", "100")
        self._pandas = {name: module for name, module in sys.modules.items() if name == "pandas"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sys.modules.pop("pandas", None)  # asking keeps it out: only meanwhile
        sys.modules.update(self._pandas)
        structlog.reset_defaults()  # events went to a stream of this test

    def use(self, settings: Settings) -> Self:
        for name, value in environment(settings).items():
            if name.startswith("GATA_"):
                self._monkeypatch.setenv(name, value)
        return self

    def set(self, **variables: str) -> Self:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)
        return self

    def __call__(self, *arguments: str) -> CommandResult:
        self._monkeypatch.setattr(sys, "argv", ["gata", *arguments])
        self._capsys.readouterr()
        code = main()
        out, err = self._capsys.readouterr()
        return CommandResult(code, out, err)


def start(*arguments: str, env: Mapping[str, str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """`gata` in a process of its own."""
    command = [sys.executable, "-c", "import sys; from server.cli.app import main; sys.exit(main())", *arguments]
    return subprocess.Popen(
        command, env=env, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
