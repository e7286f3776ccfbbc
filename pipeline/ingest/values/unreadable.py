"""A file that cannot be read as a whole."""

from __future__ import annotations


class Unreadable(Exception):  # a finding about a file, not an error of ours
    """A file cannot be read as a whole: it is quarantined by name, and never stops the others.

    Attributes:
        lasting: The content is at fault, so the same content fails again; else the access is (a permission, a disk).
        by_rules: The rules of reading refuse it (a download that is not read, a setting that is not made), so the same
            content may be read once they change.
        misplaced: It is a file of the connector that holds records of another object.
    """

    def __init__(self, reason: str, *, lasting: bool = True, by_rules: bool = False, misplaced: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting
        self.by_rules = by_rules
        self.misplaced = misplaced
