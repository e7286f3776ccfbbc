"""MCP server of one tenant over stdin and stdout: the user who starts it needs no token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError
from pipeline.log_files import log_to_files
from pipeline.settings import Settings
from server.mcp_server.app import mcp_app
from server.mcp_server.audit_middleware import AuditMcpCalls
from server.serving.access import local_caller
from server.serving.audit.call_recorder import open_call_recorder
from server.serving.process.setup import keep_pandas_out, settle_memory
from server.serving.process.tracing import tracing
from server.serving.runs.published_runs import PublishedRuns

if TYPE_CHECKING:
    from mcp.server import MCPServer


def stdio_app(settings: Settings, slug: str | None) -> MCPServer[Any]:  # Any: there is no lifespan state
    """The server of one tenant, not yet running.

    Raises:
        ConfigError: No tenant is named.
        AccessError: The name cannot be the slug of a tenant.
    """
    if not slug:
        raise ConfigError("No tenant is named.", "Name it: `gata mcp --tenant SLUG`, or set GATA_TENANT.")
    log_to_files(settings.event_files)
    caller = local_caller(slug)
    app = mcp_app(PublishedRuns(settings), lambda: caller)
    app.middleware.append(AuditMcpCalls(open_call_recorder(settings, tracing()), lambda: caller))
    return app


def run_stdio(settings: Settings, slug: str | None) -> None:
    """Serve one tenant until stdin ends. Only the protocol is written to stdout.

    Raises:
        ConfigError: No tenant is named.
        AccessError: The name cannot be the slug of a tenant.
    """
    keep_pandas_out()
    app = stdio_app(settings, slug)
    settle_memory()
    app.run("stdio")
