"""A finding: what a gate measured in a tenant's data, with the table and the source that it touches.

Gates of the landing and tests of the star make findings; a run is published with them in `findings.json`, and every
answer that reads what one touches carries its sentence. A sentence is written for the tenant's own readers: it names
files, fields and counts, and quotes no value of a record and no path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

VERSION = 1
"""Version of the format of findings.json: releases that know fewer parts of a finding leave the others out."""
MOST_SAMPLES = 5

_FIELD = re.compile(r"([A-Za-z_$][\w.$-]*)(?:: | is )")


class FindingKind(StrEnum):
    """What was found."""

    WITHHELD_FILE = "withheld_file"
    """A file that does not follow its contract: nothing of it counts."""
    UNREADABLE_FILE = "unreadable_file"
    """A file in quarantine as a whole: likewise."""
    QUARANTINED_RECORDS = "quarantined_records"
    ROWS_OF_SEVERAL_DAYS = "rows_of_several_days"
    """They do not say what was on which day, and are not counted."""
    FOREIGN_REFUNDS = "foreign_refunds"
    """Refunds in another currency than their order's: in no amount."""
    FOREIGN_PURCHASES = "foreign_purchases"
    """Purchases in another currency than their session's that no rate converts: likewise."""
    UNREPORTED_CONVERSIONS = "unreported_conversions"
    """A source that reports no conversions at all."""
    UNKNOWN_MEASURE = "unknown_measure"
    """Rows that do not say a measure, which others of their source say."""
    IGNORED_BREAKDOWNS = "ignored_breakdowns"
    """Rows that repeat what others say, and are not counted."""
    REPEATED_ROWS = "repeated_rows"
    """Rows that two sources sent, and that count twice."""
    UNKNOWN_ACTION_TYPE = "unknown_action_type"
    """A conversion event that the tenant names and that no record has."""
    UNPROVEN_ORDERS = "unproven_orders"
    """Orders whose record does not prove a part of what they count as: a parent, an edit, a tax."""
    UNEXPLAINED_TOTALS = "unexplained_totals"
    """Orders that were charged something that none of their fields names."""
    UNCOUNTED_CHARGES = "uncounted_charges"
    """Charges that no order's paid amount has."""
    ROWS_WITHOUT_A_DAY = "rows_without_a_day"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_CURRENCY = "unknown_currency"
    UNUSUAL_DAY = "unusual_day"
    """A day on which a key figure is far from its usual values."""
    UNUSUAL_VALUES = "unusual_values"
    """Values that are possible and odd, such as spend below 0."""
    UNLINKED_ROWS = "unlinked_rows"
    """Rows that could not be linked to those of another table."""
    RATES = "rates"
    """Amounts without an exchange rate, or with an old one."""
    OTHER = "other"

    @classmethod
    def read(cls, value: object) -> FindingKind:
        """The kind of that name; OTHER for one that a later release wrote."""
        return next((kind for kind in cls if kind == value), cls.OTHER)


LEAVES_ROWS_OUT = frozenset({FindingKind.WITHHELD_FILE, FindingKind.UNREADABLE_FILE, FindingKind.QUARANTINED_RECORDS})
"""Kinds of findings about records that exist and are in no table."""
WITHHOLDS_FILES = frozenset({FindingKind.WITHHELD_FILE, FindingKind.UNREADABLE_FILE})
"""Those about whole files: where their source has no rows, the number of them is unknown, not 0."""
ABOUT_NUMBERS = frozenset({FindingKind.UNKNOWN_MEASURE, FindingKind.UNREPORTED_CONVERSIONS})
"""Kinds about numbers that rows do not say: the answers about these say it, a status does not."""
COUNTED_BY_ANSWERS = ABOUT_NUMBERS | {FindingKind.FOREIGN_PURCHASES}
"""Kinds that an answer counts itself, over the rows that it read."""


class Finding(BaseModel):
    """What a gate measured: the rule, the table and source it touches, values, and the next step."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Annotated[FindingKind, BeforeValidator(FindingKind.read)]
    sentence: str = Field(min_length=1)
    rule: str | None = None
    """The gate, by its id in `pipeline.gate_rules.gate_registry`."""
    table: str | None = None
    """The object, sink, fact or dimension table that was measured, without the tenant's name."""
    facts: tuple[str, ...] = ()
    """Facts of the star whose numbers it may change; none where it changes no number."""
    columns: tuple[str, ...] = ()
    """Columns of these facts that it is about; none where it is about whole rows, and so about every metric."""
    metrics: tuple[str, ...] = ()
    """Base metrics that it is about, and no others; none where `facts` and `columns` say it."""
    platform: str | None = None
    account: str | None = None
    object: str | None = None
    counts_as: tuple[str, ...] = ()
    """The platforms that its rows may count for, where they are not `platform` alone."""
    next_step: str | None = None
    records: int | None = None
    amount: Decimal | None = None
    """Money that it is about, in major units of `currency`."""
    currency: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    value: Decimal | None = None
    """What the rule measured, and the threshold that it compared it with."""
    threshold: Decimal | None = None
    samples: tuple[str, ...] = Field(default=(), max_length=MOST_SAMPLES)
    """Surrogate keys of a few of the rows that it is about; never a value of a record."""
    since: str | None = None
    """The first of the published runs, without a gap, that had it."""
    weight: float = Field(default=0.0, ge=0.0, le=1.0)
    """How much of a number it may change, as a share; 1 where that is unknown."""

    @property
    def text(self) -> str:
        """The sentence, and the next step."""
        return f"{self.sentence} {self.next_step}" if self.next_step else self.sentence

    @property
    def subject(self) -> tuple[Any, ...]:  # Any: what the fields hold
        """What it is about: two runs have the same finding where this is equal, whatever was measured."""
        about = (self.kind, self.rule, self.table, self.platform, self.account, self.object)
        day = self.first_day if self.kind is FindingKind.UNUSUAL_DAY else None
        return (*about, self.facts, self.columns, self.metrics, self.currency, day)

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        """As JSON, without what is not known."""
        return self.model_dump(mode="json", exclude_defaults=True)


def findings_json(findings: Iterable[Finding]) -> str:
    """Write findings as the text of findings.json; the same findings give the same bytes."""
    listed = [finding.to_dict() for finding in findings]
    return json.dumps({"version": VERSION, "findings": listed}, ensure_ascii=False, indent=2) + "\n"


def read_findings(text: str | bytes) -> tuple[Finding, ...]:
    """Read findings from the text of findings.json.

    Raises:
        ValueError: It is no such text.
    """
    tree = json.loads(text)
    if not isinstance(tree, dict) or not isinstance(tree.get("findings"), list):
        raise ValueError("no list of findings")  # noqa: TRY004  # what readers of damaged files catch
    return tuple(Finding.model_validate(each) for each in tree["findings"])


def with_since(findings: Iterable[Finding], before: Iterable[Finding], run_id: str) -> tuple[Finding, ...]:
    """Findings of a run, each with the first run that had it.

    Args:
        findings: Of the run `run_id`.
        before: Those that the run before it was published with.
    """
    known = {finding.subject: finding.since for finding in before}
    return tuple(each.model_copy(update={"since": known.get(each.subject) or run_id}) for each in findings)


def finding_texts(findings: Iterable[Finding]) -> list[str]:
    """The sentences of findings for a status, the heaviest first."""
    said = [finding for finding in findings if finding.kind not in ABOUT_NUMBERS]
    return [finding.text for finding in sorted(said, key=lambda each: -each.weight)]


def field_of(reason: str) -> str | None:
    """The field at the start of a reason of the quarantine, which quotes the rejected value after it."""
    match = _FIELD.match(reason)
    return match[1] if match else None
