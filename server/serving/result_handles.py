"""Result handles: a cut answer names one, and the tenant's token fetches all rows with it.

A handle is 128 random bits, valid for an hour, and belongs to one tenant: another tenant's, an expired and an unknown
handle get the same answer. It stores the query and its run, never a row; in ops.sqlite, so that every process behind
one port knows it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.config.slug import Slug
from server.serving.result_formats import MEDIA

if TYPE_CHECKING:
    from pipeline.storage.ops import Ops

LIFETIME = timedelta(hours=1)
MOST_HANDLES = 1_000
"""Most handles of one tenant; a newer one replaces the oldest."""
WAIT_SECONDS = 0.2
"""For other writers of ops.sqlite: they take milliseconds, unless one is stuck."""

_ID = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Handle:
    """A query with its run and time: everything that its rows depend on."""

    id: str
    tenant: Slug
    run_id: str
    query: str
    """As JSON."""
    made_at: datetime
    """The time that relative ranges such as `last_30_days` count from."""
    expires_at: datetime

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """The reference to the full result, as answers contain it."""
        return {
            "path": f"/results/{self.id}",
            "formats": list(MEDIA),
            "expires_at": self.expires_at.isoformat(timespec="seconds"),
        }


class Handles:
    """The handles of ops.sqlite. Safe to share between threads."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._ops = ops
        self._clock = clock

    def make(self, slug: Slug, run_id: str, query_json: str) -> Handle:
        """Create a handle on all rows of a query; expired and surplus handles are deleted.

        Raises:
            StateError, ConfigError: ops.sqlite cannot be written within WAIT_SECONDS: a handle is not worth a wait.
        """
        now = self._clock()
        handle = Handle(secrets.token_urlsafe(16), slug, run_id, query_json, now, now + LIFETIME)
        with self._ops.transaction(wait_seconds=WAIT_SECONDS) as store:
            store.execute("delete from result_handles where expires_at <= ?", (_text(now),))
            store.execute(
                "insert into result_handles (id, tenant, run_id, query, made_at, expires_at) values (?, ?, ?, ?, ?, ?)",
                (handle.id, slug, run_id, query_json, _text(now), _text(handle.expires_at)),
            )
            store.execute(
                "delete from result_handles where rowid in (select rowid from result_handles"
                " where tenant = ? order by made_at desc, rowid desc limit -1 offset ?)",
                (slug, MOST_HANDLES),
            )
        return handle

    def find(self, slug: Slug | None, handle_id: str) -> Handle | None:
        """The tenant's live handle with the id; None for any other.

        Without a slug (an admin has none, an agency several) it is any tenant's: whoever asks checks that it is seen.
        """
        if _ID.fullmatch(handle_id) is None:
            return None
        row = self._ops.connection.execute(
            "select id, tenant, run_id, query, made_at, expires_at from result_handles"
            " where id = ?1 and (?2 is null or tenant = ?2) and expires_at > ?3",
            (handle_id, slug, _text(self._clock())),
        ).fetchone()
        if row is None:
            return None
        made_at, expires_at = (datetime.fromisoformat(row[name]) for name in ("made_at", "expires_at"))
        return Handle(row["id"], row["tenant"], row["run_id"], row["query"], made_at, expires_at)


def _text(moment: datetime) -> str:
    """A time in one fixed format, so that texts sort as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
