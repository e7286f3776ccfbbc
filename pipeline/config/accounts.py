"""Accounts of a source, and how the records of each are read."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict

from pipeline.config.codes import currency, timezone
from pipeline.config.entry import Entry
from pipeline.contracts.connector import Connector

Kind = Literal["files", "api", "synthetic"]

_KINDS: tuple[Kind, ...] = ("files", "synthetic")
ACCOUNT_KEYS = ("read", "currency", "timezone")


class Read(BaseModel):
    """How an account's objects are read. An object without a pattern is not read; its tables exist, empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "synthetic"
    exported_at: str | None = None
    """A regular expression on the file name; its one group is the export's own time."""
    objects: dict[str, tuple[str, ...]] = {}
    """Object to absolute glob patterns."""


class Account(BaseModel):
    """One account of a platform. Its currency and time zone apply to records of the vendor that carry none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "main"
    read: Read = Read()
    currency: str | None = None
    timezone: str | None = None


def read_accounts(source: Entry, connector: Connector) -> tuple[Account, ...]:
    """The accounts of a source, by name; without `accounts:`, the one account `main` that the source describes."""
    fields = source.mapping()
    if "accounts" not in fields:
        return (_account("main", source, connector),)
    for key in ACCOUNT_KEYS:
        if key in fields:
            raise fields[key].wrong(
                f"{source.name} has accounts, and {key} beside them.", f"Move {key} under each account it is meant for."
            )
    if not fields["accounts"].mapping():
        raise fields["accounts"].wrong("accounts names no account.", "Name one, or remove the line.")
    accounts = []
    for name, entry in sorted(fields["accounts"].mapping().items()):
        entry.check_name(name)
        entry.fields(ACCOUNT_KEYS)
        accounts.append(_account(name, entry, connector))
    _refuse_shared_files(fields["accounts"], accounts)
    return tuple(accounts)


def _account(name: str, entry: Entry, connector: Connector) -> Account:
    fields = entry.mapping()
    return Account(
        name=name,
        read=_read(fields["read"], connector) if "read" in fields else Read(),
        currency=currency(fields["currency"]) if "currency" in fields else None,
        timezone=timezone(fields["timezone"]) if "timezone" in fields else None,
    )


def _read(entry: Entry, connector: Connector) -> Read:
    fields = entry.fields(("kind", "exported_at", "objects"))
    kind = cast("Kind", _kind(fields["kind"]) if "kind" in fields else "synthetic")
    for key in ("objects", "exported_at"):
        if kind == "synthetic" and key in fields:
            raise fields[key].wrong(f"{key} names files, but kind is synthetic.", "Write kind: files, or remove it.")
    objects = {}
    for name, paths in fields["objects"].fields(connector.objects).items() if "objects" in fields else ():
        objects[name] = tuple(_pattern(path) for path in paths.one_or_many())
    if kind == "files" and not objects:
        example = f"objects: {{{connector.objects[0]}: exports/*.jsonl}}"
        raise entry.wrong("read has kind files and no objects.", f"Say which files to read, such as {example}.")
    exported_at = _exported_at(fields["exported_at"]) if "exported_at" in fields else None
    return Read(kind=kind, exported_at=exported_at, objects=dict(sorted(objects.items())))


def _kind(entry: Entry) -> str:
    if entry.value == "api":
        raise entry.wrong("Reading from an api is not built yet.", "Write kind: files or kind: synthetic.")
    return entry.choice(_KINDS, "kind of reading")


def _pattern(entry: Entry) -> str:
    """An absolute glob pattern; a relative one starts from the folder of the file that declares it."""
    pattern = entry.text(length=1000)
    if "://" in pattern:
        raise entry.wrong(f"{entry.name} is {entry.excerpt}, an address.", "Name files on this machine.")
    folder = glob.escape(str(entry.file.parent.absolute()))
    return os.path.normpath(Path(folder, pattern))


def _exported_at(entry: Entry) -> str:
    """A regular expression with one group."""
    expression = entry.text()
    try:
        groups = re.compile(expression).groups
    except re.error as error:
        raise entry.wrong(
            f"exported_at is {entry.excerpt}, no regular expression: {error}.", "Write one such as '_(\\d{8})'."
        ) from error
    if groups != 1:
        raise entry.wrong(
            f"exported_at has {groups} groups, not 1.", "Put the time, and only the time, in parentheses: '_(\\d{8})'."
        )
    return expression


def _refuse_shared_files(entry: Entry, accounts: list[Account]) -> None:
    """Refuse the same files under two accounts: every record would count twice."""
    seen: dict[tuple[str, str], str] = {}
    for account in accounts:
        for name, patterns in account.read.objects.items():
            for pattern in patterns:
                other = seen.setdefault((name, pattern), account.name)
                if other != account.name:
                    raise entry.mapping()[account.name].wrong(
                        f"The accounts {other} and {account.name} read the same {name}: {pattern}.",
                        "Give each account files of its own.",
                    )
