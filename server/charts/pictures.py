"""Charts as pictures, drawn in this process without a browser and without the network.

vl-convert brings Vega, its fonts and a script engine along. It would fetch what a specification names by address; ours
name none, which is checked, and no address is allowed besides. It is loaded with the first picture: 0.5 s, 80 MB.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import QueryError
from pipeline.extras import install_command, is_installed

MIME = {"svg": "image/svg+xml", "png": "image/png"}
PIXELS = 2.0
"""Screen pixels for each pixel of the chart."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ADDRESSES = frozenset({"url", "href", "src"})
_LOCK = threading.Lock()
"""A script engine is for one thread at a time."""


def picture(spec: Mapping[str, Any], kind: str) -> bytes:  # Any: Vega-Lite is a tree of JSON values
    """The chart as `svg` or `png`.

    Raises:
        ValueError: The specification names an address.
        QueryError: vl-convert is not installed.
    """
    if not is_installed("vl_convert"):
        raise QueryError(
            "No pictures of charts are drawn here: vl-convert is not installed.",
            "Ask for Vega-Lite (`chart: vega`, `--chart FILE.json`), which needs none, or run"
            f" `{install_command('charts')}`.",
        )
    import vl_convert

    check_offline(spec)
    with _LOCK:
        if kind == "svg":
            return vl_convert.vegalite_to_svg(dict(spec), allowed_base_urls=[]).encode()
        return smaller(vl_convert.vegalite_to_png(dict(spec), scale=PIXELS, allowed_base_urls=[]))


def smaller(png: bytes) -> bytes:
    """The same picture, compressed better: vl-convert compresses in haste, and a client pays for every byte.

    A PNG is a signature and chunks: length, kind, data, checksum. Source: ISO/IEC 15948.
    """
    compressed, position, chunks = b"", len(_SIGNATURE), []
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        kind, data = png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        position += length + 12
        if kind == b"IDAT":
            compressed += data
        else:
            chunks.append((kind, data))
    chunks.insert(-1, (b"IDAT", zlib.compress(zlib.decompress(compressed), 6)))  # before the end, as it was
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def check_offline(node: object) -> None:
    """Check that a specification names no address to fetch.

    Raises:
        ValueError: It names an address.
    """
    if isinstance(node, Mapping):
        if named := _ADDRESSES.intersection(node):
            raise ValueError(f"a chart names an address: {', '.join(sorted(named))}")
        for child in node.values():
            check_offline(child)
    elif isinstance(node, Sequence) and not isinstance(node, str | bytes):
        for child in node:
            check_offline(child)
