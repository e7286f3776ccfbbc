"""Page at `/docs` on which a person tries each operation of openapi.json.

All of it is served by this server, so that it works without the internet and no other site's script ever sees the token
that is typed into it.
"""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FILES = {
    "/docs": ("index.html", "text/html"),
    "/docs/page.css": ("page.css", "text/css"),
    "/docs/page.js": ("page.js", "text/javascript"),
}


def docs_routes() -> list[Route]:
    """Routes of the page, its stylesheet and its script."""
    return [Route(path, _file, methods=["GET"]) for path in FILES]


async def _file(request: Request) -> Response:
    name, media_type = FILES[request.url.path]
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return Response(text, media_type=media_type, headers={"cache-control": "no-cache"})
