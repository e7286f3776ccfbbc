"""`gata serve --workers 4` on a machine that is overloaded: `python -P -m bench.overload [--loops 40] [--minutes 10]`.

Busy loops take the processors first, then the server starts among them. Printed, and judged: the seconds until the
first answer to a query (at most 60), the answers meanwhile, and the workers that were replaced (none). One worker is
killed halfway: another takes its place. Ends with 1 where a figure is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.measured import ROOT
from tests.server.cli_run import environment, start
from tests.server.published_fixture import PublishedHome, new_published_home

WORKERS, FIRST_ANSWER_SECONDS, PAUSE_SECONDS = 4, 60.0, 1.0
QUESTION = {"metrics": ["spend", "roas"], "dimensions": ["date"]}


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many processes that do nothing but take a processor; in the session of this one, so that they compete."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def workers_of(supervisor: int) -> set[int]:
    text = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="utf-8")
    return {int(child) for child in text.split()}


def seconds_to_answer(address: str, home: PublishedHome) -> float | None:
    """How long an answer took on a connection of its own; None where none came in time."""
    began = time.monotonic()
    try:
        answer = httpx.post(
            f"{address}/semantic-layer/alpha/query", json=QUESTION, headers=home.headers("alpha"), timeout=120
        )
    except httpx.TransportError:
        return None
    return time.monotonic() - began if answer.status_code == 200 else None


def measure(home: PublishedHome, minutes: float) -> dict[str, object]:
    began = time.monotonic()
    server = start("serve", "--port", "0", "--workers", str(WORKERS), env=environment(home.settings))
    try:
        assert server.stderr is not None
        found = re.search(r"http://\S+:\d+", server.stderr.readline())
        assert found is not None
        while seconds_to_answer(found[0], home) is None:
            time.sleep(PAUSE_SECONDS)
        first = time.monotonic() - began
        sys.stderr.write(f"first answer after {first:.1f} s\n")
        seconds, failed, before, killed = list[float](), 0, workers_of(server.pid), None
        while time.monotonic() - began < 60 * minutes:
            answer = seconds_to_answer(found[0], home)
            failed, seconds = failed + (answer is None), seconds + ([] if answer is None else [answer])
            if killed is None and time.monotonic() - began > 30 * minutes:
                lost = before - workers_of(server.pid)
                killed = min(before - lost)
                os.kill(killed, signal.SIGKILL)
            time.sleep(PAUSE_SECONDS)
        now = workers_of(server.pid)
        lost = before - now - {killed}
        return {
            "median_seconds": round(statistics.median(seconds), 2) if seconds else None,
            "first_answer_seconds": round(first, 1),
            "answers": len(seconds),
            "failed": failed,
            "slowest_seconds": round(max(seconds, default=0.0), 1),
            "workers_lost": len(lost),
            "workers_now": len(now),
        }
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=300)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loops", type=int, default=40)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory(prefix="gata-overload-") as folder:
        home = new_published_home(Path(folder), "alpha")
        with busy(options.loops):
            figures = measure(home, options.minutes)
    print(json.dumps({"loops": options.loops, "minutes": options.minutes, **figures}))
    is_met = float(str(figures["first_answer_seconds"])) <= FIRST_ANSWER_SECONDS
    return 0 if is_met and figures["workers_lost"] == 0 and figures["workers_now"] == WORKERS else 1


if __name__ == "__main__":
    sys.exit(main())
