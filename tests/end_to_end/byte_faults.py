"""Faults of a disk: one byte of one file of a home changes, or a file is cut; what readers and the next build say."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from pipeline.errors import GataError
from pipeline.privacy.holdings import held_files
from pipeline.storage.bronze.batch_checks import damaged_batches
from pipeline.storage.bronze.batches import bronze_folder
from server.orchestration.overview import plan_builds
from server.orchestration.run_history.status_snapshots import known_statuses
from server.orchestration.verbs import build
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.whole_homes import sums

SHOP = "small_shop"


class Outcome(Enum):
    """What became of a fault, from the best to the worst."""

    HARMLESS = "harmless"
    DETECTED = "detected"
    REFUSED = "refused"
    WRONG = "silently wrong"
    BUG = "a traceback"


@dataclass(frozen=True)
class ByteFault:
    """A fault: the byte at a position is changed by `mask`, or without one the file ends there."""

    place: str
    file: str
    """In the state folder."""
    at: int
    mask: int

    def spoil(self, home: Path) -> None:
        path = home / self.file
        content = bytearray(path.read_bytes())
        if self.mask:
            content[self.at] ^= self.mask
        else:
            del content[self.at :]
        path.unlink()
        path.write_bytes(content)

    def __str__(self) -> str:
        return f"{self.file}, byte {self.at} {f'xor {self.mask}' if self.mask else 'cut off'}"


def byte_faults(home: Path, count: int, seed: int) -> Iterator[ByteFault]:
    """Faults over all files: each place as often, each file of a place as often; a third of them cuts."""
    chance = random.Random(seed)
    files: dict[str, list[tuple[str, int]]] = {}
    for file in held_files(home):
        if file.status.st_size and file.place:
            files.setdefault(file.place.name, []).append((file.relative, file.status.st_size))
    for _ in range(count):
        place = chance.choice(sorted(files))
        name, size = chance.choice(files[place])
        yield ByteFault(place, name, chance.randrange(size), chance.choice((0, 1 << chance.randrange(8), 255)))


@dataclass(frozen=True)
class SoundHome:
    """A home before any fault: its numbers, and what is said about it all the same."""

    project: Project
    sums: Mapping[str, Any]
    said: frozenset[str]


def sound_home(project: Project) -> SoundHome:
    """Look at a home that was built."""
    return SoundHome(project, sums(project, SHOP), frozenset(_said(project)[1]))


def judge_fault(sound: SoundHome, folder: Path, fault: ByteFault) -> tuple[Outcome, str]:
    """Spoil a copy of a home in `folder`, ask it, build it and ask again; the copy is removed."""
    home = copy_project(sound.project, folder)
    try:
        fault.spoil(home.settings.home)
        return _judge(home, sound)
    except GataError as error:
        return Outcome.REFUSED, str(error)
    except Exception as error:  # noqa: BLE001  # what is counted
        return Outcome.BUG, f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judge(home: Project, sound: SoundHome) -> tuple[Outcome, str]:
    refusals: list[str] = []
    if (asked := _asked(home, refusals)) not in (None, sound.sums):
        return Outcome.WRONG, _changes(sound.sums, asked or {})
    status, said = _said(home)
    found = [sentence for sentence in said if sentence not in sound.said]
    if status == "failed":
        return Outcome.REFUSED, " ".join(found)
    if (asked := _asked(home, refusals)) != sound.sums:
        return Outcome.WRONG, _changes(sound.sums, asked or {})
    if refusals:
        return Outcome.REFUSED, " ".join(refusals)
    return (Outcome.DETECTED, " ".join(found)) if found else (Outcome.HARMLESS, "")


def _said(home: Project) -> tuple[str, list[str]]:
    """The status of the next build, and every sentence of status, plan, that build and the check of bronze."""
    (status,), (planned,) = known_statuses(home.settings), plan_builds(home.context)
    (report,) = build(home.context).to_dict()["tenants"]
    damaged = damaged_batches(bronze_folder(home.settings, home.context.manifest.tenants[0].slug))
    return report["status"], [*status["findings"], *planned["reasons"], *report["findings"], *damaged]


def _asked(home: Project, refusals: list[str]) -> Mapping[str, Any] | None:
    try:
        return sums(home, SHOP)
    except GataError as error:
        refusals.append(str(error))
        return None


def _changes(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    changed = {name: (value, found.get(name)) for name, value in expected.items() if found.get(name) != value}
    return f"{changed}"
