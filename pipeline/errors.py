"""Every error a caller can cause, in one place, so that the tree can be drawn.

    GataError
    ├── ConfigError     tenants.yaml, the catalog or the environment is wrong; nothing was touched
    │   ├── Taken       what is to be made is there already
    │   └── MissingExtra  packages are not installed that only some uses of gata need
    ├── StateError      ops.sqlite cannot be read or written now: a full disk, a lock; what it holds is safe
    ├── LandError       a source could not be read or landed; says which rows are safe
    ├── BuildError      dbt or a gate failed; names the model, the test and how many rows failed
    │   ├── Busy        another build holds the lock; nothing was touched
    │   ├── DbtFailed   a model or test failed; carries what every node did
    │   └── GateFailed  a check failed in strict mode; nothing of the tenant was published
    ├── PublishError    a run could not be published, found or rolled back; readers keep what they have
    │   └── DamagedRun  a published run is no longer what was published; names the run and what differs
    ├── AccessError     the caller may not see this; says nothing about whether it exists
    ├── RequestRefused  the request itself will not do, whatever it asks for: its scope, its form, its headers
    │   └── CredentialRefused   its token opens nothing, or nobody can tell now
    ├── AuditError      the call could not be written down, and this server answers only what is
    └── QueryError      ask differently and it works
        ├── RunGone     the run that was asked of is no longer kept
        ├── UnknownName
        ├── NoJoinPath
        └── TooMuch
            └── QueueFull

Only the door catches: the command line prints and exits 2, REST answers 4xx, MCP raises its tool error with the same
text. Anything that is not a GataError is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

NAMES_SHOWN = 20


class GataError(Exception):
    """One sentence naming what is wrong, with its value; one, in the imperative, naming the step that works."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what} {fix}")
        self.what = what
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        """A tenant is built in a process of its own, and what went wrong there is told here."""
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[GataError], args: tuple[object, ...], state: dict[str, object]) -> GataError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class ConfigError(GataError):
    """tenants.yaml, supported_connectors.yaml or the environment is wrong; nothing was touched."""


class Taken(ConfigError):
    """What is to be made is there already, and is not the same."""


class MissingExtra(ConfigError):
    """Packages that only some uses of gata need are not installed; names them and the command that installs them."""


class StateError(GataError):
    """ops.sqlite cannot be read or written now: a full disk, a lock; what it holds is safe."""


class LandError(GataError):
    """A source could not be read or landed; says which rows are safe."""


class BuildError(GataError):
    """dbt or a gate failed; names the model, the test and how many rows failed."""


class Busy(BuildError):
    """Another build holds the lock; nothing was touched."""


class DbtFailed(BuildError):
    """A model or test of a dbt run failed; `nodes` is what each node of the run did."""

    def __init__(self, what: str, fix: str, nodes: Sequence[Any]) -> None:  # Any: warehouse.run_dbt.Node
        super().__init__(what, fix)
        self.nodes = tuple(nodes)


class GateFailed(BuildError):
    """A check failed in strict mode; nothing of the tenant was published."""


class PublishError(GataError):
    """A run could not be published, found or rolled back; readers keep what they have."""


class DamagedRun(PublishError):
    """A published run is no longer what was published; `difference` is what differs, without the run's name."""

    def __init__(self, what: str, fix: str, *, difference: str) -> None:
        super().__init__(what, fix)
        self.difference = difference


class AccessError(GataError):
    """The caller may not see this; says nothing about whether it exists."""


class RequestRefused(GataError):
    """A request is refused for its own form, whatever it asks for; `status` and `headers` are those of HTTP."""

    def __init__(self, status: int, what: str, fix: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(what, fix)
        self.status, self.headers = status, dict(headers or {})


class CredentialRefused(RequestRefused):
    """A credential opens nothing: 401 it is not valid, 403 it lacks a scope, 503 nobody can tell now."""


class AuditError(GataError):
    """A call could not be written down, and this server answers only what is."""


class QueryError(GataError):
    """Ask differently and it works."""


class RunGone(QueryError):
    """The run that was asked of is no longer kept."""


class UnknownName(QueryError):
    """A name, or a filter value, that is not in the catalog; carries the nearest real ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, near: Sequence[str] = ()) -> None:
        """`near`: the nearest, where the caller knows better than letters tell."""
        fix = f"Did you mean {' or '.join(map(shorten, near))}?" if near else suggest(name, known)
        super().__init__(f"There is no {kind} named {shorten(name)!r}.", fix)
        self.name = name
        self.near = tuple(near)


class NoJoinPath(QueryError):
    """A metric that cannot be cut or filtered by a dimension; names the ones that go together."""


class TooMuch(QueryError):
    """The warehouse worked for the whole deadline, or the answer would be too large; nothing is kept."""


class QueueFull(TooMuch):
    """As many questions of the tenant wait for their turn, or have come in a while, as may.

    The same one works after `retry_after_seconds`.
    """

    def __init__(self, what: str, fix: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(what, fix)
        self.retry_after_seconds = retry_after_seconds


def suggest(name: str, known: Iterable[str]) -> str:
    """The imperative half of an unknown-name error: the nearest real names, else the whole (short) list."""
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
    """At most `length` characters of what a caller sent: long input is never echoed whole."""
    return text if len(text) <= length else text[: length - 1] + "…"
