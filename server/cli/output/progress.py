"""Progress of a long command on stderr: bars on a terminal, an event per step for a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NAME_SHOWN = 40
STEPS = ("library", "land", "push", "stars", "validate", "publish")


@contextmanager
def show_progress() -> Iterator[Callable[[str, str], None]]:
    """A function to call with each step as it begins: (tenant or *, step)."""
    from pipeline.log import configure_log, log

    if not sys.stderr.isatty():
        yield lambda tenant, step: log.info("step_began", tenant=tenant, step=step)
        return
    try:
        with _bars() as watch:
            configure_log()  # events now go above the bars
            yield watch
    finally:
        configure_log()


@contextmanager
def _bars() -> Iterator[Callable[[str, str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[step]}"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def watch(tenant: str, step: str) -> None:
            name = "all tenants" if tenant == "*" else tenant
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=len(STEPS), step=step)
            reached = STEPS.index(step) if step in STEPS else None
            progress.update(tasks[name], completed=reached, step=step)

        yield watch


@contextmanager
def show_file_progress(verb: str) -> Iterator[Callable[[str, int, int], None]]:
    """A function to call before each file with its path, its number and how many there are: a bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(verb, total=None)

        def watch(path: str, number: int, count: int) -> None:
            progress.update(task, completed=number, total=count, description=f"{verb} {path[:NAME_SHOWN]}")

        yield watch
