"""A build that the disk has no room for is refused before it starts, tenant by tenant, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import NoRoom
from server.orchestration.build_command import BuildCommand, open_command, unobserved
from server.orchestration.isolation.room import MEGABYTE, OF_A_BUILD, bytes_needed, free_bytes
from server.orchestration.isolation.room_check import check_room
from server.orchestration.verbs import build
from tests.end_to_end.hostile_tenants import ENTRY
from tests.end_to_end.project_fixture import Project, open_project

BIG = 10 * MEGABYTE


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two tenants: one with an export of ten megabytes, and one with a small one."""
    for slug, size in (("big", BIG), ("small", 100)):
        (tmp_path / slug).mkdir()
        (tmp_path / slug / "orders.jsonl").write_bytes(b" " * size)
    return open_project(tmp_path, f"tenants:\n{ENTRY.format(slug='big')}{ENTRY.format(slug='small')}", bare=True)


@contextmanager
def checked(project: Project, free: int) -> Iterator[BuildCommand]:
    context = replace(project.context, free_bytes=lambda _: free)
    with open_command(context, context.select(None), 0.0, unobserved) as command:
        check_room(command)
        yield command


def test_a_tenant_without_room_is_refused_and_the_others_are_built(project: Project) -> None:
    with checked(project, 4 * OF_A_BUILD) as command:
        assert [tenant.slug for tenant in command.open] == ["small"]
        big = command.reports["big"].error
    assert isinstance(big, NoRoom)
    assert "The build of big needs about 76 MB" in big.what
    assert "nothing was begun" in big.what
    assert command.report().exit_code == 2
    with checked(project, 40 * OF_A_BUILD) as command:
        assert len(command.open) == 2


def test_a_build_without_room_for_anybody_is_refused_as_a_whole_and_nothing_is_left(project: Project) -> None:
    context = replace(project.context, free_bytes=lambda _: MEGABYTE)
    with pytest.raises(NoRoom, match=r"The build needs about 32 MB .* and 1 MB are free"):
        build(context)
    left = {path.name for path in project.settings.home.rglob("*") if not path.name.startswith("ops.sqlite")}
    assert left <= {"build.lock", "format.json"}


def test_packed_exports_count_for_what_they_unpack_to(project: Project) -> None:
    folder = project.settings.tenants.parent
    (folder / "small" / "orders.jsonl.gz").write_bytes(b" " * MEGABYTE)
    big, small = project.context.manifest.active
    needed = {each.slug: bytes_needed(each, project.settings, is_changed=True) for each in (big, small)}
    assert needed[small.slug] > needed[big.slug] > 6 * BIG


def test_a_tenant_with_nothing_new_needs_nothing(project: Project) -> None:
    for slug in ("big", "small"):
        (project.settings.tenants.parent / slug / "orders.jsonl").unlink()
    big, _ = project.context.manifest.active
    assert bytes_needed(big, project.settings, is_changed=False) == 0
    assert bytes_needed(big, project.settings, is_changed=True) == OF_A_BUILD


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_above_it(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "there") == pytest.approx(free_bytes(tmp_path), rel=0.1)
