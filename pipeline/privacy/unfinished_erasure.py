"""The erasure of a person while it runs: the secret of its aliases and what it knew, kept until all is done.

A killed erasure may have rewritten bronze and not the hub. The next call makes the same aliases by the same secret, so
that records still join; then the secret goes, and nobody can tell whose an alias is.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipeline.config.slug import slug_of
from pipeline.errors import ConfigError
from pipeline.privacy.aliases import Aliases
from pipeline.privacy.erasure_log import Erasure
from pipeline.storage.disk import replace_text
from pipeline.storage.private_folder import make_private


@dataclass(frozen=True)
class UnfinishedErasure:
    """An erasure that began, the secret of its aliases, and the file that says so."""

    file: Path
    erasure: Erasure
    secret: bytes
    values: tuple[str, ...] = ()
    """The person's identifiers that it knew: those of the star are gone once the hub is rewritten."""

    def remember(self, aliases: Aliases) -> None:
        """Keep the identifiers until all is done."""
        replace(self, values=aliases.values).write()

    def write(self) -> None:
        fields = {**asdict(self.erasure), "secret": self.secret.hex(), "values": self.values}
        replace_text(self.file, json.dumps(fields) + "\n")

    def finish(self) -> None:
        """Drop the secret."""
        self.file.unlink(missing_ok=True)


def begin_erasure(folder: Path, erasure: Erasure, email: str) -> UnfinishedErasure:
    """The erasure of this person that a killed process began, else a new one."""
    for unfinished in unfinished_erasures(folder):
        if unfinished.erasure.tenant == erasure.tenant and unfinished.erasure.is_of(email):
            return unfinished
    make_private(folder)
    begun = UnfinishedErasure(folder / f"{secrets.token_hex(8)}.json", erasure, secrets.token_bytes(32))
    begun.write()
    return begun


def unfinished_erasures(folder: Path) -> Iterator[UnfinishedErasure]:
    """Every erasure that began and did not end; a damaged file is none: its person is erased under new aliases."""
    for file in sorted(folder.glob("*.json")):
        try:
            fields = json.loads(file.read_bytes())
            secret, values = bytes.fromhex(fields.pop("secret")), tuple(fields.pop("values"))
            erasure = Erasure(**{**fields, "tenant": slug_of(fields["tenant"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ConfigError):
            continue
        yield UnfinishedErasure(file, erasure, secret, values)
