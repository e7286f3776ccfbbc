"""The two doors that count and write down calls: around every MCP message, and around every HTTP request.

An MCP message is written down by its own door, whatever transport brought it; the HTTP request that carried it is
written down as well only when it was refused before any message was read. What needs no token (`/health`, `/docs`) is
not a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from pipeline.errors import AccessError, QueueFull
from server.access import LOCAL, Caller
from server.audit.call import WITHHELD, AuditError, Entry, about, redacted, rows_of
from server.rates import Rates

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipeline.settings import Settings
    from server.audit.file import Journal

BUSY = -32000
"""JSON-RPC: the first of the codes that servers define themselves."""
STRANGERS_PER_MINUTE = 600
"""Refusals of callers without a token that are written down: a flood of them may not fill the disk."""
BODY = "gata.body"
"""Where `server.doors.bodies` leaves a body it has read, in the ASGI scope."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
KEPT_BODIES = ("/query",)
"""Ends of paths whose bodies are questions; of other bodies the names are written down, and no value."""

Observer = Callable[[Entry], None]


class Ledger:
    """What happens with every call of a process: its token's limits, the journal, and whoever observes."""

    def __init__(self, rates: Rates, journal: Journal | None, observers: Sequence[Observer] = ()) -> None:
        self.rates, self.journal, self._observers = rates, journal, tuple(observers)
        self.strangers = Rates(per_minute=STRANGERS_PER_MINUTE, at_once=0, streams=0)
        self.is_required = journal is not None and journal.is_required
        self.under_way = 0
        """Calls that are being answered."""

    @contextmanager
    def call(self, entry: Entry, *, limited: bool = True) -> Iterator[Entry]:
        """One call: what is noted in the block is about it, and it is written down when the block ends.

        Raises:
            QueueFull: Its token has asked too much.
            AuditError: It cannot be written down, and has to be.
        """
        if self.is_required:
            self._write({**entry.as_json(), "outcome": "began"})
        self.under_way += limited  # what is not limited is a stream
        is_limited = limited and entry.who is not None and entry.who.token_id != LOCAL
        try:
            with about(entry), self.rates.call(entry.who.token_id) if is_limited and entry.who else nullcontext():
                yield entry
        finally:
            self.under_way -= limited
            self.told(entry)

    def told(self, entry: Entry) -> None:
        """Write an ended call down. That it began is known already where it has to be."""
        for observe in self._observers:
            observe(entry)
        if self.journal is not None:
            self.journal.write(entry.as_json(), is_optional=True)

    def _write(self, line: Mapping[str, object]) -> None:
        if self.journal is not None:
            self.journal.write(line)

    @property
    def lost(self) -> int:
        """Calls that could not be written down."""
        return 0 if self.journal is None else self.journal.lost

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()


def open_ledger(settings: Settings, observers: Sequence[Observer] = ()) -> Ledger:
    """The ledger that the settings ask for; nothing is opened before the first call."""
    from server.audit.file import Journal

    rates = Rates(per_minute=settings.rate_per_minute, at_once=settings.calls_at_once, streams=settings.streams_at_once)
    journal = None
    if settings.audit != "off":
        journal = Journal(
            settings.audit_folder, keep_days=settings.audit_days, is_required=settings.audit == "required"
        )
    return Ledger(rates, journal, observers)


class McpCalls:
    """MCP middleware: every request of every transport, a tool's and the others."""

    def __init__(self, ledger: Ledger, caller: Callable[[], Caller]) -> None:
        self._ledger, self._caller = ledger, caller

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None:  # a notification has no answer
            return await call_next(ctx)
        entry = Entry(
            _door(ctx), _tool(ctx), _quietly(self._caller), _arguments(ctx), traceparent=_traceparent(ctx.meta)
        )
        try:
            with self._ledger.call(entry, limited=ctx.method != "subscriptions/listen"):
                result = await call_next(ctx)
                _measure(entry, result)
                return result
        except (QueueFull, AuditError) as error:
            return _too_busy(ctx.method, error)


class HttpCalls:
    """ASGI middleware: every HTTP request but those of open paths."""

    def __init__(self, app: ASGIApp, ledger: Ledger, is_open: Callable[[str], bool]) -> None:
        self.app, self._ledger, self._is_open = app, ledger, is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        is_mcp = _is_mcp(scope["path"])
        trace = header(scope, b"traceparent").decode("latin-1") or None
        entry = Entry(_http_door(scope["path"]), "", who=_caller_of(scope), traceparent=trace)
        size = 0

        async def measured(message: Message) -> None:
            nonlocal size
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
            await send(message)

        async def answer() -> None:
            try:
                await self.app(scope, receive, measured)
            finally:
                _describe(entry, scope, size)

        try:
            if is_mcp or entry.who is None:
                await self._unwritten(entry, scope, answer)
            else:
                with self._room(entry, scope):
                    await answer()
        except (QueueFull, AuditError) as error:
            from server.routes.problems import problem

            status = 429 if isinstance(error, QueueFull) else 503
            seconds = error.retry_after_seconds if isinstance(error, QueueFull) else 60
            refusal = problem(status, error.what, error.fix, headers={"retry-after": str(seconds)})
            await refusal(scope, receive, send)

    @contextmanager
    def _room(self, entry: Entry, scope: Scope) -> Iterator[None]:
        """A REST call; an event stream of it counts as a stream, for it is open for long."""
        _describe(entry, scope, 0)
        with self._ledger.call(entry, limited=not is_stream(scope)), self._stream_of(entry, scope):
            yield

    async def _unwritten(self, entry: Entry, scope: Scope, answer: Callable[[], Any]) -> None:
        """A request that carries MCP messages, or comes from nobody: written down when it is refused here."""
        from server.doors.session_share import may_open_session

        try:
            with about(entry):
                if entry.who is not None and may_open_session(scope):
                    self._ledger.rates.take(entry.who.token_id)
                with self._stream_of(entry, scope):
                    await answer()
        except QueueFull:
            entry.status = 429
            raise
        finally:
            if (entry.status or 0) >= 400 and self._is_worth_a_line(entry):
                _describe(entry, scope, entry.bytes or 0)
                self._ledger.told(entry)

    @contextmanager
    def _stream_of(self, entry: Entry, scope: Scope) -> Iterator[None]:
        if entry.who is None or not is_stream(scope):
            yield
            return
        with self._ledger.rates.stream(entry.who.token_id):
            yield

    def _is_worth_a_line(self, entry: Entry) -> bool:
        if entry.who is not None:
            return True
        try:
            self._ledger.strangers.take("")
        except QueueFull:
            return False
        return True


def _caller_of(scope: Scope) -> Caller | None:
    from server.doors.bearer import caller_of_scope

    return caller_of_scope(scope)


def _quietly(caller: Callable[[], Caller]) -> Caller | None:
    try:
        return caller()
    except AccessError:
        return None


def _is_mcp(path: str) -> bool:
    return path in {"/mcp", "/mcp/", "/sse"} or path.startswith("/messages")


def _http_door(path: str) -> str:
    return ("mcp" if path.startswith("/mcp") else "sse") if _is_mcp(path) else "rest"


def header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def is_stream(scope: Scope) -> bool:
    """Whether the answer stays open until somebody hangs up."""
    if scope["method"] == "GET":
        path: str = scope["path"]
        is_one = path in {"/mcp", "/sse"} or (path.startswith("/jobs/") and path.endswith("/events"))
        return is_one or b"text/event-stream" in header(scope, b"accept")
    return scope["path"] == "/mcp" and header(scope, b"mcp-method") == b"subscriptions/listen"


def _describe(entry: Entry, scope: Scope, size: int) -> None:
    """Fill in what only the router knows. A path that there is not is not repeated: it may hold anything."""
    known = _template(scope, entry)
    entry.tool = f"{scope['method'] if scope['method'] in METHODS else 'OTHER'} {known}"
    entry.bytes = size
    if entry.door != "rest":
        return
    path = dict(scope.get("path_params") or {})
    slug = path.pop("tenant", None)
    if entry.who is not None and entry.tenant is None and isinstance(slug, str):
        if entry.who.tenant is None:
            entry.tenant = redacted(slug)
        elif entry.who.tenant != slug:
            path["tenant"] = slug  # of somebody else: asked for, and refused
    if "id" in path:
        path["id"] = f"{str(path['id'])[:6]}…"  # of a result or a job: enough to find it by
    sent = {**path, **_query(scope), **_body(scope, known)}
    entry.arguments = sent or None
    if entry.status is None:
        return
    if entry.outcome in {None, "ok"}:
        entry.outcome = _outcome(entry.status)


def _template(scope: Scope, entry: Entry) -> str:
    if _is_mcp(scope["path"]):
        return "/messages/" if scope["path"].startswith("/messages") else str(scope["path"])
    if entry.who is None:
        return "(not let in)"
    if entry.status is None:  # not routed yet; what follows may be a value
        first, slash, _ = str(scope["path"])[1:].partition("/")
        return redacted(f"/{first}{slash and '/…'}")[:64]
    return getattr(scope.get("route"), "path", None) or "(unknown path)"


def _query(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=None)[:20])


def _body(scope: Scope, path: str) -> dict[str, object]:
    text = scope.get(BODY)
    if not text or scope["method"] != "POST":
        return {}
    import json

    try:
        sent = json.loads(text)
    except (ValueError, RecursionError):
        return {"body": WITHHELD}
    if not isinstance(sent, dict):
        return {"body": WITHHELD}
    return sent if path.endswith(KEPT_BODIES) else dict.fromkeys(sent, WITHHELD)


def _outcome(status: int) -> Any:  # Any: one of Outcome
    if status < 400:
        return "ok"
    return {429: "busy", 499: "cancelled"}.get(status, "failed" if status >= 500 else "refused")


def _door(ctx: ServerRequestContext[Any, Any]) -> str:
    path = getattr(getattr(ctx.request, "url", None), "path", None)
    return "stdio" if path is None else _http_door(path)


def _traceparent(meta: object) -> str | None:
    found = meta.get("traceparent") if isinstance(meta, Mapping) else None
    return found if isinstance(found, str) else None


def _tool(ctx: ServerRequestContext[Any, Any]) -> str:
    """The name of the tool; of other messages the method, with the name of the prompt."""
    name = ctx.params.get("name") if ctx.params else None
    if ctx.method == "tools/call":
        return _short_name(name)
    return f"{ctx.method} {_short_name(name)}" if ctx.method == "prompts/get" else ctx.method


def _short_name(name: object) -> str:

    return redacted(str(name))[:64]


def _arguments(ctx: ServerRequestContext[Any, Any]) -> object:
    params = ctx.params or {}
    if ctx.method in {"tools/call", "prompts/get"}:
        return params.get("arguments")
    if ctx.method == "resources/read":
        return {"uri": params.get("uri")}
    if ctx.method == "completion/complete":
        argument = params.get("argument")
        return {"argument": argument.get("name") if isinstance(argument, Mapping) else None}
    return None


def _measure(entry: Entry, result: HandlerResult) -> None:
    """How large the answer is, and whether it is one. In here the SDK passes models on as they will be sent."""
    if result is None:
        return
    sent = result if isinstance(result, dict) else result.model_dump(by_alias=True, exclude_none=True, mode="python")
    content = sent.get("content") or sent.get("contents") or ()
    entry.bytes = sum(len(part["text"].encode()) for part in content if isinstance(part, dict) and "text" in part)
    if sent.get("isError"):
        entry.error = entry.error or "ToolError"
    elif entry.rows is None:
        entry.rows = rows_of(sent.get("structuredContent"))


def _too_busy(method: str, error: QueueFull | AuditError) -> HandlerResult:
    """A tool error that a model can read, or the protocol's own error where there is no tool.

    Raises:
        MCPError: It was no tool that was called.
    """
    if method == "tools/call":
        from mcp.types import CallToolResult, TextContent

        return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
    from mcp.shared.exceptions import MCPError

    seconds = error.retry_after_seconds if isinstance(error, QueueFull) else 60
    raise MCPError(code=BUSY, message=str(error), data={"retry_after_seconds": seconds}) from error
