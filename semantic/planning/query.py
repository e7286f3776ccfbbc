"""Query and answer: the request that a caller sends, and the result. Neither names a tenant; a query has no SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.errors import QueryError
from semantic.catalog.days import read_day
from semantic.catalog.sent_values import absent, unpacked, without_absent, without_transport_keys
from semantic.planning.query_repair import KNOWN_KEYS, QueryErrors
from semantic.planning.window import Grain

MAX_LIMIT = 10_000
ROW_BEFORE = "row_before"
"""The comparison of each row with the one of the period right before it."""
ABOUT_THE_ANSWER = frozenset({"limit", "cursor", "include_sql", "compile_only"})
"""Keys of a query that choose the page and form of its answer; all others define the question."""
LIST_OPERATORS = ("in", "not_in", "between")
_DIRECTED = re.compile(r"\s*(\S+)\s+(asc|desc)\s*", re.IGNORECASE)
Operator = Literal[
    "=", "!=", ">", ">=", "<", "<=", "in", "not_in", "contains", "starts_with", "is_null", "is_not_null", "between"
]


def _listed(value: Any) -> Any:  # Any: as above
    """Make one value a list of one."""
    value = unpacked(value)
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _named(value: Any) -> Any:  # Any: as above
    """Split text into names, as in `spend, clicks` or `['spend', 'clicks']`."""
    value = unpacked(value)
    if not isinstance(value, str):
        return _listed(value)
    parts = (part.strip().strip("'\"") for part in value.strip().removeprefix("[").removesuffix("]").split(","))
    return tuple(part for part in parts if part)


def _ordered(value: Any) -> Any:  # Any: as above
    """Read columns to order by; `spend desc` becomes `-spend`."""
    value = _named(value)
    return tuple(_DIRECTED.sub(_signed, name) if isinstance(name, str) else name for name in value)


def _signed(match: re.Match[str]) -> str:
    return ("-" if match[2].casefold() == "desc" else "") + match[1]


def _counted(value: Any) -> Any:  # Any: as above
    """Refuse true and false as numbers."""
    if isinstance(value, bool):
        raise ValueError("input should be a number")  # noqa: TRY004  # pydantic reports this one
    return value


def _day(value: Any) -> Any:  # Any: as above
    if value is None or type(value) is date:
        return value
    try:
        return read_day(value, "time_range")
    except QueryError as error:
        raise PydanticCustomError("day", "not a day", {"error": error}) from error


Text = Annotated[str, Field(max_length=200)]
Names = Annotated[tuple[Text, ...], BeforeValidator(_named)]
Day = Annotated[date | None, BeforeValidator(_day)]
Scalar = bool | int | float | Annotated[str, Field(max_length=2000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Filter(_Part):
    """What an answer is limited to: rows, or groups where `name` is a metric."""

    name: Text = Field(description="A dimension or a metric.")
    op: Operator = Field(default="=", description="contains and starts_with are for text and fold case.")
    value: Scalar | Annotated[tuple[Scalar, ...], Field(max_length=1000)] | None = Field(
        default=None, description="One value; a list for in, not_in and between (both ends count); none for is_null."
    )
    _text: str | None = PrivateAttr(default=None)

    @field_validator("value", mode="before")
    @classmethod
    def _read_value(cls, value: Any, info: ValidationInfo) -> Any:  # Any: whatever a caller sent
        if info.data.get("op") in LIST_OPERATORS:  # elsewhere a text is one value, also `[2026]`
            value = unpacked(value)
        return value.isoformat() if isinstance(value, date) else value

    @model_validator(mode="wrap")
    @classmethod
    def _keep_text(cls, sent: Any, read: ModelWrapValidatorHandler[Filter]) -> Filter:  # Any: as above
        filter_ = read(sent)
        if isinstance(sent, Mapping) and isinstance(sent.get("value"), str) and isinstance(filter_.value, tuple):
            filter_._text = sent["value"]
        return filter_

    @field_serializer("value")
    def _as_sent(self, value: Any) -> Any:  # Any: as above
        return value if self._text is None else self._text

    @property
    def text(self) -> str | None:
        """The text that the list was read from; None where a list was sent."""
        return self._text


class TimeRange(_Part):
    """Days, both ends counted; an end that is left out is open."""

    start: Day = None
    end: Day = None


class Cumulative(_Part):
    """A metric added up along `date`, in a column `<metric>_cumulative`."""

    metric: Text
    kind: Literal["running", "month_to_date", "year_to_date", "rolling"] = "running"
    days: Annotated[int, Field(ge=1, le=3660), BeforeValidator(_counted)] | None = Field(
        default=None, description="For rolling: how many days, the row's included."
    )


class Top(_Part):
    """The n groups with the highest `by`; with `other`, one more group of all the rest."""

    by: Text
    n: Annotated[int, Field(ge=1, le=1000), BeforeValidator(_counted)] = 10
    other: bool = False


class Query(_Part):
    """A question: names from the catalog, and nothing that is SQL."""

    metrics: Annotated[Names, Field(min_length=1, max_length=50, description="What to measure.")]
    dimensions: Annotated[Names, Field(max_length=12, description="What to group by.")] = ()
    time_grain: Grain | None = Field(default=None, description="The period of the dimension date; day if left out.")
    time_range: Annotated[TimeRange | Text | None, BeforeValidator(unpacked)] = Field(
        default=None, description="Days, or a name: last_30_days (ends yesterday), this_month, last_quarter, ..."
    )
    filters: Annotated[tuple[Filter, ...], BeforeValidator(_listed), Field(max_length=50)] = ()
    compare: Literal["previous_period", "previous_year", "row_before"] | None = None
    align: Literal["to_date", "whole"] = "to_date"
    """Whether a comparison is cut to the days that are over and covered on both sides."""
    cumulative: Annotated[Cumulative | None, BeforeValidator(unpacked)] = None
    share_of_total: Annotated[Names, Field(max_length=50)] = ()
    totals: bool = Field(default=False, description="One more row, of everything; its is_total is true.")
    fill_gaps: bool = Field(default=False, description="A row for every period of time_range, per group.")
    top: Annotated[Top | None, BeforeValidator(unpacked)] = None
    order_by: Annotated[
        tuple[Text, ...],
        BeforeValidator(_ordered),
        Field(max_length=20, description="Columns; - before a name puts the highest first."),
    ] = ()
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT), BeforeValidator(_counted)] = 100
    cursor: Annotated[str, Field(max_length=1000)] | None = Field(
        default=None, description="The cursor of the answer before, for its next rows; all else unchanged."
    )
    include_sql: bool = Field(default=False, description="Give the SQL that ran.")
    compile_only: bool = Field(default=False, description="Give the SQL and do not run it.")


def read_query(sent: Mapping[str, Any]) -> Query:  # Any: whatever a caller sent
    """Read the query that a caller sent, without keys that hold nothing or come from its transport.

    Totals without groups are the answer itself, and are left out.

    Raises:
        QueryError: Keys or values are wrong; names all of them, and the right keys and forms.
    """
    errors = QueryErrors()
    arguments = without_transport_keys(sent, KNOWN_KEYS)
    present = _present({key: value for key, value in arguments.items() if errors.is_key(key, Query.model_fields)})
    query = None
    try:
        query = Query.model_validate(present)
    except ValidationError as error:
        errors.add(error)
        wrong = {each["loc"][0] for each in error.errors(include_url=False)}
        if "metrics" not in wrong:
            query = Query.model_validate({key: value for key, value in present.items() if key not in wrong})
    errors.readable = query
    errors.check()
    assert query is not None  # noqa: S101  # else there is an error
    return query if query.dimensions or not query.totals else query.model_copy(update={"totals": False})


def _present(sent: Mapping[str, Any]) -> dict[str, Any]:  # Any: as above
    """The keys that hold something. In a filter an empty text is a value like others."""
    present = without_absent(sent, kept=("metrics", "filters"))
    if "metrics" in sent and sent["metrics"] is None:
        del present["metrics"]
    if "filters" in sent:
        present["filters"] = [_present_filter(each) for each in _listed(sent["filters"]) if not absent(each)]
    return present


def _present_filter(sent: Any) -> Any:  # Any: as above
    if not isinstance(sent, Mapping):
        return sent
    is_unary = sent.get("op") in ("is_null", "is_not_null")
    has_value = "value" in sent and not (is_unary and absent(sent["value"])) and sent["value"] is not None
    rest = without_absent({key: value for key, value in sent.items() if key != "value"}, kept=("name",), texts=("op",))
    return {**rest, **({"value": sent["value"]} if has_value else {})}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Rows with all that is needed to read them: units, the filters and days applied, as of when, from which run."""

    columns: tuple[dict[str, str | None], ...]
    """name, role (dimension, metric or flag), type and unit of each column."""
    rows: tuple[list[Any], ...]  # Any: text, bool, int, float, Decimal or None; days are ISO text
    row_count: int
    truncated: bool
    limit: int
    cursor: str | None
    """Send it with the same query for the next rows."""
    time_range: dict[str, str | None] | None
    time_grain: str | None
    time_zone: str
    filters: tuple[dict[str, Any], ...]  # Any: as the rows
    as_of: str | None
    """The last day for which all facts of the query have data."""
    run_id: str
    partial: tuple[dict[str, Any], ...] = ()
    """The periods that are not counted in full: start, covered_days and days of each."""
    notes: tuple[str, ...]
    sql: tuple[str, ...]
    """The statement that ran, with its values; empty unless requested."""
    coverage: tuple[dict[str, Any], ...] = ()
    """The sources that do not cover all days of the question: fact, source, account, from, until, days of it."""

    def to_dict(self) -> dict[str, Any]:  # Any: as the fields
        """Convert to lists and maps; money stays Decimal, so write it with `semantic.answering.exact_json.to_json`."""
        fields = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return fields if self.coverage else {name: value for name, value in fields.items() if name != "coverage"}
