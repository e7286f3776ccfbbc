"""Every transport of MCP for one server with a tool that never ends, and their clients."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import uvicorn
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.server import MCPServer
from starlette.applications import Starlette

from pipeline.config.layers.configuration import read_settings
from pipeline.settings import Settings
from server.mcp_server.app import mcp_app
from server.mcp_server.token_budget import Reply
from server.mcp_server.tool_specs import TOOLS, ToolSpec
from server.serving.access import local_caller
from server.serving.call_context import CallContext
from server.serving.runs.published_runs import PublishedRuns
from tests.server.published_fixture import in_thread

SLUG = "alpha"
SQL = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = -1"
INTERFACES = ("inside, 2026-07-28", "inside, initialize", "http, 2026-07-28", "http, initialize", "sse", "stdio")


@dataclass
class EndlessServer:
    """A server with the tool `endless`, and how many of its statements were interrupted."""

    settings: Settings
    interrupted: list[str] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)

    def app(self) -> MCPServer[Any]:
        tool = ToolSpec(
            name="endless",
            title="Never end",
            description="Never end.",
            input_schema={"type": "object", "properties": {}, "additionalProperties": False},
            output_schema={"type": "object"},
            read=dict,
            work=self._work,
        )
        caller = local_caller(SLUG)
        return mcp_app(PublishedRuns(self.settings), lambda: caller, tools=(*TOOLS, tool), progress_seconds=0.1)

    def _work(self, call: CallContext, _: object) -> Reply:
        self.begun.set()
        try:
            call.cursor.execute(SQL).fetchall()
        except duckdb.InterruptException:
            self.interrupted.append(call.run.run_id)
            raise
        raise AssertionError("the statement came to an end")

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Over HTTP on a free loopback port, in a thread."""
        app = self.app()
        http, sse = app.streamable_http_app(), app.sse_app()

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with app.session_manager.run():
                yield

        both = Starlette(routes=[*http.routes, *sse.routes], lifespan=lifespan)
        server = uvicorn.Server(uvicorn.Config(both, log_config=None, timeout_graceful_shutdown=1))
        with in_thread(server) as (address, _):
            yield address

    def client(self, interface: str, address: str) -> AbstractAsyncContextManager[Client]:
        """A client that comes in by one of INTERFACES."""
        mode = "legacy" if "initialize" in interface else "auto"
        if interface.startswith("inside"):
            return Client(self.app(), mode=mode)
        if interface.startswith("http"):
            return Client(f"{address}/mcp", mode=mode)
        if interface == "sse":
            return Client(sse_client(f"{address}/sse"), mode="legacy")
        own = {
            "GATA_HOME": str(self.settings.home),
            "GATA_TENANTS": str(self.settings.tenants),
            "GATA_TODAY": "2026-03-01",
            "GATA_QUERY_SLOTS": str(self.settings.query_slots),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        command = StdioServerParameters(command=sys.executable, args=["-P", "-m", __name__], env={**os.environ, **own})
        return Client(command, mode=mode)


if __name__ == "__main__":
    EndlessServer(read_settings()).app().run("stdio")
