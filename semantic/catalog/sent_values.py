"""What clients send for what they leave out, and keys that their transports add.

Models and form builders write `""`, `"null"`, `{}` or `[null]` where they mean nothing. n8n sends its own fields beside
the arguments of a tool, other clients keys that begin with an underscore.
Sources: github.com/n8n-io/n8n issues 17264, 21500 and 37308, github.com/moltis-org/moltis issue 182.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

TRANSPORT_KEYS = frozenset({"toolcallid", "sessionid", "chatinput", "action", "tool"})
"""Keys of n8n, folded, without underscores."""
NOTHING = ("", "null")
_DEEPEST = 6

Sent = Mapping[str, Any]  # Any: JSON values, whatever a caller sent


def unpacked(value: Any) -> Any:  # Any: as above
    """Parse JSON in a text: agents send lists and objects that way."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def without_transport_keys(sent: Sent, known: Collection[str]) -> dict[str, Any]:  # Any: as above
    """The keys of a call without those that its transport added; a key that is `known` is always the caller's."""
    return {key: value for key, value in sent.items() if key in known or not _is_of_transport(str(key), known)}


def without_absent(
    sent: Sent, *, kept: Collection[str] = (), texts: Collection[str] = ()
) -> dict[str, Any]:  # Any: as above
    """The keys that hold something, also inside their objects and lists.

    Those in `kept` stay as they are; those in `texts` are never read as JSON.
    """
    read = {key: value if key in kept or key in texts else unpacked(value) for key, value in sent.items()}
    return {
        key: value if key in kept else _trimmed(value)
        for key, value in read.items()
        if key in kept or not absent(value)
    }


def absent(value: Any, depth: int = 0) -> bool:  # Any: as above
    """Whether a value stands for nothing: null, "", "null", or an object or list of nothing else."""
    if value is None:
        return True
    if isinstance(value, str):
        return value.strip().casefold() in NOTHING
    if isinstance(value, Mapping | list | tuple) and depth < _DEEPEST:
        items = value.values() if isinstance(value, Mapping) else value
        return all(absent(item, depth + 1) for item in items)
    return False


def _trimmed(value: Any, depth: int = 0) -> Any:  # Any: as above
    if depth >= _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {key: _trimmed(item, depth + 1) for key, item in value.items() if not absent(item)}
    if isinstance(value, list | tuple):
        return [_trimmed(item, depth + 1) for item in value if not absent(item)]
    return value


def _is_of_transport(key: str, known: Collection[str]) -> bool:
    own = key.lstrip("_").casefold()
    return own.replace("_", "") in TRANSPORT_KEYS or (key.startswith("_") and own not in known)
