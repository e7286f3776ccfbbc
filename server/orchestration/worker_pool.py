"""The processes that work beside a build of several tenants.

    this process   library, onboarding   land a, b, c           push a, b, c    gates, ledger
    its crew       exports of a, b, c    projects of a, b, c parsed             stars and publishes of a, b, c

What is begun ahead is done again by whoever needs it, at next to no cost where it was done; so it may fail in silence.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from functools import cached_property, partial
from importlib import import_module
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from structlog.contextvars import bound_contextvars, get_contextvars

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.errors import GataError
from pipeline.log import configure_log
from pipeline.settings import Settings

LOADED = ("dbt.cli.main", "dbt.adapters.duckdb.connections", "semantic.answering.validate")
"""Modules that every process of a crew will need, and that take long to load."""

Given = ParamSpec("Given")
Result = TypeVar("Result")
Ahead = Callable[[Tenant, Blueprints, Settings], object]


class WorkerPool:
    """Processes of one build, begun when there is work for two tenants; without them the work is done here.

    dbt's adapter is global to a process, so threads would mix tenants up.

    Attributes:
        works: Whether there are processes yet.
    """

    def __init__(self, blueprints: Blueprints, settings: Settings) -> None:
        self._blueprints, self._settings = blueprints, settings
        self._begun: dict[tuple[Ahead, str], Future[None]] = {}
        self.works = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.works:
            self._pool.shutdown(cancel_futures=True)

    def begin(self, ahead: Ahead, tenants: Sequence[Tenant]) -> None:
        """Begin what the tenants' builds need later, where there is a process to do it."""
        if self._is_for(tenants):
            for tenant in tenants:
                given = tenant, self._blueprints, self._shared_out(tenants)
                work = partial(_in_silence, partial(ahead, *given))
                self._begun[ahead, tenant.slug] = self._pool.submit(_bound, _context(tenant), work)

    def finish(self, ahead: Ahead, tenants: Iterable[Tenant]) -> None:
        """Wait until what was begun for the tenants is over, well or badly."""
        wait([self._begun[ahead, tenant.slug] for tenant in tenants if (ahead, tenant.slug) in self._begun])

    def each(
        self, work: Callable[[Tenant, Blueprints, Settings], Result], tenants: Sequence[Tenant], step: str
    ) -> Iterator[tuple[Tenant, Result | GataError]]:
        """What the work comes to for each tenant, in the order in which it is done; begun in the order given.

        What is submitted meanwhile comes before the tenants that are not begun yet. Events of the work say which run,
        tenant and step they are of.
        """
        if not self._is_for(tenants):
            for tenant in tenants:
                done = partial(_try, partial(work, tenant, self._blueprints, self._settings))
                yield tenant, _bound(_context(tenant, step), done)
            return
        given = self._blueprints, self._shared_out(tenants)
        waiting, running = list(tenants), dict[Future[Result | GataError], Tenant]()
        while waiting or running:
            while waiting and len(running) < self._settings.threads:
                tenant = waiting.pop(0)
                done = partial(_try, partial(work, tenant, *given))
                running[self._pool.submit(_bound, _context(tenant, step), done)] = tenant
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()

    def submit(
        self, work: Callable[Given, Result], *args: Given.args, **options: Given.kwargs
    ) -> Future[Result | GataError]:
        """Have something else done: by a process where there are some, else at once."""
        if self.works:
            return self._pool.submit(_bound, get_contextvars(), partial(_try, partial(work, *args, **options)))
        done = Future[Result | GataError]()
        done.set_result(_try(partial(work, *args, **options)))
        return done

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        self.works = True
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._settings.threads, mp_context=spawn, initializer=_make_ready)

    def _is_for(self, tenants: Sequence[Tenant]) -> bool:
        return len(tenants) > 1 and self._settings.threads > 1

    def _shared_out(self, tenants: Sequence[Tenant]) -> Settings:
        """The settings of a process when all have something to do: two threads on one core cost more and bring less."""
        return self._settings.model_copy(update={"threads": max(1, self._settings.threads // len(tenants))})


def _make_ready() -> None:
    """How a process of the crew begins.

    Ctrl-C reaches every process of a terminal: the one that began the build ends it, and its crew with it, even when
    it is killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_build, daemon=True).start()
    configure_log()
    for module in LOADED:
        import_module(module)


def _end_with_the_build() -> None:
    if builder := multiprocessing.parent_process():
        builder.join()
        os._exit(1)


def _context(tenant: Tenant, step: str | None = None) -> dict[str, Any]:  # Any: what events are bound to
    """What the events of a process are bound to: what they are here, and the tenant and step of its work."""
    return {**get_contextvars(), "tenant": tenant.slug, **({"step": step} if step else {})}


def _bound(context: Mapping[str, Any], work: Callable[[], Result]) -> Result:  # Any: what events are bound to
    with bound_contextvars(**context):
        return work()


def _try(work: Callable[[], Result]) -> Result | GataError:
    try:
        return work()
    except GataError as error:
        return error


def _in_silence(ahead: Callable[[], object]) -> None:
    with suppress(GataError, OSError):
        ahead()
