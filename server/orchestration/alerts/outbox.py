"""The outbox of alerts in ops.sqlite: nothing is lost while the receiver is down, and nothing is said twice.

A cause that lasts is one row; when it is over the row gets `resolved_at`, and its end is said too. Processes claim a
row before they send it, by moving its `next_attempt_at`: the same alert is not sent by two of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.storage.ops import Ops, Row
from server.orchestration.alerts.alert_causes import AlertCause

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
CLAIM = timedelta(minutes=2)
"""How long a process that died while it sent keeps an alert from the others."""


@dataclass(frozen=True)
class Notice:
    """One message to send: that something began, or that it is over."""

    alert: Row
    is_resolution: bool

    def payload(self) -> dict[str, Any]:  # Any: JSON values
        """The message as JSON; `id` stays the same however often it is tried."""
        state = "resolved" if self.is_resolution else "began"
        names = ("kind", "tenant", "cause", "text", "next_step", "since")
        fields = {name: self.alert[name] for name in names}
        over = {"resolved_at": self.alert["resolved_at"]} if self.is_resolution else {}
        return {"version": 1, "id": f"{self.alert['alert_id']}.{state}", "state": state, **fields, **over}


def record_causes(ops: Ops, causes: Iterable[AlertCause], now: datetime) -> None:
    """Make the open alerts those that are wrong now: new ones begin, those that are gone are over."""
    listed, at = list(causes), _text(now)
    open_now = {(cause.tenant, cause.kind, cause.cause) for cause in listed}
    with ops.transaction() as database:
        for row in database.execute(
            "SELECT alert_id, tenant, kind, cause FROM alerts WHERE resolved_at IS NULL"
        ).fetchall():
            if (row["tenant"], row["kind"], row["cause"]) not in open_now:
                database.execute(
                    "UPDATE alerts SET resolved_at = ?1, next_attempt_at = ?1, attempts = 0 WHERE alert_id = ?2",
                    (at, row["alert_id"]),
                )
        for cause in listed:
            database.execute(
                "INSERT INTO alerts (tenant, kind, cause, text, next_step, since, last_seen_at, next_attempt_at)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)"
                " ON CONFLICT (tenant, kind, cause) WHERE resolved_at IS NULL"
                " DO UPDATE SET last_seen_at = ?7, text = ?4",
                (cause.tenant, cause.kind, cause.cause, cause.text, cause.next_step, cause.since or at, at),
            )


def claim_notices(ops: Ops, now: datetime, limit: int) -> list[Notice]:
    """The notices that are due, claimed by this process: the beginning of an alert before its end."""
    claimed = []
    with ops.transaction() as database:
        due = database.execute(_DUE, (_text(now), limit)).fetchall()
        for row in due:
            database.execute(
                "UPDATE alerts SET next_attempt_at = ? WHERE alert_id = ?", (_text(now + CLAIM), row["alert_id"])
            )
            claimed.append(Notice(dict(row), is_resolution=row["sent_at"] is not None))
    return claimed


_DUE = """
    SELECT * FROM alerts
    WHERE next_attempt_at <= ?1 AND resolution_sent_at IS NULL AND (sent_at IS NULL OR resolved_at IS NOT NULL)
    ORDER BY alert_id LIMIT ?2
"""


def mark_sent(ops: Ops, notice: Notice, now: datetime) -> None:
    """Record that the receiver took a notice."""
    column = "resolution_sent_at" if notice.is_resolution else "sent_at"
    with ops.transaction() as database:
        database.execute(
            f"UPDATE alerts SET {column} = ?1, next_attempt_at = ?1, attempts = 0, last_error = NULL"
            " WHERE alert_id = ?2",
            (_text(now), notice.alert["alert_id"]),
        )


def put_off(ops: Ops, notice: Notice, now: datetime, error: str) -> None:
    """Record that the receiver did not take a notice: it is tried again, later each time."""
    attempts = notice.alert["attempts"] + 1
    wait = min(FIRST_WAIT * 2 ** min(attempts - 1, 16), LONGEST_WAIT)
    with ops.transaction() as database:
        database.execute(
            "UPDATE alerts SET attempts = ?, next_attempt_at = ?, last_error = ? WHERE alert_id = ?",
            (attempts, _text(now + wait), error, notice.alert["alert_id"]),
        )


def release(ops: Ops, notice: Notice, now: datetime) -> None:
    """Give back a claimed notice that was not tried."""
    with ops.transaction() as database:
        database.execute(
            "UPDATE alerts SET next_attempt_at = ? WHERE alert_id = ?", (_text(now), notice.alert["alert_id"])
        )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
