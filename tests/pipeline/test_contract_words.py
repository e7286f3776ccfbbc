"""Every word of a contract: what it accepts, in bulk and one by one, what it becomes, how it is hashed and ordered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import duckdb
import jinja2
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from pipeline.contracts.fields import (
    Anything,
    CompactDate,
    Contract,
    DateText,
    DecimalText,
    EpochMicros,
    EpochMillis,
    EpochSeconds,
    Flag,
    Instant,
    Integer,
    IntegerText,
    Leaf,
    LocalTime,
    Micros,
    MicrosText,
    MinorUnits,
    Nested,
    Number,
    PercentText,
    Rfc2822,
    Text,
    UtcTime,
    date_as,
    shape_of,
)
from pipeline.contracts.meaning import Meaning
from pipeline.contracts.sql import canonical_record, key_text, parsed_columns, payload_date, version_at
from pipeline.ingest.formats.json_file import rows_of_texts
from pipeline.ingest.quarantine import explain_rejection

CAST_AS = Path(__file__).resolve().parents[2] / "warehouse" / "macros" / "utils" / "cast_as.sql"

GOOD: dict[Meaning, list[str]] = {
    Meaning.TEXT: ["x", " ", "12"],
    Meaning.DECIMAL: ["12.50", "-0.000001", " 1e3 ", "0"],
    Meaning.MICROS: ["20836690", "-1", "0", "999999999999999999"],
    Meaning.MINOR_UNITS: ["1099", "-5", "999999999999"],
    Meaning.PERCENT: ["12.5%", "12.5", "0.00%", "-3 %", "100", "0.0004%"],
    Meaning.INTEGER: ["1", "-12", " 7 "],
    Meaning.FLAG: ["true", "false", "TRUE"],
    Meaning.INSTANT: ["2026-01-02T10:00:00+01:00", "2026-01-02 10:00:00.5Z", "2026-03-29T02:30:00-0330"],
    Meaning.UTC_TIME: [
        "2017-03-22T19:28:02",
        "2022-02-01 2:20:51",
        "2025-02-01T19:42:58.123Z",
        "2025-05-01 08:00:00.000000 UTC",
        "2020-09-11 13:26:15.000 ",
        "2021-01-23T10:00:00-0500",
    ],
    Meaning.LOCAL_TIME: ["2020-09-11 13:26:15", "2022-02-01T2:20:51.25"],
    Meaning.RFC_2822: ["Sat, 03 Mar 2018 02:35:28 +0000", "3 Mar 2018 23:35:28 -0330", "Thu, 29 Feb 2024 00:00:00 GMT"],
    Meaning.EPOCH_SECONDS: ["1611431281", "946684800", "4102444800"],
    Meaning.EPOCH_MILLIS: ["1611431281239", "946684800000"],
    Meaning.EPOCH_MICROS: ["1611431281239472", "4102444800000000"],
    Meaning.DATE: ["2021-01-23", "2020-04-06 00:00:00", "2024-02-29T00:00:00.000"],
    Meaning.COMPACT_DATE: ["20210123", "20240229"],
    Meaning.DATE_AS: ["31.12.2025", "29.02.2024"],
}


class Inner(Nested):
    local: LocalTime = None
    day: DateText = None
    share: PercentText = None
    micros: MicrosText = None
    at_second: EpochSeconds = None


class Words(Contract):
    """A record with every word."""

    text: Text = None
    decimal: DecimalText = None
    number: Number = None
    micros_text: MicrosText = None
    micros: Micros = None
    minor_units: MinorUnits = None
    percent: PercentText = None
    integer_text: IntegerText = None
    integer: Integer = None
    flag: Flag = None
    instant: Instant = None
    utc_time: UtcTime = None
    local_time: LocalTime = None
    rfc_2822: Rfc2822 = None
    epoch_seconds: EpochSeconds = None
    epoch_millis: EpochMillis = None
    epoch_micros: EpochMicros = None
    date: DateText = None
    compact_date: CompactDate = None
    odd_date: date_as("%d.%m.%Y") = None  # type: ignore[valid-type]  # a word made on the spot
    anything: Anything = None
    inner: Inner | None = None
    many: list[Inner] | None = None
    insert_id: Annotated[Text, Field(alias="$insert_id")] = None
    city: Text = Field(None, alias="$city")


WORDS = {name: shape for name, shape in shape_of(Words) if isinstance(shape, Leaf)}


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """A good value of some meaning with a character or two put in, left out or changed."""
    text = draw(st.sampled_from([value for values in GOOD.values() for value in values]))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        put = draw(st.sampled_from(["", " ", *"0129-+:.,TZ%eGam/_"]))
        text = text[:at] + put + text[at + draw(st.integers(0, 1)) :]
    return text


def judged(records: list[dict[str, object]], contract: type[Contract] = Words) -> list[str | None]:
    """What is wrong with each record in bulk, None with a good one."""
    texts = pa.array([json.dumps(record) for record in records])
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'America/New_York'")
        rows = rows_of_texts(con, (1, texts), contract, set()).select(["_source_line", "_wrong"]).to_pylist()
    return [row["_wrong"] for row in sorted(rows, key=lambda row: row["_source_line"])]


def accepts(record: dict[str, object], contract: type[Contract] = Words) -> bool:
    try:
        contract.model_validate_json(json.dumps(record))
    except ValidationError:
        return False
    return True


@settings(max_examples=25)
@given(st.lists(nearly() | st.integers(-(10**19), 10**19) | st.floats(-1e6, 1e6), min_size=20))
@example([" 1e3. "])  # DuckDB casts it, and no vendor writes it: refused
@example(["1e1_0", "1e3.", "-1e3. ", "1_000.5", "5.", " 1e+03", "7e ", "- "])
def test_the_check_in_bulk_and_the_contract_agree_about_every_word(values: list[object]) -> None:
    records = [{name: value} for name in WORDS if name not in ("flag", "number") for value in values]
    records += [{"inner": {name: value}} for name, _ in shape_of(Inner) for value in values]
    for record, wrong in zip(records, judged(records), strict=True):
        assert (wrong is None) == accepts(record), (record, wrong)


def test_a_number_may_have_any_space_around_it() -> None:
    records: list[dict[str, object]] = [{"decimal": value} for value in ("12.50\t", "\n12.50", "12.50\r\n", " 5. ")]
    assert judged(records) == [None] * len(records)
    assert all(accepts(record) for record in records)


def test_every_good_value_is_good_at_every_depth() -> None:
    records: list[dict[str, object]] = [
        {name: value} for name, leaf in WORDS.items() for value in GOOD.get(leaf.meaning, ["x"])
    ]
    inner = [{name: value} for name, leaf in shape_of(Inner) if isinstance(leaf, Leaf) for value in GOOD[leaf.meaning]]
    records += [{"inner": one} for one in inner]
    records += [{"many": [{}, one]} for one in inner]
    assert judged(records) == [None] * len(records)
    assert all(accepts(record) for record in records)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("epoch_seconds", 1611431281239, "1611431281239 is not seconds since 1970, between 2000 and 2100"),
        ("epoch_seconds", 1611431281239472, "1611431281239472 is not seconds since 1970, between 2000 and 2100"),
        ("epoch_millis", 1611431281, "1611431281 is not milliseconds since 1970, between 2000 and 2100"),
        ("epoch_millis", 1611431281239472, "1611431281239472 is not milliseconds since 1970, between 2000 and 2100"),
        ("epoch_micros", 1611431281239, "1611431281239 is not microseconds since 1970, between 2000 and 2100"),
        ("micros_text", "-", "'-' is not a whole number of millionths, below 10^18"),
        ("micros_text", "19.5", "'19.5' is not a whole number of millionths, below 10^18"),
        ("micros", 10**18, "1000000000000000000 is not a whole number of millionths, below 10^18"),
        ("minor_units", 10**12, "1000000000000 is not a whole number of minor units, below 10^12"),
        ("decimal", "-", "'-' is not a number"),
        ("decimal", "- ", "'- ' is not a number"),
        ("percent", "-", "'-' is not a percentage below 10^12"),
        ("percent", "12,5%", "'12,5%' is not a percentage below 10^12"),
        (
            "local_time",
            "2020-09-11 13:26:15Z",
            "'2020-09-11 13:26:15Z' is not a time with seconds and without an offset",
        ),
        ("local_time", "2020-09-31 13:26:15", "'2020-09-31 13:26:15' is a day of no calendar"),
        ("utc_time", "2020-09-11", "'2020-09-11' is not a time with seconds"),
        (
            "rfc_2822",
            "Sat, 31 Feb 2018 02:35:28 +0000",
            "'Sat, 31 Feb 2018 02:35:28 +0000' is a day of no calendar",
        ),
        ("rfc_2822", "2018-03-03", "'2018-03-03' is not a time such as Sat, 03 Mar 2018 02:35:28 +0000"),
        ("date", "2020-04-06 10:00:00", "'2020-04-06 10:00:00' is not a date, YYYY-MM-DD"),
        ("date", "2021-02-30", "'2021-02-30' is a day of no calendar"),
    ],
)
def test_a_value_of_another_unit_or_form_is_quarantined_with_its_reason(field: str, value: object, reason: str) -> None:
    record: dict[str, object] = {field: value}
    (wrong,) = judged([record])
    assert wrong is not None
    assert explain_rejection(Words, wrong, json.dumps(record)) == f"{field}: {reason}"


def test_a_blank_is_absent_for_every_meaning_but_text() -> None:
    blank: dict[str, object] = dict.fromkeys(WORDS, " ")
    assert judged([blank]) == [None]
    absent = Words.model_validate(blank).model_dump(by_alias=True)
    assert {name for name in WORDS if absent[name] is not None} == {"text", "$insert_id", "$city"}


# ---- what a word becomes: warehouse/macros/utils/cast_as.sql -------------------------------------------------------

CASTS: Callable[..., str] = jinja2.Environment().from_string(CAST_AS.read_text()).module.cast_as  # type: ignore[attr-defined]


def cast_as(texts: list[str], meaning: Meaning, zone: str = "Asia/Kathmandu") -> list[Any]:
    """The texts as what they mean, by the macro, in a session of another zone."""
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(f"set TimeZone = '{zone}'")
        query = f"select {CASTS('said', meaning.value, '%d.%m.%Y')} from (select unnest($1::varchar[]) as said)"
        return [value for (value,) in con.execute(query, [texts]).fetchall()]


def utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def decimal_of(text: str) -> Decimal:
    return Decimal(text.strip()).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def iso(text: str) -> datetime:
    """An ISO time; an hour of one digit is allowed."""
    day, clock = text.strip()[:10], text.strip()[11:]
    return datetime.fromisoformat(f"{day}T{clock if clock[1] != ':' else '0' + clock}".replace(" UTC", "Z"))


def since_1970(text: str, unit: timedelta) -> datetime:
    return datetime(1970, 1, 1) + int(text) * unit  # noqa: DTZ001 - naive, as DuckDB's TIMESTAMP


REFERENCE: Mapping[Meaning, Callable[[str], object]] = {
    Meaning.TEXT: lambda text: text.strip() or None,
    Meaning.DECIMAL: decimal_of,
    Meaning.MICROS: lambda text: Decimal(text).scaleb(-6),
    Meaning.MINOR_UNITS: int,
    Meaning.PERCENT: lambda text: (decimal_of(text.rstrip("% ")) / 100).quantize(Decimal("0.000001"), ROUND_HALF_UP),
    Meaning.INTEGER: int,
    Meaning.FLAG: lambda text: text.lower() == "true",
    Meaning.INSTANT: lambda text: utc(iso(text)),
    Meaning.UTC_TIME: lambda text: utc(iso(text) if iso(text).tzinfo else iso(text).replace(tzinfo=UTC)),
    Meaning.LOCAL_TIME: iso,
    Meaning.RFC_2822: lambda text: utc(parsedate_to_datetime(text)),
    Meaning.EPOCH_SECONDS: lambda text: since_1970(text, timedelta(seconds=1)),
    Meaning.EPOCH_MILLIS: lambda text: since_1970(text, timedelta(milliseconds=1)),
    Meaning.EPOCH_MICROS: lambda text: since_1970(text, timedelta(microseconds=1)),
    Meaning.DATE: lambda text: date.fromisoformat(text[:10]),
    Meaning.COMPACT_DATE: date.fromisoformat,
    Meaning.DATE_AS: lambda text: date(int(text[6:]), int(text[3:5]), int(text[:2])),
}
MOMENTS = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30))  # noqa: DTZ001 - naive, as a wall clock
OFFSETS = st.sampled_from(["Z", "+01:00", "-0330", "+14", "-12:00"])


def amounts(digits: int) -> st.SearchStrategy[str]:
    """Numbers of up to twelve digits before the point, and so many after it."""
    whole = st.decimals(-(10**12) + 1, 10**12 - 1, places=digits, allow_nan=False)
    return whole.map(lambda number: f"{number:f}")


WRITTEN: Mapping[Meaning, st.SearchStrategy[str]] = {
    Meaning.DECIMAL: amounts(6) | amounts(2),
    Meaning.MICROS: st.integers(-(10**18) + 1, 10**18 - 1).map(str),
    Meaning.MINOR_UNITS: st.integers(-(10**12) + 1, 10**12 - 1).map(str),
    Meaning.PERCENT: st.tuples(amounts(4) | amounts(6), st.sampled_from(["%", " %", ""])).map("".join),
    Meaning.INSTANT: st.tuples(MOMENTS.map(datetime.isoformat), OFFSETS).map(lambda parts: full(*parts)),
    Meaning.UTC_TIME: st.tuples(MOMENTS.map(datetime.isoformat), OFFSETS | st.sampled_from(["", " UTC"])).map(
        lambda parts: full(*parts)
    ),
    Meaning.LOCAL_TIME: MOMENTS.map(lambda moment: full(moment.isoformat(), "")),
    Meaning.RFC_2822: st.tuples(MOMENTS, st.sampled_from(["+0000", "-0330", "GMT"])).map(
        lambda parts: f"{parts[0]:%a, %d %b %Y %H:%M:%S} {parts[1]}"
    ),
    Meaning.EPOCH_SECONDS: st.integers(946684800, 4102444800).map(str),
    Meaning.EPOCH_MILLIS: st.integers(946684800000, 4102444800000).map(str),
    Meaning.EPOCH_MICROS: st.integers(946684800000000, 4102444800000000).map(str),
    Meaning.DATE: st.tuples(st.dates(date(1900, 1, 1)), st.sampled_from(["", " 00:00:00", "T00:00:00.000"])).map(
        lambda parts: f"{parts[0]}{parts[1]}"
    ),
    Meaning.COMPACT_DATE: st.dates(date(1900, 1, 1)).map(lambda day: day.strftime("%Y%m%d")),
    Meaning.DATE_AS: st.dates(date(1900, 1, 1)).map(lambda day: day.strftime("%d.%m.%Y")),
}


def full(moment: str, offset: str) -> str:
    return moment + offset


@pytest.mark.parametrize("meaning", REFERENCE)
def test_cast_as_reads_the_good_values_as_a_plain_reading_of_them_does(meaning: Meaning) -> None:
    assert cast_as(GOOD[meaning], meaning) == [REFERENCE[meaning](text) for text in GOOD[meaning]]


@pytest.mark.parametrize("meaning", WRITTEN)
@settings(max_examples=20)
@given(data=st.data())
def test_cast_as_agrees_with_a_plain_reading_and_so_do_both_checks(meaning: Meaning, data: st.DataObject) -> None:
    texts = data.draw(st.lists(WRITTEN[meaning], min_size=1, max_size=40))
    assert cast_as(texts, meaning) == [REFERENCE[meaning](text) for text in texts]
    field = next(name for name, leaf in WORDS.items() if leaf.meaning is meaning)
    assert judged([{field: text} for text in texts]) == [None] * len(texts)


def test_cast_as_fails_on_what_landing_would_have_refused() -> None:
    for meaning, text in [
        (Meaning.DECIMAL, "-"),
        (Meaning.MICROS, "1.5e"),
        (Meaning.RFC_2822, "Sat, 31 Feb 2018 02:35:28 +0000"),
        (Meaning.UTC_TIME, "yesterday"),
        (Meaning.PERCENT, "n/a"),
    ]:
        with pytest.raises((duckdb.ConversionException, duckdb.InvalidInputException)):
            cast_as([text], meaning)


# ---- how a record is hashed, keyed, dated and ordered --------------------------------------------------------------


def over_landed(
    records: list[dict[str, object]], expression: str, contract: type[Contract] = Words
) -> Iterator[object]:
    """An expression of the pusher over the landing rows of records, in their order."""
    texts = pa.array([json.dumps(record) for record in records])
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'UTC'")
        con.register("landed", rows_of_texts(con, (1, texts), contract, set()))
        parsed = ", ".join(["*", *parsed_columns(shape_of(contract))])
        query = f"select {expression} from (select {parsed} from landed) order by _source_line"
        yield from (value for (value,) in con.execute(query).fetchall())


@pytest.mark.parametrize(
    ("field", "ways", "text"),
    [
        (
            "instant",
            ["2026-01-02T10:00:00+01:00", "2026-01-02 09:00:00Z", "2026-01-02T09:00:00.000Z"],
            "2026-01-02T09:00:00.000000Z",
        ),
        (
            "utc_time",
            ["2022-02-01 2:20:51", "2022-02-01T02:20:51Z", "2022-02-01T03:20:51+01:00", "2022-02-01 02:20:51.0 UTC "],
            "2022-02-01T02:20:51.000000Z",
        ),
        (
            "rfc_2822",
            ["Sat, 03 Mar 2018 02:35:28 +0000", "3 Mar 2018 02:35:28 GMT", "Fri, 02 Mar 2018 23:05:28 -0330"],
            "2018-03-03T02:35:28.000000Z",
        ),
        ("local_time", ["2022-02-01 2:20:51", "2022-02-01T02:20:51.000"], "2022-02-01T02:20:51.000000"),
        ("date", ["2020-04-06", "2020-04-06 00:00:00", "2020-04-06T00:00:00.000"], "2020-04-06"),
    ],
)
def test_equal_moments_and_days_have_one_canonical_text_however_they_are_written(
    field: str, ways: list[str], text: str
) -> None:
    found = over_landed([{field: way} for way in ways], canonical_record(shape_of(Words)))
    assert set(found) == {json.dumps({field: text}, separators=(",", ":"))}


def test_a_blank_time_is_as_absent_as_a_missing_one_in_the_canonical_text() -> None:
    blank: dict[str, object] = {"text": "x", **dict.fromkeys(["instant", "utc_time", "local_time", "rfc_2822"], "")}
    assert set(over_landed([blank, {"text": "x"}], canonical_record(shape_of(Words)))) == {'{"text":"x"}'}


def test_fields_that_python_cannot_name_are_called_as_the_vendor_calls_them() -> None:
    record: dict[str, object] = {"$insert_id": "a", "$city": "Oslo", "insert_id": "unknown"}
    assert judged([record]) == [None]
    (canonical,) = over_landed([record], canonical_record(shape_of(Words)))
    assert canonical == '{"$insert_id":"a","$city":"Oslo"}'


class Day(Nested):
    year: Integer = None
    month: Integer = None
    day: Integer = None


class Range(Nested):
    start: Day | None = None


class Segments(Nested):
    date: DateText = None
    device: Text = None


class Report(Contract):
    """Rows whose grain lies inside nested objects."""

    key = ("account", "segments.date", "segments.device", "range.start", "$props.$id")
    required = ("account", "segments.date")
    date_field = "segments.date"
    version_field = "changed.at"
    daily_slice = True

    account: Text = None
    segments: Segments | None = None
    range: Range | None = None
    props: Annotated[Props | None, Field(alias="$props")] = None
    changed: Changed | None = None


class Props(Nested):
    id: Text = Field(None, alias="$id")


class Changed(Nested):
    at: UtcTime = None


Report.model_rebuild()


class Ranged(Contract):
    """Rows that an object of year, month and day dates."""

    key = ("range.start",)
    required = ("range.start",)
    date_field = "range.start"

    range: Range | None = None


def report(
    day: str, fields: Mapping[str, object] = MappingProxyType({}), device: str | None = None
) -> dict[str, object]:
    return {"account": "a", "segments": {"date": day, "device": device}, **fields}


def test_a_key_of_nested_fields_is_the_same_however_its_parts_are_written() -> None:
    start = {"year": 2020, "month": 4, "day": 6}
    same = {"year": "2020", "month": 4.0, "day": 6}
    records = [
        report("2020-04-06", {"range": {"start": start}, "$props": {"$id": "x"}}),
        report("2020-04-06 00:00:00", {"range": {"start": same}, "$props": {"$id": "x"}}),
        report("2020-04-06", {"$props": {}}, device=""),
        report("2020-04-06"),
    ]
    first, second, empty, absent = over_landed(records, key_text(shape_of(Report), Report.key), Report)
    assert first == second == '["a","2020-04-06",null,"2020-04-06","x"]'
    assert (empty, absent) == ('["a","2020-04-06","",null,null]', '["a","2020-04-06",null,null,null]')


def test_a_nested_field_dates_a_record_and_another_orders_its_versions() -> None:
    records = [report("2020-04-06 00:00:00", {"changed": {"at": "2020-05-01T10:00:00+02:00"}}), report("2020-04-07")]
    shape = shape_of(Report)
    assert list(over_landed(records, payload_date(shape, Report.date_field), Report)) == [
        date(2020, 4, 6),
        date(2020, 4, 7),
    ]
    assert list(over_landed(records, version_at(shape, Report.version_field), Report)) == [
        datetime(2020, 5, 1, 8),  # noqa: DTZ001 - naive, as DuckDB's TIMESTAMP
        None,
    ]


@pytest.mark.parametrize(
    ("field", "value", "day"),
    [
        ("instant", "2026-01-02T00:30:00+01:00", date(2026, 1, 1)),
        ("utc_time", "2026-01-02 0:30:00", date(2026, 1, 2)),
        ("local_time", "2026-01-02 23:59:59", date(2026, 1, 2)),
        ("rfc_2822", "Sat, 03 Mar 2018 02:35:28 +0300", date(2018, 3, 2)),
        ("epoch_seconds", 1611431281, date(2021, 1, 23)),
        ("epoch_millis", 1611431281239, date(2021, 1, 23)),
        ("epoch_micros", 1611431281239472, date(2021, 1, 23)),
        ("date", "2020-04-06T00:00:00", date(2020, 4, 6)),
        ("compact_date", "20210123", date(2021, 1, 23)),
        ("inner.day", "2020-04-06", date(2020, 4, 6)),
        ("inner.at_second", 1611431281, date(2021, 1, 23)),
    ],
)
def test_every_meaning_that_says_a_day_dates_a_record(field: str, value: object, day: date) -> None:
    head, _, name = field.partition(".")
    record: dict[str, object] = {head: {name: value} if name else value}
    assert list(over_landed([record, {}], payload_date(shape_of(Words), field))) == [day, date(1970, 1, 1)]


@pytest.mark.parametrize("field", ["instant", "utc_time", "rfc_2822", "epoch_seconds", "epoch_millis", "epoch_micros"])
def test_every_instant_orders_versions(field: str) -> None:
    (moment,) = over_landed([{field: GOOD[WORDS[field].meaning][0]}], version_at(shape_of(Words), field))
    assert moment == REFERENCE[WORDS[field].meaning](GOOD[WORDS[field].meaning][0])


def test_a_clock_without_a_zone_orders_no_versions_and_a_text_dates_nothing() -> None:
    with pytest.raises(TypeError, match="local_time is no instant"):
        version_at(shape_of(Words), "local_time")
    with pytest.raises(TypeError, match="text says no date"):
        payload_date(shape_of(Words), "text")
    with pytest.raises(ValueError, match=r"inner\.nothing is no field of the contract"):
        key_text(shape_of(Words), ("inner.nothing",))


@pytest.mark.parametrize(
    ("segments", "wrong"),
    [
        ({"date": "2020-04-06"}, None),
        ({"date": ""}, "segments.date is missing"),
        ({"date": None}, "segments.date is missing"),
        ({}, "segments.date is missing"),
        (None, "segments.date is missing"),
        ("x", "segments is not an object whose values convert"),
        ({"date": "x"}, "segments is not an object whose values convert"),
    ],
)
def test_a_nested_required_field_must_be_there(segments: object, wrong: str | None) -> None:
    assert judged([{"account": "a", "segments": segments}], Report) == [wrong]


@pytest.mark.parametrize(
    ("start", "wrong"),
    [
        ({"year": 2024, "month": 2, "day": 29}, None),
        ({"year": 2023, "month": 2, "day": 29}, "range.start is not a date: year, month, day"),
        ({"year": 23, "month": 2, "day": 9}, "range.start is not a date: year, month, day"),
        ({"year": 2024, "month": 2}, "range.start is missing"),
        ({}, "range.start is missing"),
        (None, "range.start is missing"),
    ],
)
def test_an_object_that_dates_a_record_says_a_day_of_the_calendar(start: object, wrong: str | None) -> None:
    assert judged([{"range": {"start": start}}], Ranged) == [wrong]
    if wrong is None:
        assert list(
            over_landed([{"range": {"start": start}}], payload_date(shape_of(Ranged), "range.start"), Ranged)
        ) == [date(2024, 2, 29)]
