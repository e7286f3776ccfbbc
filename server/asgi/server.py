"""The HTTP server: its listening socket and the uvicorn configuration."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable

from pipeline.errors import ConfigError
from pipeline.settings import Settings
from server.asgi.connections import LARGEST_HEAD, MOST_CONNECTIONS, PatientProtocol, ServerConfig

BACKLOG = 2048
SHUTDOWN_GRACE_SECONDS = 5
"""Extra seconds for a stop, beyond the query timeout."""
WORKER_SILENCE_SECONDS = 120
"""Longest time without an answer to uvicorn's ping before a worker is killed and replaced.

uvicorn's default of 5 seconds is less than the imports of a worker take on a loaded machine: each is killed before it
is up, endlessly, and the imports of the next one add to the load. A worker that has ended is replaced at once.
"""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        ConfigError: The address is taken, or is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets with the protocol TCP: else each small answer waits 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"{host}:{port} cannot be served: {(error.strerror or str(error)).lower()}.",
            "Stop what uses it, or choose another address with `gata serve --host H --port N`.",
        ) from error
    return listener


def server_config(settings: Settings, app: Callable[..., object], *, is_factory: bool = False) -> ServerConfig:
    """The uvicorn configuration; answers in progress at a stop have the query timeout to finish."""
    config = ServerConfig(
        app,
        factory=is_factory,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # not used, and any client can set them
        h11_max_incomplete_event_size=LARGEST_HEAD,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_worker_healthcheck=WORKER_SILENCE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.query_timeout) + SHUTDOWN_GRACE_SECONDS,
    )
    config.connections_of_address = settings.connections_of_address
    return config
