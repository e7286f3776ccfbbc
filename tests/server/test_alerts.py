"""Alerts by webhook: said once when something begins and once when it is over, signed, and never in a build's way."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from pipeline.config.layers.configuration import read_settings
from pipeline.config.slug import slug_of
from pipeline.errors import BuildError, ConfigError
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.alerts.alert_causes import AlertCause, alert_causes
from server.orchestration.alerts.outbox import claim_notices, mark_sent, put_off, record_causes
from server.orchestration.alerts.sending import AlertThread, alerts_after, look_for_alerts
from server.orchestration.alerts.webhook import post

if TYPE_CHECKING:
    from tests.server.published_fixture import PublishedHome

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = "a key of thirty-two characters !"
BROKEN = AlertCause("acme", "failed", "land", "The step land of acme failed.", "Run `gata runs`.", "2026-03-01")
PAYLOAD = {"id": "1.began"}
TENANTS = "tenants:\n  - {slug: acme, business_name: Acme, status: pending}\n"


@dataclass
class Receiver:
    """A server on this machine that keeps what it is sent, and answers as it is set to."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event | None = None
    """It answers when this is set."""
    url: str = ""

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.received.append((dict(self.headers), body))
            kept.arrived.set()
            if kept.hold:
                kept.hold.wait(30)
            self.send_response(kept.status)
            for name, value in kept.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/hook?token=SECRETTOKEN"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield kept
    if kept.hold:
        kept.hold.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path, receiver: Receiver) -> Settings:
    (tmp_path / "tenants.yaml").write_text(TENANTS)
    return Settings(
        home=tmp_path / "state",
        tenants=tmp_path / "tenants.yaml",
        alert_url=SecretStr(receiver.url),
        alert_secret=SecretStr(KEY),
        alert_disk="0MB",
    )


def fail_a_step(settings: Settings, detail: str = "The value SECRETVALUE is none.") -> None:
    with Ops(settings.ops) as ops:
        run_id = ops.start_run("*")
        ops.step(run_id, "acme", step="land", status="failed", detail=detail, failure="LandError")
        ops.finish_run(run_id, "failed")


def succeed(settings: Settings) -> None:
    with Ops(settings.ops) as ops:
        run_id = ops.start_run("*")
        ops.step(run_id, "acme", step="land", status="done")
        ops.finish_run(run_id, "done")


def due_now(settings: Settings) -> None:
    """Let the time pass until everything that was put off is due."""
    with Ops(settings.ops) as ops:
        ops.connection.execute("update alerts set next_attempt_at = '2000'")


def test_a_failure_is_said_once_however_long_it_lasts_and_once_when_it_is_over(
    settings: Settings, receiver: Receiver
) -> None:
    fail_a_step(settings)
    assert [look_for_alerts(settings), look_for_alerts(settings)] == [1, 0]
    fail_a_step(settings, "Another text of the same step.")
    assert look_for_alerts(settings) == 0
    succeed(settings)
    assert [look_for_alerts(settings), look_for_alerts(settings)] == [1, 0]
    began, over = receiver.bodies
    assert [(each["state"], each["kind"], each["tenant"], each["cause"]) for each in receiver.bodies] == [
        ("began", "failed", "acme", "land"),
        ("resolved", "failed", "acme", "land"),
    ]
    assert over["resolved_at"] > began["since"]
    fail_a_step(settings)
    assert look_for_alerts(settings) == 1
    assert len({each["id"] for each in receiver.bodies}) == 3


def test_a_message_is_signed_over_time_and_body_and_holds_no_row_and_no_secret(
    settings: Settings, receiver: Receiver
) -> None:
    fail_a_step(settings)
    look_for_alerts(settings)
    ((headers, body),) = receiver.received
    digest = hmac.new(KEY.encode(), headers["Gata-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["Gata-Signature"] == f"v1={digest}"
    assert abs(int(headers["Gata-Timestamp"]) - datetime.now(UTC).timestamp()) < 60
    assert headers["Gata-Delivery"] == "1.began"
    for secret in (KEY, "SECRETVALUE", "SECRETTOKEN", str(settings.home)):
        assert secret not in body.decode()


def test_nothing_is_lost_while_the_receiver_is_down_and_it_is_asked_less_and_less_often(
    settings: Settings, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 500
    fail_a_step(settings)
    assert [look_for_alerts(settings), look_for_alerts(settings)] == [0, 0]
    assert len(receiver.received) == 1  # it is not due again yet
    succeed(settings)
    due_now(settings)
    receiver.status = 200
    assert look_for_alerts(settings) == 1
    assert look_for_alerts(settings) == 1
    assert [each["state"] for each in receiver.bodies] == ["began", "began", "resolved"]
    assert receiver.bodies[0]["id"] == receiver.bodies[1]["id"]
    assert "SECRETTOKEN" not in "".join(capsys.readouterr())


def test_the_wait_doubles_up_to_an_hour_and_a_claimed_notice_is_nobody_elses(settings: Settings) -> None:
    with Ops(settings.ops) as ops, Ops(settings.ops) as other:
        record_causes(ops, [BROKEN], NOW)
        record_causes(other, [BROKEN], NOW)
        (notice,) = claim_notices(ops, NOW, 10)
        assert claim_notices(other, NOW, 10) == []
        waits, at = [], NOW
        for _ in range(10):
            put_off(ops, notice, at, "it answered 500")
            text = ops.connection.execute("select next_attempt_at from alerts").fetchone()[0]
            due = datetime.fromisoformat(text)
            assert claim_notices(ops, due - timedelta(seconds=1), 10) == []
            waits.append((due - at).total_seconds())
            (notice,), at = claim_notices(ops, due, 10), due
        assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
        mark_sent(ops, notice, at)
        assert claim_notices(ops, at + timedelta(days=1), 10) == []
        (again,) = claim_notices(ops, NOW + timedelta(days=9), 10) if record_causes(ops, [], at) is None else ()
        assert again.is_resolution


def test_a_redirect_is_not_followed_and_a_receiver_that_never_answers_costs_the_time_out(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"Location": receiver.url}
    assert post(receiver.url, None, PAYLOAD, timeout_seconds=5) == "it answered 307"
    assert len(receiver.received) == 1
    assert "Gata-Signature" not in receiver.received[0][0]
    receiver.hold = threading.Event()
    assert post(receiver.url, None, PAYLOAD, timeout_seconds=0.2) in ("it took too long", "TimeoutError")
    assert post("http://127.0.0.1:9/", None, PAYLOAD, timeout_seconds=5) == "ConnectionRefusedError"


def test_a_build_is_neither_failed_nor_held_up_by_its_alerts(
    settings: Settings, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_a_step(settings)
    with pytest.raises(BuildError, match="It broke"), alerts_after(settings):
        raise BuildError("It broke.", "Mend it.")
    assert len(receiver.received) == 1
    settings.tenants.write_text("tenants: [1]")
    succeed(settings)
    with alerts_after(settings):
        pass
    settings.tenants.unlink()
    settings.ops.with_suffix(".moved").write_bytes(settings.ops.read_bytes())
    settings.ops.write_bytes(b"no database at all, but some bytes" * 100)
    with alerts_after(settings):
        pass
    assert "alerts_not_sent" in "".join(capsys.readouterr())
    quiet = settings.model_copy(update={"alert_url": None})
    with alerts_after(quiet):
        pass
    assert len(receiver.received) == 1


def test_held_stale_damaged_and_a_low_disk_are_alerts_each_with_its_next_step(settings: Settings) -> None:
    kinds = ("failed", "held", "stale", "damaged")
    attention = [{"kind": kind, "cause": f"c{kind}", "text": f"text of {kind}", "since": None} for kind in kinds]
    statuses = [{"tenant": "acme", "attention": [*attention, attention[3] | {"cause": "another file"}]}]
    full = settings.model_copy(update={"alert_disk": "999999999GB"})
    run = {"run_id": "r", "status": "failed", "detail": "The hub is open elsewhere."}
    causes = alert_causes(statuses, run, full)
    assert [(cause.tenant, cause.kind) for cause in causes] == [
        *(("acme", kind) for kind in kinds),
        *(("*", "failed"), ("*", "disk")),
    ]
    assert all(cause.text.endswith((".", "stale")) and cause.next_step.endswith(".") for cause in causes)
    assert [cause.text for cause in causes if "text of" in cause.text] == ["acme: text of stale"]
    assert alert_causes([], None, settings) == []


def test_a_refused_entry_is_an_alert_beside_those_of_the_other_tenants_and_one_without_a_slug_is_too(
    settings: Settings, receiver: Receiver
) -> None:
    fail_a_step(settings)
    wrong = "  - {slug: wrong, business_name: Wrong, currency: XXQ}\n  - {business_name: No Slug}\n"
    settings.tenants.write_text(TENANTS + wrong + wrong.splitlines(keepends=True)[1])
    assert [look_for_alerts(settings), look_for_alerts(settings)] == [3, 0]
    found = {(each["tenant"], each["kind"], each["cause"]) for each in receiver.bodies}
    assert found == {("acme", "failed", "land"), ("wrong", "refused", "entry"), ("*", "refused", "entry")}
    assert not [body for _, body in receiver.received if str(settings.tenants.parent).encode() in body]
    settings.tenants.write_text(TENANTS)
    assert look_for_alerts(settings) == 2
    assert {(each["tenant"], each["state"]) for each in receiver.bodies[3:]} == {
        ("wrong", "resolved"),
        ("*", "resolved"),
    }


def test_a_server_looks_for_alerts_by_itself(settings: Settings, receiver: Receiver) -> None:
    fail_a_step(settings)
    thread = AlertThread(settings, every_seconds=0.01)
    thread.start()
    assert receiver.arrived.wait(60)
    thread.stop()
    assert receiver.bodies[0]["tenant"] == "acme"


def test_a_served_run_that_turns_out_damaged_is_an_alert_until_it_is_whole(
    fresh_home: PublishedHome, receiver: Receiver
) -> None:
    alerted = {"alert_url": SecretStr(receiver.url), "alert_disk": "0MB"}
    settings = fresh_home.settings.model_copy(update=alerted)
    assert look_for_alerts(settings) == 0
    (definitions,) = settings.published(slug_of("alpha")).glob("*/semantic.yml")
    text = definitions.read_bytes()
    definitions.write_bytes(b"damaged")
    assert look_for_alerts(settings) == 1
    definitions.write_bytes(text)
    assert look_for_alerts(settings) == 1
    assert [(each["kind"], each["state"], each["tenant"]) for each in receiver.bodies] == [
        ("damaged", "began", "alpha"),
        ("damaged", "resolved", "alpha"),
    ]


@pytest.mark.parametrize("url", ["http://example.com/hook?token=SECRETTOKEN", "ftp://x/SECRETTOKEN", "SECRETTOKEN"])
def test_an_address_that_is_neither_https_nor_of_this_machine_is_refused_without_showing_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATA_ALERT_URL", url)
    with pytest.raises(ConfigError) as refused:
        read_settings()
    assert "GATA_ALERT_URL" in str(refused.value)
    assert "SECRETTOKEN" not in str(refused.value)
    assert refused.value.__cause__ is None
