"""Files that ship with the package, and those of the working directory that are used in their place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import pipeline
from pipeline.contracts.bundled import CATALOG_FILE, LOCK_FILE, bundled_file, file_or_bundled, shadow, shadows
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
NAMES = (CATALOG_FILE, LOCK_FILE)


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package as a wheel installs it: nothing beside it, its files beside the connectors."""
    package = tmp_path / "site" / "pipeline"
    (package / "connectors").mkdir(parents=True)
    for name in NAMES:
        shutil.copy(ROOT / name, package / "connectors")
    monkeypatch.setattr(pipeline, "__path__", [str(package)])
    return package


@pytest.mark.parametrize("name", NAMES)
def test_in_a_checkout_the_file_of_its_root_is_the_bundled_one_and_shadows_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert bundled_file(name) == ROOT / name
    assert shadow(Path(name)) is None


@pytest.mark.parametrize("name", NAMES)
def test_in_a_wheel_the_file_lies_beside_the_connectors(name: str, wheel: Path) -> None:
    assert file_or_bundled(wheel / name) == bundled_file(name) == wheel / "connectors" / name


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_the_working_directory_is_used_in_place_of_the_bundled_one_and_named(
    name: str, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(shadows()) == []
    Path(name).touch()
    assert file_or_bundled(Path(name)) == Path(name)
    (found,) = shadows()
    assert found.what == f"{tmp_path / name} is used in place of the {name} that ships with gata, {bundled_file(name)}."


def test_an_installation_without_its_files_says_so(wheel: Path) -> None:
    (wheel / "connectors" / LOCK_FILE).unlink()
    with pytest.raises(ConfigError, match=r"This installation lacks contracts\.lock\.yaml"):
        bundled_file(LOCK_FILE)
