"""The format of a state folder: `format.json` says which release last wrote it, and in which format.

Only builds look at it, under the build lock: the hub, tenants' stars and dlt's state have no version of their own. What
serves has one each: published runs (pipeline/publish/run_manifest.py), ops.sqlite (pipeline/storage/ops_migrations.py).
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.storage.disk import replace_text

FORMAT_FILE = "format.json"
FORMAT = 1
"""The format that this release writes. A folder without the file is of a release before the first one, which this one
reads: a build brings its tables up to date."""


def claim_home(home: Path) -> None:
    """Write the format of this release into a state folder; the caller holds the build lock.

    Raises:
        ConfigError: A later release wrote the folder, or it cannot be written.
    """
    file, ours = home / FORMAT_FILE, {"version": FORMAT, "release": version("gata")}
    try:
        found = _found(file)
        number = found.get("version")
        if isinstance(number, int) and number > FORMAT:
            raise ConfigError(
                f"{home} is of format {number}, which gata {found.get('release', '(a later release)')} wrote;"
                f" this one, gata {ours['release']}, knows formats up to {FORMAT}.",
                "Upgrade gata to the release that wrote it, or set GATA_HOME to another folder.",
            )
        if found != ours:
            replace_text(file, json.dumps(ours) + "\n")
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read or written: {error.strerror or error}.",
            "Make it writable, or set GATA_HOME to a folder that is.",
        ) from error


def _found(file: Path) -> dict[str, object]:
    """What the file says; nothing where it is missing or damaged: it is written again."""
    try:
        found = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
