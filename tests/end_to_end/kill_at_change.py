"""A process that kills itself before its n-th change of a file: renames, removals, folders, files opened to write."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from pipeline.settings import Settings
from tests.server.cli_run import ROOT, environment

SCRIPT = """
import os, signal, sys
from pathlib import Path

last, changes, started = int(sys.argv[1]), 0, Path(sys.argv[2])
def count(event, arguments):
    global changes
    is_written = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if is_written or event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.link"):
        if not started.name or started.exists():
            changes += 1
            if changes == last:
                os.kill(os.getpid(), signal.SIGKILL)
sys.argv[1:] = sys.argv[3:]
from server.cli.app import main
import server.orchestration.forgetting, server.orchestration.recovery.backup, server.orchestration.recovery.restore
sys.addaudithook(count)
code = main()
sys.stderr.write(f"\\nchanges: {changes}\\n")
os._exit(code)
"""


def killed_at(change: int, *arguments: str, settings: Settings, after: Path | None = None) -> bool:
    """Run a command of gata that kills itself before a change; whether it did so.

    Args:
        change: Which change; counted from 1.
        arguments: Of the command.
        settings: Its settings.
        after: Only changes count that happen while this file or folder is there.
    """
    done = _run(change, arguments, settings, after)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def changes_of(*arguments: str, settings: Settings, after: Path | None = None) -> int:
    """Run a command to its end; how many changes it makes."""
    done = _run(0, arguments, settings, after)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.rpartition("changes: ")[2].partition("\n")[0])


def _run(
    change: int, arguments: tuple[str, ...], settings: Settings, after: Path | None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SCRIPT, str(change), str(after or ""), *arguments]
    return subprocess.run(
        command, env=environment(settings), cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
