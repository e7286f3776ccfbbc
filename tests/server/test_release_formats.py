"""Runs of other releases: refused with the release that reads them, and none keeps another from being used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from pipeline.config.slug import slug_of
from pipeline.publish.pointer import latest_run_id
from pipeline.publish.run_files import DEFINITIONS, MANIFEST
from pipeline.publish.run_manifest import read_manifest
from semantic.catalog.run_definitions import read_definitions
from server.orchestration.build_context import open_build_context
from server.orchestration.hub_records import new_definitions
from tests.pipeline.test_run_files import rewrite
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome
from warehouse.build.hub_metadata import HubRecords

NOTHING_RECORDED = HubRecords(frozenset(), frozenset(), "", frozenset())
OURS = f"and this one, gata {version('gata')}, does not"


@pytest.fixture
def gata(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fresh_home: PublishedHome
) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(fresh_home.settings)


def with_definitions(run: Path, old: str, new: str) -> None:
    """Publish a run again with other definitions, as another release would have: whole, and said by its manifest."""
    text = (run / DEFINITIONS).read_text(encoding="utf-8")
    assert old in text
    changed = text.replace(old, new).encode()
    manifest = read_manifest(run).model_copy(update={"definitions": hashlib.sha256(changed).hexdigest()})
    rewrite(run / DEFINITIONS, changed)
    rewrite(run / MANIFEST, manifest.text().encode())


def ask(gata: Terminal) -> dict[str, object]:
    done = gata("ask", "--tenant", "alpha", "--metrics", "spend", "--json")
    assert done.code == 0, done.err
    answer: dict[str, object] = json.loads(done.out)
    return answer


def test_the_run_before_one_of_a_later_release_answers_and_says_so(gata: Terminal, fresh_home: PublishedHome) -> None:
    folder = fresh_home.settings.published("alpha")
    first, second = latest_run_id(folder), fresh_home.publish("alpha", spend=20)
    with_definitions(folder / second, "\nversion: 2\n", "\nversion: 3\n")
    answer = ask(gata)
    assert answer["run_id"] == first
    assert answer["notes"][0] == (  # type: ignore[index]
        f"Run {second} is of another release: semantic.yml is of version 3, which a later release of gata reads {OURS}."
        f" An earlier run answers instead: {first}."
    )


def test_a_run_with_definitions_of_version_1_answers_as_before(gata: Terminal, fresh_home: PublishedHome) -> None:
    folder = fresh_home.settings.published("alpha")
    run = folder / str(latest_run_id(folder))
    before, written = ask(gata), read_definitions((run / DEFINITIONS).read_bytes())
    tree = yaml.safe_load((run / DEFINITIONS).read_text(encoding="utf-8"))
    tree["version"] = 1
    for metric in tree["metrics"].values():
        del metric["adds_up"]
        if metric.get("expression"):
            del metric["kind"]
    for name, dimension in tree["dimensions"].items():
        del dimension["role"]
        if dimension["type"] == "text" and dimension.get("values") is None:
            tree["dimensions"][name]["values"] = []  # too many to list
    text = yaml.safe_dump(tree).encode()
    rewrite(run / DEFINITIONS, text)
    manifest = read_manifest(run).model_copy(update={"definitions": hashlib.sha256(text).hexdigest()})
    rewrite(run / MANIFEST, manifest.text().encode())
    assert ask(gata) == before
    migrated = read_definitions(text)
    assert migrated.metrics == written.metrics
    roles = {name: entry.role for name, entry in written.dimensions.items() if entry.role != "ordinal"}
    assert {name: migrated.dimensions[name].role for name in roles} == roles
    second = fresh_home.publish("alpha", spend=20)
    assert gata("rollback", "--tenant", "alpha", "--to", run.name).out == f"{run.name}\n"
    assert ask(gata) == before
    assert second != run.name


@pytest.mark.parametrize(("found", "release"), [("0", "an earlier"), ("3", "a later")])
def test_a_rollback_to_a_run_of_another_release_is_refused_and_readers_keep_theirs(
    gata: Terminal, fresh_home: PublishedHome, found: str, release: str
) -> None:
    folder = fresh_home.settings.published("alpha")
    first, second = str(latest_run_id(folder)), fresh_home.publish("alpha", spend=20)
    third = fresh_home.publish("alpha", spend=30)
    with_definitions(folder / second, "\nversion: 2\n", f"\nversion: {found}\n")
    refused = gata("rollback", "--tenant", "alpha", "--to", second)
    assert (refused.code, refused.out) == (2, "")
    assert f"semantic.yml is of version {found}, which {release} release of gata reads {OURS}." in refused.err
    assert ask(gata)["run_id"] == third
    assert gata("rollback", "--tenant", "alpha").out == f"{first}\n"  # the one before it
    assert ask(gata)["run_id"] == first


def test_a_rollback_to_a_run_whose_metrics_do_not_compile_is_refused(gata: Terminal, fresh_home: PublishedHome) -> None:
    folder = fresh_home.settings.published("alpha")
    first, second = str(latest_run_id(folder)), fresh_home.publish("alpha", spend=20)
    with_definitions(folder / first, "_.spend", "_.spend_of_yore")
    refused = gata("rollback", "--tenant", "alpha", "--to", first)
    assert refused.code == 2
    assert f"Run {first} of alpha cannot be answered from: " in refused.err
    assert ask(gata)["run_id"] == second


def test_a_run_that_cannot_be_read_keeps_no_other_from_being_recorded(fresh_home: PublishedHome) -> None:
    folder = fresh_home.settings.published("alpha")
    first, second = latest_run_id(folder), fresh_home.publish("alpha", spend=20)
    third, fourth = fresh_home.publish("alpha", spend=30), fresh_home.publish("alpha", spend=40)
    with_definitions(folder / second, "\nversion: 2\n", "\nversion: 0\n")
    rewrite(folder / third / MANIFEST, b"")
    rows = new_definitions(open_build_context(fresh_home.settings), slug_of("alpha"), NOTHING_RECORDED)
    assert [row["run_id"] for row in rows] == [first, fourth]
