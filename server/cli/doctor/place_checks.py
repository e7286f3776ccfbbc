"""Doctor checks of the places of the state folder: who may read them, what in it is not ours, what did not end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from pipeline.privacy.holdings import REPLACED_HUB, UNFINISHED, held_files, open_to_others, writable_files
from pipeline.privacy.unfinished_erasure import unfinished_erasures
from pipeline.settings import Settings
from server.cli.doctor.line import DoctorLine

NAMED = 5


def check_places(settings: Settings) -> Iterator[DoctorLine]:
    """Every check of the places; none before there is a state folder."""
    home = settings.home
    if not home.is_dir():
        return
    yield _permissions(settings)
    yield _bronze(settings)
    yield _unknown_files(settings)
    for unfinished in unfinished_erasures(home / UNFINISHED):
        yield DoctorLine(
            "erasure",
            "fail",
            f"An erasure of a person of {unfinished.erasure.tenant}, begun {unfinished.erasure.at}, did not end.",
            f"Run the same `gata forget --tenant {unfinished.erasure.tenant} --person EMAIL` again.",
        )
    if (home / REPLACED_HUB).exists():
        what = f"{home / REPLACED_HUB} is the hub that a new one took the place of."
        yield DoctorLine("replaced hub", "warn", what, "Run `gata build`; remove the file once every number is right.")


def _permissions(settings: Settings) -> DoctorLine:
    if found := open_to_others(settings.home):
        names = " ".join(shlex.quote(str(path)) for path in found)
        what = f"Other users of this machine may read {names}, where records of persons lie."
        return DoctorLine("permissions", "warn", what, f"Run `chmod -R go= {names}`.")
    return DoctorLine("permissions", "ok", f"Only this user may read {settings.home}.")


def _bronze(settings: Settings) -> DoctorLine:
    if found := writable_files(settings.home):
        folder = shlex.quote(str(settings.home / "bronze"))
        what = f"{len(found)} files of bronze may be written, as earlier releases left them: {found[0].relative}."
        return DoctorLine("bronze", "warn", what, f"Run `find {folder} -type f -exec chmod 400 {{}} +`.")
    return DoctorLine("bronze", "ok", "No file of bronze may be written.")


def _unknown_files(settings: Settings) -> DoctorLine:
    names = [file.relative for file in held_files(settings.home) if file.place is None]
    if not names:
        return DoctorLine("places", "ok", "Every file of the state folder is gata's.")
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    what = f"Not gata's, so never backed up and never erased: {', '.join(names[:NAMED])}{more}."
    return DoctorLine("places", "warn", what, f"Move them out of {settings.home}.")
