"""Bundled files: files that ship with the package, and files of the working directory that replace them.

The connector catalog and the contract lock lie in the checkout's root, and in a wheel beside the connectors. A file of
the same name in the working directory wins, so that a connector of one's own needs no fork; `log_shadows` logs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pipeline
from pipeline.bug_reports import event_logger
from pipeline.errors import ConfigError

CATALOG_FILE = "supported_connectors.yaml"
LOCK_FILE = "contracts.lock.yaml"


@dataclass(frozen=True)
class Shadow:
    """A file of the working directory that is used in place of a bundled one."""

    file: Path
    bundled: Path

    @property
    def what(self) -> str:
        return f"{self.file.absolute()} is used in place of the {self.file.name} that ships with gata, {self.bundled}."

    @property
    def fix(self) -> str:
        return "Remove it, unless it is meant to be used."


def bundled_file(name: str) -> Path:
    """The file of that name that ships with the package.

    Raises:
        ConfigError: The installation lacks it.
    """
    package = Path(pipeline.__path__[0])
    candidates = (package / "connectors" / name, package.parent / name)  # in an installed wheel; in a checkout
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise ConfigError(f"This installation lacks {name}.", "Install gata again.")


def file_or_bundled(path: Path) -> Path:
    """The file at `path`, else the bundled one of its name."""
    return path if path.exists() else bundled_file(path.name)


def shadow(path: Path) -> Shadow | None:
    """The file at `path` where it is used in place of the bundled one of its name; None where it is that one."""
    if not path.exists():
        return None
    bundled = bundled_file(path.name)
    return None if path.samefile(bundled) else Shadow(path, bundled)


def shadows() -> Iterator[Shadow]:
    """Every file of the working directory that is used in place of a bundled one."""
    for name in (CATALOG_FILE, LOCK_FILE):
        if replaced := shadow(Path(name)):
            yield replaced


def log_shadows() -> None:
    """Log every file of the working directory that is used in place of a bundled one."""
    for replaced in shadows():
        event_logger().warning("bundled_file_shadowed", what=replaced.what, fix=replaced.fix)
