"""The log of erasures: who was forgotten, as a salted hash, so that a restore of an earlier backup forgets them again.

It lies in the state folder beside ops.sqlite, which holds the same in its table `erasures`, and in each folder of
backups: a backup adds to that one and never takes from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.config.slug import Slug, slug_of
from pipeline.errors import ConfigError, StateError
from pipeline.storage.disk import sync


@dataclass(frozen=True)
class Erasure:
    """One erasure: of a whole tenant, or of one person of it."""

    tenant: Slug
    at: str
    """UTC, as ISO 8601 to the second."""
    salt: str | None = None
    person: str | None = None
    """The SHA-256 of the salt and the person's email in lower case; None for a whole tenant."""

    def is_of(self, email: str) -> bool:
        """Whether the person of this email, in lower case, was erased."""
        return self.person is not None and self.person == _digest(self.salt, email)


def new_erasure(tenant: Slug, at: str, email: str | None) -> Erasure:
    """The record of an erasure: it proves the erasure of a given person without naming one."""
    if email is None:
        return Erasure(tenant, at)
    salt = secrets.token_hex(8)
    return Erasure(tenant, at, salt, _digest(salt, email))


def read_erasures(path: Path) -> tuple[Erasure, ...]:
    """The erasures of a log, oldest first; none where there is no file.

    Raises:
        ConfigError: A line is damaged: what it says must not be left out.
        StateError: The file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except UnicodeDecodeError as error:
        raise _damaged(path, 1) from error
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}.", "Make it readable for this user.") from error
    erasures = []
    for number, line in enumerate(lines, 1):
        try:
            fields = json.loads(line)
            erasures.append(Erasure(**{**fields, "tenant": slug_of(fields["tenant"])}))
        except (ValueError, TypeError, KeyError, ConfigError) as error:
            raise _damaged(path, number) from error
    return tuple(erasures)


def add_erasures(path: Path, erasures: Iterable[Erasure]) -> None:
    """Add to the log what it does not hold, durably."""
    known = set(read_erasures(path))
    missing = [erasure for erasure in dict.fromkeys(erasures) if erasure not in known]
    if not missing:
        return
    text = "".join(json.dumps(asdict(erasure), separators=(",", ":")) + "\n" for erasure in missing)
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync(path.parent)


def _digest(salt: str | None, email: str) -> str:
    return hashlib.sha256(f"{salt}{email}".encode()).hexdigest()


def _damaged(path: Path, number: int) -> ConfigError:
    return ConfigError(
        f"Line {number} of {path} is no record of an erasure.",
        "Put the line back from another backup's erasures.jsonl; the table erasures of ops.sqlite has it too.",
    )
