"""Limits on what a file may unpack to and hold: a small file of one tenant must not take the machine of all.

They are far above what exports have, and far below what a machine cannot take. No setting changes them: a source that
needs more is one to be looked at (docs/exports.md, "Limits").
"""

from __future__ import annotations

SAFE_BYTES = 1 << 28
"""Every file may unpack to this much."""
MAX_RATIO = 200
"""Largest unpacked size beyond SAFE_BYTES, as a multiple of the packed one. Texts compress to a twentieth, the most
uniform reports to a hundredth; deflate can reach a thousandth, and a bomb does."""
MAX_MEMBERS = 10_000
"""Files of an archive."""
RECORD_BYTES = 1 << 24
"""Of one JSON record as text; an order of a shop has some kilobytes."""
DOCUMENT_BYTES = 1 << 26
"""Of one JSON document that wraps records, such as a page of an API: it is held in memory as a whole."""
RECORD_FIELDS = 1_000
"""Top-level fields of one record: one that has more is in quarantine."""
FILE_COLUMNS = 2_000
"""Columns of a table, and fields in another spelling than the vendor's that the records of a file have together."""
NAMES_KEPT = 1_000
"""Names of a file that its contract does not know and that are remembered; more are only counted."""


def most_unpacked(packed: int) -> int:
    """The bytes that a file of so many packed ones may unpack to, whatever packs it and however often."""
    return max(SAFE_BYTES, MAX_RATIO * packed)


def refusal_of_size(packed: int) -> str:
    """Why a file that unpacks to more is not read."""
    return (
        f"it unpacks to more than {most_unpacked(packed) >> 20} MB, and from {packed:,} bytes no more are read: "
        "unpack it before, or bring it in parts"
    )
