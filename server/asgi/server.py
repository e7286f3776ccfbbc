"""The HTTP server: its socket, and how uvicorn serves an application."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable

import uvicorn

from pipeline.errors import ConfigError
from pipeline.settings import Settings
from server.asgi.connections import LARGEST_HEAD, MOST_CONNECTIONS, PatientProtocol

BACKLOG = 2048
SHUTDOWN_GRACE_SECONDS = 5
"""How much longer than the slowest query a stop may take."""
WORKER_SILENCE_SECONDS = 120
"""Longest that a worker may leave uvicorn's ping unanswered before it is killed and another is started.

uvicorn's own 5 seconds are less than the imports of a worker take on a loaded machine: each is killed before it is up,
for ever, and the next one's imports add to the load. A worker that has ended is replaced at once in any case.
"""


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for callers; port 0 takes a free one.

    Raises:
        ConfigError: The address is taken, or is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only on sockets that say they are TCP: else each waits 40 ms
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(BACKLOG)
    except OSError as error:
        door.close()
        raise ConfigError(
            f"{host}:{port} cannot be served: {(error.strerror or str(error)).lower()}.",
            "Stop what uses it, or choose another address with `gata serve --host H --port N`.",
        ) from error
    return door


def server_config(settings: Settings, app: Callable[..., object], *, is_factory: bool = False) -> uvicorn.Config:
    """How an application is served; answers under way at its end have the time of a query to finish."""
    return uvicorn.Config(
        app,
        factory=is_factory,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here depends on them, and anybody can write them
        h11_max_incomplete_event_size=LARGEST_HEAD,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_worker_healthcheck=WORKER_SILENCE_SECONDS,
        timeout_graceful_shutdown=math.ceil(settings.query_timeout) + SHUTDOWN_GRACE_SECONDS,
    )
