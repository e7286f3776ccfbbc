"""Verbs that serve: one tenant over stdin and stdout, or every tenant over HTTP."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from server.cli.options import chosen_tenant, read_command_configuration, read_command_settings


def mcp(
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="SLUG", help="The tenant to serve; GATA_TENANT when left out.")
    ] = None,
) -> None:
    """Serve one tenant to an MCP client over stdin and stdout; needs no token."""
    gc.disable()  # until all is loaded: loading makes hardly any garbage, and looking for it takes a tenth of the start
    from server.stdio import run_stdio

    settings = (
        read_command_configuration().settings
    )  # no log yet: it would cost a tenth of the time a client waits for `initialize`
    run_stdio(settings, chosen_tenant(tenant, settings))


def serve(
    host: Annotated[str, typer.Option("--host", metavar="H", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8765,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, max=64, help="Processes; GATA_WORKERS when left out."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="A host name that callers use for it; may be repeated."),
    ] = None,
) -> None:
    """Serve every published tenant over HTTP: MCP at /mcp and /sse, REST, /docs. Callers need a token.

    Behind a proxy or a domain, say the name that callers use with --name: requests to other names are refused.
    """
    gc.disable()  # until all is loaded, as above; a server that is up turns it on again
    settings = read_command_settings()
    from pipeline.contracts.bundled import log_shadows
    from server.app import run_server
    from server.asgi.server import listen
    from server.serving.process.setup import keep_pandas_out
    from server.serving.process.tracing import tracing

    keep_pandas_out()
    log_shadows()
    tracing()  # refuses here, before an address is announced
    settings = settings.model_copy(update={"workers": workers or settings.workers})
    with listen(host, port) as listener:
        bound = listener.getsockname()[1]
        address = f"[{host}]" if ":" in host else host
        sys.stderr.write(f"Serving on http://{address}:{bound} (/mcp, /sse, /docs). Stop with Ctrl-C.\n")
        run_server(settings, host, listener, hosts=name or ())
