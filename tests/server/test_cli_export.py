"""`gata export` writes what is asked for where it is asked for, and nothing about persons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from tests.server.cli_run import Terminal

if TYPE_CHECKING:
    from tests.server.published_fixture import PublishedHome


@pytest.fixture
def gata(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: PublishedHome, tmp_path: Path
) -> Iterator[Terminal]:
    monkeypatch.chdir(tmp_path)
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(home.settings)


def test_the_catalog_goes_to_static_tenants_with_its_schema_beside_it(gata: Terminal, tmp_path: Path) -> None:
    done = gata("export", "--tenant", "alpha")
    assert (done.code, done.out) == (
        0,
        "Wrote static/tenants/alpha.json.\nWrote static/tenants/semantic.schema.json.\n",
    )
    said = json.loads((tmp_path / "static/tenants/alpha.json").read_text(encoding="utf-8"))
    jsonschema.validate(said, json.loads((tmp_path / "static/tenants" / said["$schema"]).read_text(encoding="utf-8")))
    assert (said["tenant"], {"spend", "roas"} <= {metric["name"] for metric in said["metrics"]}) == ("alpha", True)


@pytest.mark.parametrize(
    ("format_", "output", "written"),
    [
        ("bsl", None, "static/tenants/beta.bsl.yml"),
        ("ossie", "made/anew/", "made/anew/beta.ossie.yml"),
        ("ossie", ".", "beta.ossie.yml"),
        ("bsl", "models/beta.yml", "models/beta.yml"),
        ("json", "beta.json", "beta.json"),
    ],
)
def test_a_file_or_a_folder_can_be_named(
    gata: Terminal, tmp_path: Path, format_: str, output: str | None, written: str
) -> None:
    place = [] if output is None else ["--output", output]
    first = gata("export", "--tenant", "beta", "--format", format_, *place)
    assert first.code == 0
    text = (tmp_path / written).read_bytes()
    assert first.out.startswith(f"Wrote {written}.\n")
    assert yaml.safe_load(text)
    gata("export", "--tenant", "beta", "--format", format_, *place)
    assert (tmp_path / written).read_bytes() == text


@pytest.mark.parametrize("format_", ["bsl", "json", "ossie"])
def test_what_a_tenant_exposes_to_its_callers_is_in_no_export(gata: Terminal, format_: str) -> None:
    done = gata("export", "--tenant", "alpha", "--format", format_, "--output", "-")
    assert (done.code, "spend" in done.out, "customer_email" in done.out) == (0, True, False)
    assert "customer_email" in gata("metrics", "--tenant", "alpha").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "osi"], "There is no format 'osi'. Did you mean ossie?"),
        (["--output", "/proc/here/"], "/proc/here cannot be written"),
        (["--tenant", "alfa"], "Did you mean alpha"),
    ],
)
def test_a_wrong_format_place_or_tenant_is_named_with_what_works(
    gata: Terminal, arguments: list[str], said: str
) -> None:
    done = gata("export", *(() if "--tenant" in arguments else ("--tenant", "alpha")), *arguments)
    assert (done.code, done.out, said in done.err) == (2, "", True)
