"""Collects the errors of several checks, so that a caller reads all of them at once."""

from __future__ import annotations

from types import TracebackType

from pipeline.errors import QueryError, SeveralErrors, TooMuch


class ErrorCollector:
    """Keeps the error of each `with` block; `check` raises them.

    What stops a call (a deadline, a full queue) is no mistake of its caller, and passes.
    """

    def __init__(self) -> None:
        self.errors: list[QueryError] = []

    def __enter__(self) -> None:
        """Begin one check."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if isinstance(error, QueryError) and not isinstance(error, TooMuch):
            self.errors.append(error)
            return True
        return False

    def check(self) -> None:
        """Raise what was collected.

        Raises:
            QueryError: The one error, or SeveralErrors.
        """
        if self.errors:
            raise self.joined()

    def joined(self) -> QueryError:
        """The errors that were collected, of which there is at least one, as one."""
        several = [part for error in self.errors for part in getattr(error, "errors", (error,))]
        distinct = list({str(error): error for error in several}.values())
        return distinct[0] if len(distinct) == 1 else SeveralErrors(distinct)
