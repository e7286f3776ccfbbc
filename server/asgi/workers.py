"""Worker processes behind one port.

The parent opens the port, starts the workers and replaces those that died; the kernel gives each connection to one of
them. They share only files: published runs, ops.sqlite. An MCP session of the `initialize` era and an SSE stream live
in the memory of one process, so the first worker to take a lock keeps them all, and the others forward requests of
sessions to it over a socket of its own. Protocol 2026-07-28 and REST have no sessions, and use every worker.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import anyio
import uvicorn
from filelock import FileLock, Timeout
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.responses import Response
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import ServerState
from uvicorn.supervisors.multiprocess import SIGNALS, Multiprocess, Process

from pipeline.bug_reports import event_logger
from pipeline.log_files import log_to_files
from semantic.sql.fact_aggregate import load_compiler
from server.asgi.audit_middleware import header
from server.asgi.body_limit import DrainedRequest, read_body
from server.asgi.connections import PatientProtocol
from server.asgi.metrics import use_shared_metrics
from server.asgi.problems import problem
from server.asgi.server import WORKER_SILENCE_SECONDS, server_config
from server.serving.process.library_logs import route_library_logs
from server.serving.process.setup import keep_pandas_out

if TYPE_CHECKING:
    import httpx2
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipeline.settings import Settings

HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"te", b"upgrade", b"content-length"})
DRAIN_SECONDS = 0.1
PING_SECONDS = 0.5


def run_workers(settings: Settings, listener: socket.socket, make_app: Callable[[], ASGIApp]) -> None:
    """Serve from `settings.workers` processes until interrupted; each finishes the answers in progress.

    Args:
        make_app: Called in each worker; it must be picklable.
    """
    folder = Path(tempfile.mkdtemp(prefix="gata-"))  # short: the path of a socket has at most 107 bytes
    metrics = folder / "metrics"
    metrics.mkdir()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)  # read by a worker when it loads the library
    config = server_config(settings, partial(worker_app, settings, make_app, folder), is_factory=True)
    config.workers = settings.workers
    try:
        Supervisor(config, [listener], metrics).run()
    finally:
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
        shutil.rmtree(folder, ignore_errors=True)


class ForkedWorker(Process):
    """A worker that is forked from the supervisor, which has every module loaded: it starts in milliseconds.

    uvicorn starts a new interpreter for each: N times the imports at once, and once more for each that is replaced, on
    a machine that may be overloaded because of that. The supervisor has no threads of Python's own, opens no database
    and serves nothing, so that there is nothing that a fork could find half-done.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.process = multiprocessing.get_context("fork").Process(  # type: ignore[assignment]  # uvicorn spawns
            target=self._serve, args=(sockets,)
        )

    def _serve(self, sockets: list[socket.socket]) -> None:
        for number in SIGNALS:  # those of the supervisor
            signal.signal(number, signal.SIG_DFL)
        with suppress(KeyboardInterrupt):
            self.target(sockets)


class Supervisor(Multiprocess):
    """The uvicorn supervisor, with workers that are forked, and without the metrics of dead ones."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], metrics: Path) -> None:
        super().__init__(config, sockets)
        self._metrics = metrics
        self._answered_at = WeakKeyDictionary[Process, float]()
        self._worker: type[Process] = ForkedWorker if sys.platform == "linux" else Process

    def init_processes(self) -> None:
        load_all()
        for _ in range(self.processes_num):
            self.processes.append(self._started())

    def _started(self) -> Process:
        process = self._worker(self.config, self.sockets)
        process.start()
        return process

    def keep_subprocess_alive(self) -> None:
        """Replace workers that have ended, at once; then one that has not answered for WORKER_SILENCE_SECONDS."""
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if process.process.is_alive() and (self._has_ended() or self._answers(process)):
                continue
            process.kill()
            process.join()
            self._forget_metrics(process)
            if process.exitcode == STARTUP_FAILURE:
                event_logger().error("worker_cannot_start", pid=process.pid)
                self.should_exit.set()
                return
            event_logger().warning("worker_replaced", pid=process.pid, exit_code=process.exitcode)
            self.processes[place] = self._started()

    def _has_ended(self) -> bool:
        """Whether some worker has ended: it is replaced before another is waited for."""
        return any(not process.process.is_alive() for process in self.processes)

    def _answers(self, process: Process) -> bool:
        """Whether a worker has answered a ping lately; no other worker waits for a silent one."""
        now = time.monotonic()
        if process.ping(timeout=PING_SECONDS):
            self._answered_at[process] = now
        return now - self._answered_at.setdefault(process, now) < WORKER_SILENCE_SECONDS

    def restart_all(self) -> None:
        """Replace each worker, one after the other, once its replacement serves."""
        for place, old in enumerate(self.processes):
            new = self._started()
            if self.should_exit.is_set() or not new.wait_until_ready(WORKER_SILENCE_SECONDS, self.should_exit):
                new.kill()
                new.join()
                return
            old.terminate()
            old.join()
            self._forget_metrics(old)
            self.processes[place] = new

    def _forget_metrics(self, process: Process) -> None:
        from prometheus_client.multiprocess import mark_process_dead

        if process.pid is not None:
            mark_process_dead(process.pid, str(self._metrics))  # type: ignore[no-untyped-call]


def load_all() -> None:
    """Load what the first answer needs, and keep it out of garbage collection: workers share its memory."""
    keep_pandas_out()
    use_shared_metrics()
    load_compiler()
    gc.freeze()
    gc.enable()


def worker_app(settings: Settings, make_app: Callable[[], ASGIApp], folder: Path) -> ASGIApp:
    """The application of one worker, behind the middleware that forwards requests of sessions."""
    keep_pandas_out()
    log_to_files(settings.event_files)
    app = SessionKeeping(make_app(), settings, folder)
    route_library_logs()
    return app


class SessionKeeping:
    """ASGI middleware: answers requests of sessions in the worker that keeps them, and forwards them from others."""

    def __init__(self, app: ASGIApp, settings: Settings, folder: Path) -> None:
        self.app, self._settings, self._socket = app, settings, folder / "sessions.sock"
        self._lock = FileLock(folder / "sessions.lock")
        self._is_keeper = False
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._http: httpx2.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, self._until_drained(receive), send)
        elif scope["type"] == "http" and is_of_session(scope) and not await self._keeps():
            await self._forward(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _until_drained(self, receive: Receive) -> Receive:
        """A lifespan `receive` that delays the shutdown until forwarded requests are answered."""

        async def receive_and_drain() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._drain()
            return message

        return receive_and_drain

    async def _drain(self) -> None:
        if self._server is not None:
            self._server.close()
            for connection in list(self._state.connections):
                connection.shutdown()
            with anyio.move_on_after(self._settings.query_timeout):
                while self._state.tasks:  # noqa: ASYNC110  # uvicorn's own set, without an event
                    await anyio.sleep(DRAIN_SECONDS)
        if self._http is not None:
            await self._http.aclose()
        self._lock.release(force=True)

    async def _keeps(self) -> bool:
        """Whether this worker keeps the sessions: it takes the lock at the first request while it is free."""
        if self._is_keeper:
            return True
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        self._is_keeper = True
        self._socket.unlink(missing_ok=True)  # of a keeper that died
        config = server_config(self._settings, self.app)
        config.load()
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: PatientProtocol(config, self._state, {}), str(self._socket)
        )
        return True

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request unchanged, and stream the answer back: it may take hours."""
        drained = DrainedRequest(receive, send)
        receive, send = drained.receive, drained.send
        body = await read_body(scope, receive, self._settings.body_limit_bytes)
        if isinstance(body, Response):
            await body(scope, receive, send)
            return
        async with anyio.create_task_group() as group:

            async def hang_up() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(hang_up)
            await self._relay(scope, body, send)
            group.cancel_scope.cancel()

    async def _relay(self, scope: Scope, body: bytes, send: Send) -> None:
        import httpx2

        query = scope["query_string"].decode("latin-1")
        target = f"http://keeper{scope['raw_path'].decode('latin-1')}{'?' if query else ''}{query}"
        headers = [(name, value) for name, value in scope["headers"] if name not in HOP_BY_HOP]
        is_begun = False
        try:
            async with self._client().stream(scope["method"], target, headers=headers, content=body) as answer:
                forwarded = [
                    (name.lower(), value) for name, value in answer.headers.raw if name.lower() not in HOP_BY_HOP
                ]
                await send({"type": "http.response.start", "status": answer.status_code, "headers": forwarded})
                is_begun = True
                async for part in answer.aiter_raw():
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        except httpx2.TransportError:
            if not is_begun:  # the keeper has died; the next request of a session selects another
                unavailable = problem(503, "The session is gone.", "Begin another one.", headers={"retry-after": "1"})
                await unavailable(scope, _disconnected, send)
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _client(self) -> httpx2.AsyncClient:
        import httpx2

        if self._http is None:
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
            transport = httpx2.AsyncHTTPTransport(uds=str(self._socket), limits=limits)
            self._http = httpx2.AsyncClient(transport=transport, timeout=None)  # a stream has no end
        return self._http


async def _disconnected() -> Message:
    return {"type": "http.disconnect"}


def is_of_session(scope: Scope) -> bool:
    """Whether only the process that opened a session can answer: SSE, and MCP before protocol 2026-07-28."""
    path = scope["path"]
    if path == "/sse" or path.startswith("/messages"):
        return True
    version = header(scope, b"mcp-protocol-version").decode("latin-1")
    return path in {"/mcp", "/mcp/"} and (not version or version in HANDSHAKE_PROTOCOL_VERSIONS)
