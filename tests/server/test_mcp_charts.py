"""Charts, for people who ask for them: the right marks, units on the axes, every row, and no address to fetch."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from mcp import Client
from mcp.types import EmbeddedResource, ImageContent, TextContent, TextResourceContents

from pipeline.errors import QueryError
from semantic.answering.semantic_model import SemanticModel, load_model
from semantic.planning.query import Answer
from server.charts.pictures import check_offline, picture, smaller
from server.charts.vega import COLOURS, MOST_BARS, MOST_PANELS, MOST_SERIES, Chart, chart_of
from server.stdio import stdio_app
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.anyio

DAY = ("date", "dimension", "date", None)
CAMPAIGN = ("campaign_name", "dimension", "text", None)
COUNTRY = ("geo_country", "dimension", "text", None)
CURRENCY = ("currency", "dimension", "text", None)
SPEND = ("spend", "metric", "decimal", "EUR")
REVENUE = ("order_revenue", "metric", "decimal", "EUR")
SESSIONS = ("sessions", "metric", "integer", "count")
ROAS = ("roas", "metric", "number", "ratio")
TREND = {"metrics": ["spend"], "dimensions": ["date"]}


@pytest.fixture(scope="module")
def model(home: PublishedHome) -> SemanticModel:
    (run,) = home.settings.published("alpha").glob("2*")
    return load_model(run)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal


def answer(columns: Sequence[tuple[str, str, str, str | None]], *rows: list[Any], **more: Any) -> Answer:
    said: dict[str, Any] = {
        "truncated": False,
        "limit": 100,
        "cursor": None,
        "time_range": {"start": "2026-01-01", "end": "2026-01-31"},
        "time_grain": "day",
        "time_zone": "Europe/Berlin",
        "filters": (),
        "as_of": "2026-01-31",
        "run_id": "r1",
        "partial": (),
        "notes": (),
        "sql": (),
    }
    named = tuple(dict(zip(("name", "role", "type", "unit"), column, strict=True)) for column in columns)
    return Answer(columns=named, rows=rows, row_count=len(rows), **(said | more))


def drawn(
    model: SemanticModel, columns: Sequence[tuple[str, str, str, str | None]], *rows: list[Any], **more: Any
) -> Chart:
    return chart_of(answer(columns, *rows, **more), model.catalog)


def panels(chart: Chart) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chart.spec.get("vconcat") or [chart.spec]
    return found


def mark(panel: dict[str, Any]) -> str:
    return str(panel["mark"]["type"] if isinstance(panel["mark"], dict) else panel["mark"])


def points(panel: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(value.values()) for value in panel["data"]["values"]]


@asynccontextmanager
async def inside(home: PublishedHome, mode: str = "auto") -> AsyncIterator[Client]:
    async with Client(stdio_app(home.settings, "alpha"), mode=mode) as client:
        yield client


def test_days_make_a_line_with_the_unit_on_its_axis(model: SemanticModel) -> None:
    chart = drawn(model, [DAY, SPEND], ["2026-01-01", 1.5], ["2026-01-02", None])
    (panel,) = panels(chart)
    assert mark(panel) == "line"
    assert panel["encoding"]["x"]["type"] == "temporal"
    assert panel["encoding"]["x"]["scale"] == {"type": "utc"}  # or days move with the machine's time zone
    assert panel["encoding"]["y"]["title"] == "Spend (EUR)"
    assert points(panel) == [("2026-01-01", "Spend", 1.5), ("2026-01-02", "Spend", None)]
    assert "color" not in panel["encoding"]
    assert chart.spec["title"]["text"] == "Spend by day, 1 to 31 Jan 2026"
    assert chart.spec["title"]["subtitle"] == ["Data until 31 Jan 2026; days in Europe/Berlin"]


def test_a_category_beside_the_days_makes_a_line_each(model: SemanticModel) -> None:
    (panel,) = panels(drawn(model, [DAY, CAMPAIGN, SPEND], ["2026-01-01", "a", 1], ["2026-01-01", None, 2]))
    assert mark(panel) == "line"
    assert panel["encoding"]["color"]["title"] == "Campaign name"
    assert points(panel) == [("2026-01-01", "a", 1.0), ("2026-01-01", "(none)", 2.0)]


def test_one_category_makes_bars_in_the_order_of_the_rows(model: SemanticModel) -> None:
    (panel,) = panels(drawn(model, [CAMPAIGN, SESSIONS], ["b", 3], ["a", 9]))
    assert mark(panel) == "bar"
    assert panel["encoding"]["y"] == {"field": "category", "type": "nominal", "title": "Campaign name", "sort": None}
    assert panel["encoding"]["x"]["title"] == "Sessions"
    assert points(panel) == [("b", "Sessions", 3.0), ("a", "Sessions", 9.0)]


def test_two_categories_stack_what_adds_up_and_group_what_does_not(model: SemanticModel) -> None:
    rows = (["de", "a", 3], ["de", "b", 9])
    (sums,) = panels(drawn(model, [COUNTRY, CAMPAIGN, SESSIONS], *rows))
    assert sums["encoding"]["x"]["stack"] == "zero"
    assert "yOffset" not in sums["encoding"]
    (ratios,) = panels(drawn(model, [COUNTRY, CAMPAIGN, ROAS], *rows))
    assert ratios["encoding"]["x"]["stack"] is None
    assert ratios["encoding"]["yOffset"]["field"] == "series"
    (losses,) = panels(drawn(model, [COUNTRY, CAMPAIGN, SESSIONS], ["de", "a", 3], ["de", "b", -9]))
    assert losses["encoding"]["x"]["stack"] is None  # a stack of both signs hides the sum


def test_units_that_differ_never_share_an_axis(model: SemanticModel) -> None:
    found = panels(drawn(model, [DAY, SPEND, REVENUE, ROAS, SESSIONS], ["2026-01-01", 1, 2, 3, 4]))
    assert [panel["encoding"]["y"]["title"] for panel in found] == [
        "Spend and order revenue (EUR)",
        "ROAS",
        "Sessions",
    ]
    assert {value["series"] for value in found[0]["data"]["values"]} == {"Spend", "Order revenue"}


def test_money_of_several_currencies_never_shares_an_axis(model: SemanticModel) -> None:
    money = ("spend", "metric", "decimal", "currency")
    found = panels(drawn(model, [CAMPAIGN, CURRENCY, money], ["a", "EUR", 1], ["a", "USD", 2], ["b", "EUR", 4]))
    assert [panel["encoding"]["x"]["title"] for panel in found] == ["Spend (EUR)", "Spend (USD)"]
    assert [points(panel) for panel in found] == [[("a", "Spend", 1.0), ("b", "Spend", 4.0)], [("a", "Spend", 2.0)]]


def test_the_row_of_totals_is_no_bar_and_the_rest_is_named(model: SemanticModel) -> None:
    flags = [("is_other", "flag", "boolean", None), ("is_total", "flag", "boolean", None)]
    rows = (["a", 5, False, False], [None, 2, True, False], [None, 7, False, True])
    (panel,) = panels(drawn(model, [CAMPAIGN, SESSIONS, *flags], *rows))
    assert points(panel) == [("a", "Sessions", 5.0), ("(other)", "Sessions", 2.0)]


def test_what_is_too_much_to_see_is_left_out_and_said(model: SemanticModel) -> None:
    many = [["2026-01-01", f"c{n}", n] for n in range(30)]
    chart = drawn(model, [DAY, CAMPAIGN, SESSIONS], *many, truncated=True)
    assert {value["series"] for value in panels(chart)[0]["data"]["values"]} == {f"c{n}" for n in range(22, 30)}
    assert chart.notes == (
        "The chart shows the first 30 rows; there are more.",
        f"The chart shows the {MOST_SERIES} largest of 30 series; the rows of the answer have them all.",
    )
    bars = drawn(model, [CAMPAIGN, SESSIONS], *[[f"c{n}", n] for n in range(60)])
    assert len(points(panels(bars)[0])) == MOST_BARS
    assert "first of 60 bars" in bars.notes[0]
    metrics = [(f"m{n}", "metric", "number", "ratio") for n in range(6)]
    wide = drawn(model, [DAY, *metrics], ["2026-01-01", *range(6)])
    assert len(panels(wide)) == MOST_PANELS
    assert "4 of 6 panels" in wide.notes[0]


def compared(name: str, type_: str, unit: str) -> list[tuple[str, str, str, str | None]]:
    own = [(f"{name}{ending}", "metric", type_, unit) for ending in ("", "_previous", "_change")]
    return [*own, (f"{name}_change_ratio", "metric", "number", "ratio")]


def test_a_comparison_has_two_series_and_not_its_change(model: SemanticModel) -> None:
    columns = [DAY, *compared("sessions", "integer", "count"), *compared("spend", "decimal", "EUR")]
    chart = drawn(model, columns, ["2026-01-01", 3, 4, -1, -0.25, 7, 8, -1, -0.125])
    assert [points(panel) for panel in panels(chart)] == [
        [("2026-01-01", "Current", 3.0), ("2026-01-01", "Previous", 4.0)],
        [("2026-01-01", "Current", 7.0), ("2026-01-01", "Previous", 8.0)],
    ]
    assert chart.title == "Sessions and spend by day, 1 to 31 Jan 2026 and the period compared"
    (bars,) = panels(drawn(model, [CAMPAIGN, *compared("sessions", "integer", "count")], ["a", 3, 4, -1, -0.25]))
    assert points(bars) == [("a", "Current", 3.0), ("a", "Previous", 4.0)]


def test_a_cumulative_column_does_not_flatten_its_daily_values(model: SemanticModel) -> None:
    added = ("spend_cumulative", "metric", "decimal", "EUR")
    found = panels(drawn(model, [DAY, SPEND, added], ["2026-01-01", 5, 5], ["2026-01-02", 6, 11]))
    assert [panel["encoding"]["y"]["title"] for panel in found] == ["Spend (EUR)", "Spend, cumulative (EUR)"]


def test_a_funnel_is_one_chart_with_one_axis_and_all_steps(model: SemanticModel) -> None:
    steps = [(f"funnel_step_{n}", "metric", "integer", "count") for n in range(1, 6)]
    (panel,) = panels(drawn(model, steps, [900, 400, 80, 30, 10], time_grain=None))
    assert mark(panel) == "bar"
    assert [value["value"] for value in panel["data"]["values"]] == [900.0, 400.0, 80.0, 30.0, 10.0]
    chart = drawn(model, [COUNTRY, *steps], ["de", 9, 4, 3, 2, 1], ["fr", 5, 4, 3, 2, 0], time_grain=None)
    (by_country,) = panels(chart)
    assert len({value["category"] for value in by_country["data"]["values"]}) == 5
    assert {value["series"] for value in by_country["data"]["values"]} == {"de", "fr"}
    assert chart.title.startswith("Funnel from ")


def test_numbers_are_written_as_what_they_are(model: SemanticModel) -> None:
    rate = ("conversion_rate", "metric", "number", "ratio")
    found = panels(drawn(model, [DAY, rate, ROAS, SPEND], ["2026-01-01", 0.016, 0.6, 1200]))
    formats = {panel["encoding"]["y"]["title"]: panel["encoding"]["y"]["axis"]["format"] for panel in found}
    assert formats == {"Conversion rate": ".1%", "ROAS": ",.2f", "Spend (EUR)": ",.0f"}
    share = ("spend_share", "metric", "number", "ratio")
    (_, shares) = panels(drawn(model, [CAMPAIGN, SPEND, share], ["a", 5, 0.5]))
    assert shares["encoding"]["x"]["axis"]["format"] == ".0%"


def test_ticks_stand_under_points_and_do_not_overlap(model: SemanticModel) -> None:
    mondays = [["2026-01-05", 1], ["2026-01-12", 2], ["2026-01-19", 3], ["2026-01-26", 4]]
    (panel,) = panels(drawn(model, [DAY, SESSIONS], *mondays, time_grain="week"))
    axis = panel["encoding"]["x"]["axis"]
    assert [(each["month"], each["date"]) for each in axis["values"]] == [(1, 5), (1, 12), (1, 19), (1, 26)]
    assert axis["format"] == "%-d %b"
    many = [[f"2026-{n // 28 + 1:02}-{n % 28 + 1:02}", n] for n in range(90)]
    (daily,) = panels(drawn(model, [DAY, SESSIONS], *many))
    assert len(daily["encoding"]["x"]["axis"]["values"]) <= 10
    years = [["2025-12-31", 1], ["2026-01-01", 2]]
    (over,) = panels(drawn(model, [DAY, SESSIONS], *years))
    assert over["encoding"]["x"]["axis"]["format"] == "%-d %b %Y"


def test_periods_that_are_not_counted_in_full_are_dashed_and_named(model: SemanticModel) -> None:
    months = [["2025-11-01", 1], ["2025-12-01", 30], ["2026-01-01", 31], ["2026-02-01", 9]]
    partial = (
        {"start": "2025-11-01", "covered_days": 1, "days": 30},
        {"start": "2026-02-01", "covered_days": 9, "days": 28},
    )
    chart = drawn(model, [DAY, SESSIONS], *months, time_grain="month", partial=partial)
    (panel,) = panels(chart)
    drawn_points = [(v["day"][:7], v["partial"], v["segment"]) for v in panel["data"]["values"]]
    assert drawn_points == [
        *[("2025-11", True, 0), ("2025-12", True, 0)],
        *[("2025-12", False, 1), ("2026-01", False, 1)],
        *[("2026-01", True, 2), ("2026-02", True, 2)],
    ]
    assert panel["encoding"]["strokeDash"]["field"] == "partial"
    assert chart.spec["title"]["subtitle"][1] == (
        "Dashed, not counted in full: Nov 2025 has 1 of 30 days, Feb 2026 has 9 of 28 days"
    )
    assert picture(chart.spec, "svg").count(b"stroke-dasharray") >= 2


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (("2026-11-01", "2026-11-30"), "1 to 30 Nov 2026"),
        (("2026-10-31", "2026-11-29"), "31 Oct to 29 Nov 2026"),
        (("2025-12-01", "2026-02-28"), "1 Dec 2025 to 28 Feb 2026"),
        (("2026-11-30", "2026-11-30"), "30 Nov 2026"),
        (("2026-11-30", None), "from 30 Nov 2026"),
        ((None, "2026-11-30"), "until 30 Nov 2026"),
    ],
)
def test_a_title_is_a_sentence_of_labels_and_days(model: SemanticModel, days: tuple[Any, Any], text: str) -> None:
    span = dict(zip(("start", "end"), days, strict=True))
    chart = drawn(model, [CAMPAIGN, DAY, SPEND, ROAS], ["a", "2026-11-30", 1, 2], time_range=span, time_grain="week")
    assert chart.title == f"Spend and ROAS by campaign name and week, {text}"
    only = ({"name": "ad_platform", "op": "in", "value": ["google_ads", "facebook_ads"]},)
    filtered = drawn(model, [DAY, SPEND], ["2026-11-30", 1], filters=only, time_range=None)
    assert filtered.title == "Spend by day"
    assert filtered.spec["title"]["subtitle"][0].startswith("Ad platform is google_ads or facebook_ads; ")


def test_colours_are_told_apart_by_everybody(model: SemanticModel) -> None:
    assert drawn(model, [DAY, SPEND], ["2026-01-01", 1]).spec["config"]["range"]["category"] == list(COLOURS)
    assert len(set(COLOURS)) == MOST_SERIES


def test_without_rows_there_is_nothing_to_draw(model: SemanticModel) -> None:
    with pytest.raises(QueryError, match="no rows to draw"):
        drawn(model, [DAY, SPEND])


HOSTILE = [
    "</svg><script>alert(1)</script>",
    "http://127.0.0.1:9/x.png",
    "datum.value + 1",
    "a\u202eb",
    "{{7*7}}",
    "=1+1",
]


def test_hostile_names_are_text_in_the_picture_and_nothing_more(model: SemanticModel) -> None:
    chart = drawn(model, [CAMPAIGN, SESSIONS], *[[name, n + 1] for n, name in enumerate(HOSTILE)])
    svg = picture(chart.spec, "svg").decode()
    root = ET.fromstring(svg)
    assert {each.tag.rpartition("}")[2] for each in root.iter()} <= {
        "svg",
        "g",
        "path",
        "text",
        "rect",
        "line",
        "tspan",
    }
    shown = {each.text for each in root.iter() if each.text}
    assert {"</svg><script>alert(1)</script>", "http://127.0.0.1:9/x.png", "datum.value + 1", "ab"} <= shown
    assert not re.search(r"(href|src)=", svg)


@pytest.mark.parametrize(
    "spec",
    [
        {"data": {"url": "http://127.0.0.1:9/x.json"}},
        {"layer": [{"mark": {"type": "image", "url": "file:///etc/passwd"}}]},
        {"encoding": {"href": {"field": "a"}}},
    ],
)
def test_a_specification_that_names_an_address_is_never_drawn(spec: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="names an address"):
        check_offline(spec)
    with pytest.raises(ValueError, match="names an address"):
        picture({"mark": "bar", **spec}, "svg")


def test_a_picture_that_is_packed_again_has_the_same_pixels() -> None:
    pixels = zlib.compress(b"\0" + bytes(range(12)), 0)
    header = struct.pack(">IIBBBBB", 4, 1, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", pixels[:5]), (b"IDAT", pixels[5:]), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    packed = smaller(png)
    assert packed[:33] == png[:33]
    (length,) = struct.unpack_from(">I", packed, 33)
    assert zlib.decompress(packed[41 : 41 + length]) == zlib.decompress(pixels)
    assert packed.endswith(png[-12:])


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_chart_comes_only_when_it_is_asked_for_and_holds_every_row(home: PublishedHome, mode: str) -> None:
    async with inside(home, mode) as client:
        plain = await client.call_tool("query", TREND)
        vega = await client.call_tool("query", {**TREND, "limit": 100, "chart": "vega"})
        png = await client.call_tool("query", {**TREND, "chart": "png"})
        svg = await client.call_tool("query", {**TREND, "chart": "svg"})
        wrong = await client.call_tool("query", {**TREND, "chart": "pie"})
    assert plain.structured_content is not None
    assert len(plain.content) == 1
    assert "chart" not in plain.structured_content
    (said,) = vega.content
    assert isinstance(said, TextContent)
    assert json.loads(said.text) == vega.structured_content
    assert vega.structured_content is not None
    by_hand = home.sql(
        "alpha",
        "select report_date::varchar, sum(spend)::double from fct_alpha__ad_performance group by all order by 1",
    )
    drawn_rows = [(value["day"], value["value"]) for value in vega.structured_content["chart"]["data"]["values"]]
    assert drawn_rows == [(day, pytest.approx(spend)) for day, spend in by_hand]
    image = png.content[1]
    assert isinstance(image, ImageContent)
    assert image.mime_type == "image/png"
    assert base64.b64decode(image.data).startswith(b"\x89PNG\r\n\x1a\n")
    assert len(image.data) < 200_000
    assert png.structured_content is not None
    assert png.structured_content["chart"] == {"format": "png", "title": "Spend by day", "place": "beside this text"}
    assert png.structured_content["rows"] == plain.structured_content["rows"]
    embedded = svg.content[1]
    assert isinstance(embedded, EmbeddedResource)
    assert isinstance(embedded.resource, TextResourceContents)
    assert embedded.resource.mime_type == "image/svg+xml"
    assert embedded.resource.text.startswith("<svg")
    assert wrong.is_error
    assert isinstance(wrong.content[0], TextContent)
    assert wrong.content[0].text == "chart is 'pie'. Choose one of: vega, png, svg; or leave it out."


async def test_a_chart_has_the_rows_that_the_shown_page_has_not(home: PublishedHome) -> None:
    question = {"metrics": ["spend"], "dimensions": ["date", "campaign_name"], "chart": "vega"}
    async with inside(home) as client:
        whole = (await client.call_tool("query", question)).structured_content or {}
        first = (await client.call_tool("query", {**question, "limit": 4})).structured_content or {}
    assert (whole["row_count"], whole["truncated"]) == (100, True)
    assert len(whole["chart"]["data"]["values"]) == 118
    assert len(first["chart"]["data"]["values"]) == 4
    assert "The chart shows the first 4 rows; there are more." in first["notes"]


async def test_the_page_of_a_client_gets_its_picture_where_no_model_pays_for_it(home: PublishedHome) -> None:
    async with inside(home) as client:
        await client.list_tools()
        shown = await client.call_tool("show_chart", {"query": TREND})
        plain = await client.call_tool("query", TREND)
        refused = [
            await client.call_tool("show_chart", arguments)
            for arguments in (TREND, {}, {"query": TREND, "chart": "png"}, {"query": {"metrics": ["spnd"]}})
        ]
    assert shown.meta is not None
    assert shown.meta["gata/svg"].startswith("<svg")
    (said,) = shown.content
    assert isinstance(said, TextContent)
    assert "<svg" not in said.text
    assert json.loads(said.text) == shown.structured_content
    assert shown.structured_content is not None
    assert plain.structured_content is not None
    assert shown.structured_content["rows"] == plain.structured_content["rows"]
    assert all(result.is_error for result in refused)


@pytest.mark.parametrize(("name", "begins"), [("c.svg", b"<svg"), ("c.PNG", b"\x89PNG"), ("c.json", b'{"$schema"')])
def test_the_command_line_draws_into_a_file(
    home: PublishedHome, terminal: Terminal, tmp_path: Path, name: str, begins: bytes
) -> None:
    gata = terminal.use(home.settings)
    file = tmp_path / name
    ended = gata("ask", "--tenant", "alpha", "--metrics", "spend", "--dimensions", "date", "--chart", str(file))
    assert ended.code == 0
    assert ended.out.endswith(f"The chart is in {file}.\n")
    assert file.read_bytes().startswith(begins)
    as_json = gata("ask", "--tenant", "alpha", "--metrics", "spend", "--chart", str(file), "--json")
    assert json.loads(as_json.out)["row_count"] == 1


@pytest.mark.parametrize(
    ("name", "message"), [("c.pdf", "End it with .svg, .png or .json"), ("no/c.json", "cannot be written")]
)
def test_a_file_that_cannot_be_drawn_into_is_refused(
    home: PublishedHome, terminal: Terminal, tmp_path: Path, name: str, message: str
) -> None:
    asked = ("ask", "--tenant", "alpha", "--metrics", "spend", "--chart", str(tmp_path / name))
    ended = terminal.use(home.settings)(*asked)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
