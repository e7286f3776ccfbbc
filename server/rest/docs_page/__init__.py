"""`/docs`: a page that reads openapi.json, on which a person tries each operation.

All of it is served by this server, so that it works without the internet and no other site's script ever sees the token
that somebody types into it.
"""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PARTS = {
    "/docs": ("index.html", "text/html"),
    "/docs/page.css": ("page.css", "text/css"),
    "/docs/page.js": ("page.js", "text/javascript"),
}


def docs_routes() -> list[Route]:
    """The page and the two files it is made of."""
    return [Route(path, _part, methods=["GET"]) for path in PARTS]


async def _part(request: Request) -> Response:
    name, kind = PARTS[request.url.path]
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return Response(text, media_type=kind, headers={"cache-control": "no-cache"})
