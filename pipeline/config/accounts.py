"""Accounts of a source, and how the records of each are read."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path
from typing import Literal, cast, get_args

from pydantic import BaseModel, ConfigDict

from pipeline.config.codes import currency, timezone
from pipeline.config.entry import Entry
from pipeline.contracts.connector import Connector
from pipeline.contracts.downloads import DateOrder, Encoding, Locale, NumberStyle

Kind = Literal["files", "api", "synthetic", "bronze"]

_KINDS: tuple[Kind, ...] = ("files", "synthetic", "bronze")
_LOCALE: dict[str, tuple[tuple[str, ...], str]] = {
    "dates": (get_args(DateOrder), "order of a date"),
    "numbers": (get_args(NumberStyle), "style of a number"),
    "encoding": (get_args(Encoding), "encoding"),
}
ACCOUNT_KEYS = ("read", "currency", "timezone")


class Read(BaseModel):
    """How an account's objects are read. An object without a pattern is not read; its tables exist, empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "synthetic"
    exported_at: str | None = None
    """A regular expression on the file name; its one group is the export's own time."""
    delivery: str | None = None
    """A regular expression on the file name; files with the same text in its one group are one delivery."""
    covers: str | None = None
    """A regular expression on the file name; its one or two groups are the first and the last day that it covers."""
    folder: str | None = None
    """The absolute path of a folder. Of kind files, each file in it is read as the object that its content is of; of
    kind bronze, it is a bronze."""
    objects: dict[str, tuple[str, ...]] = {}
    """Object to absolute glob patterns. A file that one of them names is read as that object, also in the folder."""
    dates: DateOrder | None = None
    numbers: NumberStyle | None = None
    encoding: Encoding | None = None

    @property
    def locale(self) -> Locale:
        """How its files are written, as far as it says."""
        return Locale(self.dates, self.numbers, self.encoding)


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
    fields = entry.fields(("kind", *_OF_FILES_OR_BRONZE))
    kind = cast("Kind", _kind(fields["kind"]) if "kind" in fields else "synthetic")
    _refuse_keys_of_other_kinds(kind, fields)
    objects = {}
    for name, paths in fields["objects"].fields(connector.objects).items() if "objects" in fields else ():
        objects[name] = tuple(_pattern(path) for path in paths.one_or_many())
    folder = _path(fields["folder"]) if "folder" in fields else None
    if kind == "files" and not objects and folder is None:
        example = f"objects: {{{connector.objects[0]}: exports/*.jsonl}}, or folder: exports/"
        raise entry.wrong("read has kind files and no objects.", f"Say which files to read, such as {example}.")
    if kind == "bronze" and "folder" not in fields:
        raise entry.wrong("read has kind bronze and no folder.", "Say where the bronze is, such as folder: ../bronze.")
    return Read(
        kind=kind,
        exported_at=_expression(fields["exported_at"], "time", "_(\\d{8})") if "exported_at" in fields else None,
        delivery=_expression(fields["delivery"], "delivery's name", "_(\\d{8})_") if "delivery" in fields else None,
        covers=_covers(fields["covers"]) if "covers" in fields else None,
        folder=folder,
        objects=dict(sorted(objects.items())),
        **{key: fields[key].choice(known, what) for key, (known, what) in _LOCALE.items() if key in fields},
    )


_OF_FILES = ("objects", "exported_at", "delivery", "covers", *_LOCALE)
_OF_FILES_OR_BRONZE = (*_OF_FILES, "folder")


def _refuse_keys_of_other_kinds(kind: Kind, fields: dict[str, Entry]) -> None:
    for key in _OF_FILES_OR_BRONZE:
        if kind == "synthetic" and key in fields:
            raise fields[key].wrong(f"{key} names files, but kind is synthetic.", "Write kind: files, or remove it.")
        if kind == "bronze" and key in _OF_FILES and key in fields:
            raise fields[key].wrong(
                f"{key} names files, but kind is bronze: its manifests say everything.", "Remove the line."
            )


def _kind(entry: Entry) -> str:
    if entry.value == "api":
        raise entry.wrong("Reading from an api is not built yet.", "Write kind: files or kind: synthetic.")
    return entry.choice(_KINDS, "kind of reading")


def _pattern(entry: Entry) -> str:
    """An absolute glob pattern; a relative one starts from the folder of the file that declares it."""
    return _absolute(entry, glob.escape(str(entry.file.parent.absolute())))


def _path(entry: Entry) -> str:
    """An absolute path; a relative one starts from the folder of the file that declares it."""
    return _absolute(entry, str(entry.file.parent.absolute()))


def _absolute(entry: Entry, folder: str) -> str:
    text = entry.text(length=1000)
    if "://" in text:
        raise entry.wrong(f"{entry.name} is {entry.excerpt}, an address.", "Name files on this machine.")
    return os.path.normpath(Path(folder, text))


def _expression(entry: Entry, finds: str, example: str) -> str:
    """A regular expression with one group."""
    expression, groups = _compiled(entry, example)
    if groups != 1:
        raise entry.wrong(
            f"{entry.name} has {groups} groups, not 1.",
            f"Put the {finds}, and only the {finds}, in parentheses: '{example}'.",
        )
    return expression


def _covers(entry: Entry) -> str:
    """A regular expression with one group (a day, or first and last day) or two."""
    example = r"_(\d{8})_(\d{8})"
    expression, groups = _compiled(entry, example)
    if groups not in (1, 2):
        raise entry.wrong(
            f"covers has {groups} groups, not 1 or 2.",
            f"Put the first day in parentheses, and the last day too: '{example}'.",
        )
    return expression


def _compiled(entry: Entry, example: str) -> tuple[str, int]:
    """A regular expression and the number of its groups."""
    expression = entry.text()
    try:
        return expression, re.compile(expression).groups
    except re.error as error:
        raise entry.wrong(
            f"{entry.name} is {entry.excerpt}, no regular expression: {error}.", f"Write one such as '{example}'."
        ) from error


def _refuse_shared_files(entry: Entry, accounts: list[Account]) -> None:
    """Refuse the same files under two accounts: every record would count twice."""
    _refuse_shared_folders(entry, accounts)
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


def _refuse_shared_folders(entry: Entry, accounts: list[Account]) -> None:
    """Refuse a folder under two accounts, or one in the other's: the records do not say whose they are."""
    folders = [
        (account.name, Path(account.read.folder))
        for account in accounts
        if account.read.folder and account.read.kind == "files"
    ]
    for number, (name, folder) in enumerate(folders):
        for other, earlier in folders[:number]:
            if folder.is_relative_to(earlier) or earlier.is_relative_to(folder):
                raise entry.mapping()[name].wrong(
                    f"The accounts {other} and {name} read the same folder: {max(folder, earlier)}.",
                    "Give each account a folder of its own.",
                )
