"""Sends alerts: after each build, and from the server's background thread. Neither ever fails for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from pipeline.bug_reports import event_logger, report_bug
from pipeline.errors import GataError
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.alerts.alert_causes import alert_causes
from server.orchestration.alerts.outbox import claim_notices, mark_sent, put_off, record_causes, release
from server.orchestration.alerts.webhook import post
from server.orchestration.run_history.status_snapshots import known_statuses

AT_ONCE = 50
"""Notices of one look; the rest are due at the next."""
EVERY_SECONDS = 30.0


@contextmanager
def alerts_after(settings: Settings) -> Iterator[None]:
    """Look for alerts when the block has ended, with or without an error of ours."""
    try:
        yield
    except GataError:
        look_for_alerts(settings)
        raise
    look_for_alerts(settings)


def look_for_alerts(settings: Settings) -> int:
    """Record what is wrong now and send what is due, within GATA_ALERT_TIMEOUT; returns the notices that were taken."""
    if settings.alert_url is None:
        return 0
    try:
        with Ops(settings.ops) as ops:
            _record_what_is_wrong(settings, ops)
            return _send_due(settings, ops)
    except (GataError, OSError) as error:
        event_logger().warning("alerts_not_sent", reason=type(error).__name__)
    except Exception as error:  # noqa: BLE001  # an alert is a convenience: a bug in it fails no build
        report_bug(error, call="alerts")
    return 0


def _record_what_is_wrong(settings: Settings, ops: Ops) -> None:
    """Bring the outbox up to date; while the status cannot be read it stays as it is, and is sent."""
    try:
        statuses = known_statuses(settings)
    except GataError as error:
        event_logger().warning("alerts_not_renewed", reason=error.what)
        return
    last_run = next(iter(ops.runs("*", limit=1)), None)
    record_causes(ops, alert_causes(statuses, last_run, settings), datetime.now(UTC))


def _send_due(settings: Settings, ops: Ops) -> int:
    url, secret = settings.alert_url, settings.alert_secret
    deadline, sent, is_down = time.monotonic() + settings.alert_timeout, 0, False
    for notice in claim_notices(ops, datetime.now(UTC), AT_ONCE) if url else ():
        left = deadline - time.monotonic()
        if is_down or left <= 0 or url is None:
            release(ops, notice, datetime.now(UTC))
            continue
        key = secret.get_secret_value() if secret else None
        refusal = post(url.get_secret_value(), key, notice.payload(), timeout_seconds=left)
        if refusal is None:
            mark_sent(ops, notice, datetime.now(UTC))
            sent += 1
            continue
        put_off(ops, notice, datetime.now(UTC), refusal)
        event_logger().warning("alert_not_taken", alert=notice.payload()["id"], reason=refusal)
        is_down = not refusal.startswith("it answered")
    return sent


class AlertThread:
    """A background thread of a server that looks for alerts every half minute; none without GATA_ALERT_URL."""

    def __init__(self, settings: Settings, every_seconds: float = EVERY_SECONDS) -> None:
        self._settings, self._every = settings, every_seconds
        self._stop = threading.Event()

    def start(self) -> None:
        if self._settings.alert_url is not None:
            threading.Thread(target=self._run, name="alerts", daemon=True).start()

    def stop(self) -> None:
        """Look no more; a look that has begun ends within its time-out, or with the process."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            look_for_alerts(self._settings)
