"""The errors a caller can cause, as one tree in one file.

    GataError
    ├── ConfigError     tenants.yaml, the catalog or the environment is wrong; nothing was touched
    │   ├── Taken       the thing to create exists already
    │   └── MissingExtra  packages are not installed that only some uses of gata need
    ├── StateError      the state folder cannot be read or written now: a full disk, a lock; what it holds is safe
    ├── FileError       a file of one tenant, its own or of its state, cannot be read or written; names it
    ├── NoRoom          the disk has not what a build needs; nothing was written
    ├── Unforeseen      a bug of ours that met one tenant; carries the event id of its report
    ├── RecoveryError   a backup could not be made, verified or restored; what was there before is still there
    ├── LandError       a source could not be read or landed; says which rows are safe
    │   └── HubInUse    another process has the hub open; nothing was touched
    ├── BuildError      dbt or a gate failed; names the model, the test and how many rows failed
    │   ├── Busy        another build holds the lock; nothing was touched
    │   ├── DbtFailed   a model or test failed
    │   └── GateFailed  a gate failed in strict mode; nothing of the tenant was published
    ├── PublishError    a run could not be published, found or rolled back; readers keep what they have
    │   ├── StarInUse   another process has the star file open
    │   └── DamagedRun  a published run is no longer what was published; names the run and what differs
    │       └── OtherRelease  a published run is whole, and of a format that this release does not read
    ├── AccessError     the caller may not see this; says nothing about whether it exists
    ├── RequestRefused  the request itself is refused, not its content: its scope, its form, its headers
    │   └── CredentialRefused   its token is not accepted, or cannot be checked now
    ├── AuditError      the call could not be recorded, and this server answers recorded calls only
    └── QueryError      ask differently and it works
        ├── RunGone     the requested run is no longer kept
        ├── UnknownName
        │   └── WithheldName  the name of what is withheld: personal data, other tenants
        ├── SeveralErrors   the errors of one call, all at once
        ├── NoJoinPath
        └── TooMuch
            └── QueueFull

Only the entry points catch: the command line prints and exits 2, REST answers 4xx, MCP raises its tool error with the
same text. Anything that is not a GataError is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

NAMES_SHOWN = 20
ERRORS_SHOWN = 10


class GataError(Exception):
    """One sentence naming what is wrong, with its value; one, in the imperative, naming the step that works."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what} {fix}")
        self.what = what
        self.fix = fix

    failure: str | None = None
    """Its class (`pipeline.retries.FailureClass`) where another process found it out, which alone knew the cause."""

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle support: a tenant is built in a process of its own, and its error is raised again in this one."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[GataError], args: tuple[object, ...], state: dict[str, object]) -> GataError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class ConfigError(GataError):
    """tenants.yaml, supported_connectors.yaml or the environment is wrong; nothing was touched."""


class Taken(ConfigError):
    """The thing to create exists already, and is not the same."""


class MissingExtra(ConfigError):
    """Packages that only some uses of gata need are not installed; names them and the command that installs them."""


class StateError(GataError):
    """The state folder, ops.sqlite in it, cannot be read or written now: a full disk, a lock; what it holds is safe."""


class FileError(GataError):
    """A file of one tenant, its own or of its state, cannot be read or written; names the file and the reason."""


class NoRoom(GataError):
    """The disk has not what a build needs; nothing was written."""


class Unforeseen(GataError):
    """A bug of ours that met one tenant and is its failure alone; `event_id` finds its report in the log."""

    def __init__(self, what: str, fix: str, *, event_id: str) -> None:
        super().__init__(what, fix)
        self.event_id = event_id


class RecoveryError(GataError):
    """A backup could not be made, verified or restored; what was there before is still there."""


class LandError(GataError):
    """A source could not be read or landed; says which rows are safe."""


class HubInUse(LandError):
    """Another process has the hub open; nothing was touched."""


class BuildError(GataError):
    """dbt or a gate failed; names the model, the test and how many rows failed."""


class Busy(BuildError):
    """Another build holds the lock; nothing was touched."""


class DbtFailed(BuildError):
    """A model or test of a dbt run failed; names the first."""


class GateFailed(BuildError):
    """A gate failed in strict mode; nothing of the tenant was published. `results` are those of gates not known yet."""

    def __init__(self, what: str, fix: str, results: Sequence[Any] = ()) -> None:  # Any: pipeline.gates' GateResult
        super().__init__(what, fix)
        self.results = tuple(results)


class PublishError(GataError):
    """A run could not be published, found or rolled back; readers keep what they have."""


class StarInUse(PublishError):
    """Another process has the tenant's star file open."""


class DamagedRun(PublishError):
    """A published run is no longer what was published; `difference` names what differs, without the run's name."""

    state = "damaged"
    """What such a run is, in a sentence about it."""

    def __init__(self, what: str, fix: str, *, difference: str) -> None:
        super().__init__(what, fix)
        self.difference = difference


class OtherRelease(DamagedRun):
    """A published run is whole, and of a format that this release does not read; names the release that does."""

    state = "of another release"


class AccessError(GataError):
    """The caller may not see this; says nothing about whether it exists."""


class RequestRefused(GataError):
    """A request is refused for its own form, not for its content; `status` and `headers` are those of HTTP."""

    def __init__(self, status: int, what: str, fix: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(what, fix)
        self.status, self.headers = status, dict(headers or {})


class CredentialRefused(RequestRefused):
    """A credential is refused: 401 it is not valid, 403 it lacks a scope, 503 it cannot be checked now."""


class AuditError(GataError):
    """A call could not be recorded, and this server answers recorded calls only."""


class QueryError(GataError):
    """Ask differently and it works."""

    readable: Any = None  # Any: semantic.planning.query.Query
    """Of a query that cannot be read, the parts that can: their names are checked too."""


class RunGone(QueryError):
    """The requested run is no longer kept."""


class UnknownName(QueryError):
    """A name, or a filter value, that is not in the catalog; carries the nearest real ones."""

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, near: Sequence[str] = (), why: str | None = None
    ) -> None:
        """`near`: the nearest names, where the caller knows better than a comparison; `why` there is none."""
        names = " or ".join(map(shorten, near))
        fix = (f"Nearest is {names}." if why else f"Did you mean {names}?") if near else suggest(name, known)
        what = f"There is no {kind} named {shorten(name)!r}"
        super().__init__(f"{what}: {why}." if why else f"{what}.", fix)
        self.name = name
        self.near = tuple(near)


class WithheldName(UnknownName):
    """A name of what is withheld from everybody here: personal data, other tenants. Says so, and suggests no name."""

    def __init__(self, what: str, fix: str, name: str) -> None:
        QueryError.__init__(self, what, fix)
        self.name = name
        self.near = ()


class SeveralErrors(QueryError):
    """The errors of one call, numbered; `errors` holds each."""

    def __init__(self, errors: Sequence[QueryError]) -> None:
        self.errors = tuple(errors)
        said = self.errors[:ERRORS_SHOWN]
        more = f" And {len(errors) - len(said)} more." if len(errors) > len(said) else ""
        whats = " ".join(f"({n}) {error.what}" for n, error in enumerate(said, 1))
        fixes = " ".join(f"({n}) {error.fix}" for n, error in enumerate(said, 1))
        super().__init__(f"There are {len(errors)} errors: {whats}{more}", fixes)
        pairs = " ".join(f"({n}) {error}" for n, error in enumerate(said, 1))
        self.args = (f"There are {len(errors)} errors. {pairs}{more}",)


class NoJoinPath(QueryError):
    """A metric cannot be grouped or filtered by a dimension; names the ones that go together."""


class TooMuch(QueryError):
    """The warehouse worked for the whole deadline, or the answer would be too large; nothing is kept."""


class QueueFull(TooMuch):
    """The tenant's queue is full, or it has sent as many queries in a while as it may.

    The same query works after `retry_after_seconds`.
    """

    def __init__(self, what: str, fix: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(what, fix)
        self.retry_after_seconds = retry_after_seconds


def suggest(name: str, known: Iterable[str]) -> str:
    """The imperative half of an unknown-name error: the nearest real names, else the full (short) list."""
    names = sorted(known)
    folded = {candidate.casefold(): candidate for candidate in names}
    near = [folded[hit] for hit in get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.5)]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    if not names:
        return "There are none here."
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"Choose one of: {', '.join(names[:NAMES_SHOWN])}{more}."


def shorten(text: str, length: int = 200) -> str:
    """At most `length` characters of what a caller sent: long input is never echoed in full."""
    return text if len(text) <= length else text[: length - 1] + "…"
