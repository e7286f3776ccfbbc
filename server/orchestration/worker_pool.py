"""The worker pool: processes that work in parallel with a build of several tenants.

    this process   library, onboarding   land a, b, c           push a, b, c    gates, records
    worker pool    exports of a, b, c    projects of a, b, c parsed             stars and publishes of a, b, c

The step that needs prefetched work does it again, at almost no cost where it was done; so errors of prefetched work are
ignored.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import cached_property, partial
from importlib import import_module
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

from structlog.contextvars import bound_contextvars, get_contextvars

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.errors import BuildError, GataError
from pipeline.log import configure_log
from pipeline.log_files import LogFiles, current_log_files
from pipeline.settings import Settings
from pipeline.storage.build_memory import among_processes
from server.orchestration.isolation.boundary import attempt

PRELOADED = ("semantic.answering.validate",)
"""Modules that every process of the pool needs and that take long to load."""
PRELOADED_FOR_NEW = ("dbt.cli.main", "dbt.adapters.duckdb.connections")
"""Modules that a first build needs beside them: later ones run the SQL that dbt compiled for it."""

Args = ParamSpec("Args")
Result = TypeVar("Result")
Prefetch = Callable[[Tenant, Blueprints, Settings], object]


class WorkerPool:
    """Worker processes of one build, started when there is work for two tenants; else the work runs in this process.

    dbt's adapter is global to a process, so threads would mix tenants up.

    Attributes:
        works: Whether the processes are started.
    """

    def __init__(self, blueprints: Blueprints, settings: Settings) -> None:
        self._blueprints, self._settings = blueprints, settings
        self._prefetched: dict[tuple[Prefetch, str], Future[None]] = {}
        self._tasks: dict[Future[Any], Callable[[], Any]] = {}  # Any: as in `_start`
        self._preloaded: tuple[str, ...] = PRELOADED
        self.works = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.works:
            self._pool.shutdown(cancel_futures=True)

    def prefetch(self, work: Prefetch, tenants: Sequence[Tenant]) -> None:
        """Start work that the first builds of tenants need later, where worker processes are used."""
        if self._is_parallel(tenants):
            self._preloaded = (*PRELOADED_FOR_NEW, *PRELOADED)
            for tenant in tenants:
                arguments = tenant, self._blueprints, self._settings_per_process(tenants)
                task = partial(_ignore_errors, partial(work, *arguments))
                self._prefetched[work, tenant.slug] = self._start(partial(_with_context, _context(tenant), task))

    def wait_for(self, work: Prefetch, tenants: Iterable[Tenant]) -> None:
        """Wait until the prefetched work of the tenants has ended, with or without an error."""
        wait([self._prefetched[work, tenant.slug] for tenant in tenants if (work, tenant.slug) in self._prefetched])

    def each(
        self, work: Callable[[Tenant, Blueprints, Settings], Result], tenants: Sequence[Tenant], step: str
    ) -> Iterator[tuple[Tenant, Result | GataError]]:
        """Yield the result of the work for each tenant, in order of completion; it starts in the order of `tenants`.

        Tasks submitted meanwhile run before the tenants that are not started yet. Log events of the work carry run,
        tenant and step.
        """
        if not self._is_parallel(tenants):
            for tenant in tenants:
                task = partial(_try, partial(work, tenant, self._blueprints, self._settings))
                yield tenant, _with_context(_context(tenant, step), task)
            return
        arguments = self._blueprints, self._settings_per_process(tenants)
        pending, running = list(tenants), dict[Future[Result | GataError], Tenant]()
        while pending or running:
            while pending and len(running) < self._settings.threads:
                tenant = pending.pop(0)
                task = partial(_with_context, _context(tenant, step), partial(_try, partial(work, tenant, *arguments)))
                running[self._start(task)] = tenant
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), self.outcome(future)

    def submit(
        self, work: Callable[Args, Result], *args: Args.args, **options: Args.kwargs
    ) -> Future[Result | GataError]:
        """Submit a task to the pool; without worker processes it runs at once. `outcome` gives its result."""
        task = partial(_try, partial(work, *args, **options))
        if self.works:
            return self._start(partial(_with_context, get_contextvars(), task))
        done = Future[Result | GataError]()
        done.set_result(task())
        return done

    def outcome(self, future: Future[Result | GataError]) -> Result | GataError:
        """The result of a task, once it has ended.

        A process that the system ends takes the tasks of all others with it. They run again, one at a time: only the
        task that ends its process again has failed.
        """
        task = self._tasks.pop(future, None)
        try:
            return future.result()
        except BrokenProcessPool:
            if task is None:
                raise
        again = self._start(task)
        del self._tasks[again]
        try:
            return cast("Result | GataError", again.result())
        except BrokenProcessPool:
            return BuildError(
                "The process of this work was ended by the operating system, most likely because memory ran out.",
                "Set GATA_BUILD_MEMORY or GATA_THREADS to less, or give the machine more memory, and build again.",
            )

    def _start(self, task: Callable[[], Any]) -> Future[Any]:  # Any: tasks of all kinds share the pool
        """Start a task in the pool, in a new one where a process of the last one was ended."""
        try:
            future = self._pool.submit(task)
        except BrokenProcessPool:
            self._pool.shutdown(cancel_futures=True)
            del self._pool
            future = self._pool.submit(task)
        self._tasks[future] = task
        return future

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        self.works = True
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self._settings.threads,
            mp_context=spawn,
            initializer=_initialize,
            initargs=(current_log_files(), self._preloaded),
        )

    def _is_parallel(self, tenants: Sequence[Tenant]) -> bool:
        return is_parallel(tenants, self._settings)

    def _settings_per_process(self, tenants: Sequence[Tenant]) -> Settings:
        """Settings of one process of the pool: its share of the threads and of the memory.

        Two threads on one core cost more than they gain.
        """
        threads = max(1, self._settings.threads // len(tenants))
        _, each = among_processes(self._settings, self._settings.threads)
        return each.model_copy(update={"threads": threads})


def is_parallel(tenants: Sequence[Tenant], settings: Settings) -> bool:
    """Whether work for these tenants is done by worker processes."""
    return len(tenants) > 1 and settings.threads > 1


def _initialize(files: LogFiles | None, preloaded: Sequence[str]) -> None:
    """Initialize a process of the pool.

    Ctrl-C reaches every process of a terminal: the process of the build handles it and ends the pool. A pool process
    ends with its parent, even when that is killed. Stdout is the parent's, for its answer: what a library prints here,
    such as DuckDB the progress of a slow statement, goes to stderr.
    """
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    configure_log(files)
    for module in preloaded:
        import_module(module)


def _exit_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _context(tenant: Tenant, step: str | None = None) -> dict[str, Any]:  # Any: what events are bound to
    """The log context of a task: the current one, with the tenant and step."""
    return {**get_contextvars(), "tenant": tenant.slug, **({"step": step} if step else {})}


def _with_context(context: Mapping[str, Any], work: Callable[[], Result]) -> Result:  # Any: what events are bound to
    with bound_contextvars(**context):
        return work()


def _try(work: Callable[[], Result]) -> Result | GataError:
    context = get_contextvars()
    return attempt(work, tenant=str(context.get("tenant")), step=str(context.get("step")))


def _ignore_errors(work: Callable[[], object]) -> None:
    with suppress(Exception):  # whatever it is: the step that needs the work meets it again
        work()
