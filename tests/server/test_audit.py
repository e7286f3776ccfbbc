"""The audit log: every call of every interface, without a secret or a personal value, come what may."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client

from pipeline.errors import AuditError, QueueFull
from server.app import http_app
from server.serving.audit import audit_log as audit_file
from server.serving.audit.audit_log import AuditLog
from server.serving.audit.call_record import CallRecord, recording, report_call_bug, without_personal
from server.serving.audit.call_recorder import CallRecorder, open_call_recorder
from server.serving.audit.read_audit_log import CallFilter, follow_calls, read_calls
from server.serving.rate_limits import RateLimits
from server.stdio import stdio_app
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome, new_published_home

SECRET = "gata_0a1b2c3d4e5f_" + "s" * 43
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
EMAIL = "ALPHAXCANARY1@x.io"


def lines(folder: Path) -> list[dict[str, Any]]:
    """Every line of every file, in the order of the files."""
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    return new_published_home(tmp_path_factory.mktemp("audited"), "alpha")


@pytest.fixture
def shop(published: PublishedHome) -> PublishedHome:
    """Alpha is published, and nobody has asked anything yet."""
    shutil.rmtree(published.settings.audit_folder, ignore_errors=True)
    return published


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Let writes of the journal fail as on a full disk; half of the line is written before."""
    write = os.write

    def fill(is_full: bool) -> None:
        def half(file: int, text: bytes) -> int:
            if len(text) < 40:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(file, text[: len(text) // 2])

        monkeypatch.setattr(audit_file.os, "write", half if is_full else write)

    return fill


def test_lines_are_only_appended_and_only_the_owner_may_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    for number in range(2):
        journal = AuditLog(folder, keep_days=1)
        journal.write({"n": number})
        journal.close()
    (path,) = folder.iterdir()
    assert [line["n"] for line in lines(folder)] == [0, 1]
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.name == f"{datetime.now(UTC):%Y-%m-%d}_{os.getpid()}.jsonl"


def test_every_day_has_its_file_and_old_ones_go(tmp_path: Path) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    journal = AuditLog(tmp_path, keep_days=3, now=lambda: moment)
    (tmp_path / "notes.txt").write_text("somebody's own")
    for _ in range(6):
        journal.write({"day": moment.day})
        moment += timedelta(days=1)
    journal.close()
    kept = sorted(path.name[:10] for path in tmp_path.glob("*.jsonl"))
    assert kept == ["2026-03-04", "2026-03-05", "2026-03-06"]
    assert (tmp_path / "notes.txt").exists()


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    journal = AuditLog(tmp_path, keep_days=1)

    def work(number: int) -> None:
        for _ in range(200):
            journal.write({"n": number, "text": "x" * 300})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert len(lines(tmp_path)) == 800


def test_half_a_line_of_a_process_that_died_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / f"{datetime.now(UTC):%Y-%m-%d}_{os.getpid()}.jsonl"
    whole = {"id": "a", "at": "2026-03-01T00:00:00.000Z", "outcome": "ok"}
    path.write_text(json.dumps(whole) + '\n{"id": "b", "at"')
    journal = AuditLog(tmp_path, keep_days=1)
    journal.write({**whole, "id": "c"})
    journal.close()
    assert [call["id"] for call in read_calls(tmp_path, CallFilter())] == ["a", "c"]


def test_a_full_disk_stops_no_answer_is_told_and_leaves_no_half_line(
    tmp_path: Path, full_disk: Callable[[bool], None], capsys: pytest.CaptureFixture[str]
) -> None:
    journal = AuditLog(tmp_path, keep_days=1)
    journal.write({"n": 1})
    full_disk(True)
    for _ in range(3):
        journal.write({"n": 2, "text": "x" * 300})
    full_disk(False)
    journal.write({"n": 3})
    journal.close()
    assert lines(tmp_path) == [{"n": 1}, {"n": 3, "lost_before": 3}]
    assert journal.lost == 3
    assert capsys.readouterr().err.count("audit_failed") == 1


@pytest.mark.anyio
async def test_what_cannot_be_written_down_is_not_answered_where_that_is_asked_for(
    shop: PublishedHome, full_disk: Callable[[bool], None]
) -> None:
    settings = shop.settings.model_copy(update={"audit": "required"})
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(http_app(settings)), base_url="http://localhost") as http,
        Client(stdio_app(settings, "alpha")) as client,
    ):
        full_disk(True)
        refused = await http.get("/semantic-layer/alpha", headers=shop.headers("alpha"))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
        assert "cannot be written down" in refused.json()["detail"]
        told = await client.call_tool("get_status", {})
        assert told.is_error
        assert "cannot be written down" in str(told.content)
        full_disk(False)
        assert (await http.get("/models", headers=shop.headers("alpha"))).status_code == 200
    written = lines(settings.audit_folder)
    assert [call["outcome"] for call in written if call["tool"] == "GET /models"] == ["began", "ok"]


def test_required_is_an_error_only_before_the_answer(tmp_path: Path, full_disk: Callable[[bool], None]) -> None:
    journal = AuditLog(tmp_path, keep_days=1, is_required=True)
    full_disk(True)
    with pytest.raises(AuditError, match="not"):
        journal.write({"text": "x" * 300})
    journal.write({"text": "x" * 300}, is_optional=True)
    assert journal.lost == 2


def test_nothing_that_looks_like_a_token_is_kept() -> None:
    sent = {"search": f"a {SECRET} b", JWT: "Authorization: Bearer abc.def", "deep": [{"x": [SECRET]}]}
    kept = json.dumps(without_personal(sent, None))
    for secret in ("s" * 43, "eyJ", "abc.def"):
        assert secret not in kept


def test_what_is_long_or_deep_is_cut() -> None:
    tree: object = "end"
    for _ in range(30):
        tree = [tree]
    kept = without_personal({"a": "x" * 10_000, "b": list(range(10_000)), "c": tree, "d": {"cursor": "opaque"}}, None)
    assert len(json.dumps(kept)) < 1000
    assert "opaque" not in json.dumps(kept)


def test_what_went_wrong_is_told_by_its_kind() -> None:
    entry = CallRecord("rest", "x")
    with pytest.raises(QueueFull), recording(entry):
        raise QueueFull("Busy.", "Wait.")
    assert (entry.outcome, entry.error) == ("busy", "QueueFull")
    entry = CallRecord("rest", "x")
    with pytest.raises(ValueError, match="secret"), recording(entry):
        raise ValueError("secret value")
    assert (entry.outcome, entry.error) == ("failed", "ValueError")
    assert "secret" not in json.dumps(entry.as_json())


@pytest.mark.anyio
async def test_every_call_of_every_interface_is_written_down_with_who_what_and_how_it_went(shop: PublishedHome) -> None:
    question = {"metrics": ["spend"], "dimensions": ["date"], "limit": 7}
    async with (
        Client(stdio_app(shop.settings, "alpha")) as client,
        httpx.AsyncClient(transport=httpx.ASGITransport(http_app(shop.settings)), base_url="http://localhost") as http,
    ):
        await client.call_tool("query", question)
        await client.call_tool("query", {"metrics": ["spnd"]})
        await client.call_tool("query", {"metrics": []})
        answer = await http.post("/semantic-layer/alpha/query", json=question, headers=shop.headers("alpha"))
        run_id = answer.json()["run_id"]
        await http.get("/semantic-layer/beta/measures?search=x", headers=shop.headers("alpha"))
        await http.get(f"/no/{SECRET}?token={SECRET}", headers=shop.headers("admin"))
        await http.get("/models", headers={"Authorization": f"Bearer {SECRET}"})
        await http.get("/health")
    found = [line for line in lines(shop.settings.audit_folder) if line["tool"] != "server/discover"]
    ours = [line for line in found if line["tool"] != "tools/list"]
    told = [(line["door"], line["tool"], line["outcome"], line.get("token")) for line in ours]
    assert told == [
        ("stdio", "query", "ok", "local"),
        ("stdio", "query", "refused", "local"),
        ("stdio", "query", "refused", "local"),
        ("rest", "POST /semantic-layer/{tenant}/query", "ok", "alpha"),
        ("rest", "GET /semantic-layer/{tenant}/measures", "refused", "alpha"),
        ("rest", "GET (unknown path)", "refused", "admin"),
        ("rest", "GET (not let in)", "refused", None),
    ]
    asked, misspelt, _, posted, foreign, *_ = ours
    for line in (asked, posted):
        assert (line["tenant"], line["rows"], line["run_id"], line["arguments"]) == ("alpha", 7, run_id, question)
        assert line["ms"] > 0
    assert posted["bytes"] == len(answer.content)
    assert posted["status"] == 200
    assert misspelt["error"] == "UnknownName"
    assert (foreign["tenant"], foreign["arguments"]) == ("alpha", {"tenant": "beta", "search": "x"})
    assert SECRET not in json.dumps(found)


@pytest.mark.anyio
async def test_values_of_personal_dimensions_are_never_written_down(shop: PublishedHome) -> None:
    def asked(name: str, value: object) -> dict[str, Any]:
        return {"metrics": ["orders"], "filters": [{"name": name, "op": "=", "value": value}]}

    folder = shop.settings.audit_folder
    async with Client(stdio_app(shop.settings, "alpha")) as client:
        await client.call_tool("query", asked("customer_email", EMAIL))
        await client.call_tool("query", asked("no_such_name", EMAIL))
        await client.call_tool("get_dimension_values", {"dimension_name": "customer_email", "search": EMAIL})
        await client.call_tool("query", asked("currency", "EUR"))
        await client.call_tool("get_dimension_values", {"dimension_name": "campaign_name", "search": "spring"})
    assert EMAIL not in json.dumps(lines(folder))
    kept = [line["arguments"] for line in lines(folder) if "arguments" in line]
    assert [line["filters"][0]["value"] for line in kept if "filters" in line] == ["(withheld)", "(withheld)", "EUR"]
    assert [line["search"] for line in kept if "search" in line] == ["(withheld)", "spring"]


def test_the_event_of_a_bug_names_the_run_that_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with recording(CallRecord("rest", "query", run_id="r1")):
        asked = report_call_bug(ValueError("secret"), call="query")
    nothing = report_call_bug(ValueError("secret"), call="start")
    events = {event["event_id"]: event.get("run_id") for event in map(json.loads, capsys.readouterr().err.splitlines())}
    assert events == {asked: "r1", nothing: None}


def test_audit_off_writes_nothing(shop: PublishedHome) -> None:
    settings = shop.settings.model_copy(update={"audit": "off"})
    with open_call_recorder(settings).call(CallRecord("rest", "x")):
        pass
    assert not settings.audit_folder.exists()


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Terminal]:
    def call(number: int, at: str, **more: object) -> dict[str, object]:
        known = {"id": f"{number}", "at": at, "door": "mcp", "tool": "query", "outcome": "ok", "tenant": "alpha"}
        return {**known, "token": "agent", "ms": 1.5, **more}

    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / "2026-03-01_1.jsonl").write_text(
        "".join(
            json.dumps(each) + "\n"
            for each in (
                call(3, "2026-03-01T10:00:00.000Z", tenant="beta"),
                call(1, "2026-03-01T08:00:00.000Z", token="\x1b[31mred\u202e"),
            )
        )
    )
    (folder / "2026-03-01_2.jsonl").write_text(
        json.dumps(call(2, "2026-03-01T09:00:00.000Z", outcome="began", tool="GET /models")) + "\nno json\n"
    )
    today = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    (folder / f"{today[:10]}_2.jsonl").write_text(json.dumps(call(4, today, tool="get_status")) + "\n")
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.set(GATA_HOME=str(tmp_path))


def ids(gata: Terminal, *arguments: str) -> list[str]:
    done = gata("audit", "--json", *arguments)
    assert done.code == 0
    return [json.loads(line)["id"] for line in done.out.splitlines()]


def test_the_files_of_all_processes_are_read_as_one_list_in_time(gata: Terminal) -> None:
    assert ids(gata) == ["1", "2", "3", "4"]
    assert ids(gata, "--tenant", "beta") == ["3"]
    assert ids(gata, "--tool", "get_status") == ["4"]
    assert ids(gata, "--tool", "/models") == ["2"]
    assert ids(gata, "--since", "2026-03-01") == ["1", "2", "3", "4"]
    assert ids(gata, "--since", "1h") == ["4"]


def test_people_see_a_table_and_no_control_characters(gata: Terminal) -> None:
    done = gata("audit")
    assert done.code == 0
    assert len(done.out.splitlines()) == 2 + 4
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert "began" in done.out


@pytest.mark.parametrize("wrong", ["yesterday", "7", "2026-13-01"])
def test_a_time_that_is_none_is_refused(gata: Terminal, wrong: str) -> None:
    done = gata("audit", "--since", wrong)
    assert (done.code, done.out) == (2, "")


def test_following_gives_each_new_call_once_and_only_when_its_line_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "2026-03-01_1.jsonl"
    first = {"id": "1", "at": "2026-03-01T08:00:00.000Z", "outcome": "ok"}
    path.write_text(json.dumps(first) + "\n")
    new = follow_calls(tmp_path, CallFilter(), after=read_calls(tmp_path, CallFilter()))

    def write() -> None:
        with path.open("a") as file:
            file.write(json.dumps({**first, "id": "2"}) + "\n" + '{"id": "3", ')
            file.flush()
        (tmp_path / "2026-03-01_2.jsonl").write_text(json.dumps({**first, "id": "4"}) + "\n")

    timer = threading.Timer(0.05, write)
    timer.start()
    assert {next(new)["id"], next(new)["id"]} == {"2", "4"}
    timer.join()
    with path.open("a") as file:
        file.write('"at": "2026-03-01T08:00:00.000Z"}\n')
    assert next(new)["id"] == "3"


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("half \ud800 a character", "half \ud800 a character"),
        (b"\xff\x00", "(2 bytes)"),
        (10**5000, "(a number of 16610 bits)"),
        (10**50, 10**50),
        (float("nan"), "nan"),
        ({1: {2.5: float("inf")}, b"k": (None, True)}, {"1": {"2.5": "inf"}, "(1 bytes)": [None, True]}),
        (object(), "(object)"),
        ({"\udfff": "x"}, {"\udfff": "x"}),
    ],
    ids=map(str, range(8)),  # pytest writes the values out otherwise
)
def test_a_line_is_written_whatever_it_holds(tmp_path: Path, value: object, written: object) -> None:
    log = AuditLog(tmp_path, keep_days=1)
    log.write({"id": "a", "arguments": value})
    log.close()
    assert lines(tmp_path) == [{"id": "a", "arguments": written}]
    assert log.lost == 0


def test_a_value_without_an_end_is_written_to_a_depth(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, keep_days=1)
    log.write({"id": "a", "arguments": CIRCLE})
    log.close()
    (line,) = lines(tmp_path)
    assert line["id"] == "a"
    assert log.lost == 0


@pytest.mark.anyio
async def test_a_refused_call_with_half_a_character_is_written_down(shop: PublishedHome) -> None:
    body = b'{"metrics": ["spend"], "dimensions": ["\\ud800"]}'
    headers = {**shop.headers("alpha"), "content-type": "application/json"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(http_app(shop.settings)), base_url="http://localhost"
    ) as http:
        answer = await http.post("/semantic-layer/alpha/query", content=body, headers=headers)
    assert answer.status_code == 422
    line = lines(shop.settings.audit_folder)[-1]
    assert (line["status"], line["arguments"]["dimensions"]) == (422, ["\ud800"])


def test_an_observer_that_fails_costs_neither_the_answer_nor_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []

    def fail(_: CallRecord) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    log = AuditLog(tmp_path, keep_days=1)
    limits = RateLimits(per_minute=0, at_once=0, streams=0)
    recorder = CallRecorder(limits, log, (fail, lambda record: seen.append(record.tool)))
    with recorder.call(CallRecord("rest", "GET /models")):
        pass
    recorder.close()
    assert seen == ["GET /models"]
    assert [line["tool"] for line in lines(tmp_path)] == ["GET /models"]
    assert "builtins.OSError" in capsys.readouterr().err
