"""A mistake in one tenant's entry, or in a file that tenants.yaml includes, refuses the tenants of it and no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from tests.pipeline.test_tenants import load

TWO = """
tenants:
  - {slug: good, business_name: Good, status: pending}
  - {slug: bad, business_name: Bad, status: pending, currency: XXQ}
"""


def test_a_mistake_in_one_entry_refuses_that_tenant_alone(tmp_path: Path) -> None:
    manifest = load(tmp_path, TWO)
    assert [tenant.slug for tenant in manifest.tenants] == ["good"]
    (bad,) = manifest.refused
    assert (bad.slug, bad.status) == ("bad", "pending")
    assert f"{tmp_path}/tenants.yaml:4: currency is 'XXQ'" in bad.error.what
    with pytest.raises(ConfigError, match="currency is 'XXQ'"):
        manifest.get("bad")


def test_two_entries_of_one_slug_are_both_refused_and_each_names_the_other(tmp_path: Path) -> None:
    own = "  - {slug: own, business_name: Own, status: pending}\n"
    manifest = load(tmp_path, TWO.replace("bad", "good") + own)
    assert [tenant.slug for tenant in manifest.tenants] == ["own"]
    assert [entry.slug for entry in manifest.refused] == ["good", "good"]
    first, second = (entry.error.what for entry in manifest.refused)
    assert "tenants.yaml:3: The slug 'good' is already taken at" in first
    assert first.endswith("tenants.yaml:4.")
    assert second.endswith("tenants.yaml:3.")


BROKEN = {
    "no YAML": "tenants:\n  - {slug: theirs, business_name: 'open\n",
    "no list": "tenants: {slug: theirs}\n",
    "another key": "tenant: []\nslug: theirs\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_an_included_file_that_is_wrong_refuses_its_tenants_and_no_other(tmp_path: Path, text: str) -> None:
    root = "include: more/*.yaml\ntenants:\n  - {slug: own, business_name: Own, status: pending}\n"
    fine = "tenants:\n  - {slug: fine, business_name: Fine, status: pending}\n"
    manifest = load(tmp_path, root, more__a=text, more__b=fine)
    assert [tenant.slug for tenant in manifest.tenants] == ["fine", "own"]
    (refused,) = manifest.refused
    assert (refused.slug, refused.location) == ("theirs", f"{tmp_path}/more/a.yaml")
    assert f"{tmp_path}/more/a.yaml" in refused.error.what
    assert len(manifest.files) == 3


@pytest.mark.parametrize("kind", ["a FIFO", "a device", "a folder"])
def test_an_included_name_that_is_no_file_is_refused_and_never_opened(tmp_path: Path, kind: str) -> None:
    (tmp_path / "more").mkdir()
    match kind:
        case "a FIFO":
            os.mkfifo(tmp_path / "more/a.yaml")
        case "a device":
            (tmp_path / "more/a.yaml").symlink_to("/dev/zero")
        case _:
            (tmp_path / "more/a.yaml").mkdir()
    root = "include: more/*.yaml\ntenants:\n  - {slug: own, business_name: Own, status: pending}\n"
    manifest = load(tmp_path, root)
    assert [tenant.slug for tenant in manifest.tenants] == ["own"]
    (refused,) = manifest.refused
    assert refused.slug is None
    assert refused.name == f"{tmp_path}/more/a.yaml"
    assert f"it is no regular file but {kind}" in refused.error.what


def test_a_root_file_that_is_wrong_refuses_everybody(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not valid YAML"):
        load(tmp_path, TWO + "  - {slug: more\n")
    with pytest.raises(ConfigError, match="no key named 'tenant'"):
        load(tmp_path, TWO + "tenant: []\n")


def test_a_default_that_is_wrong_for_every_tenant_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="currency is 'XXQ'"):
        load(tmp_path, "defaults: {currency: XXQ}\n" + TWO.replace(", currency: XXQ", ""))
