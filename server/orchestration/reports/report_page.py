"""A report as a page: its Markdown without raw HTML, its bars as pictures, no script and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from server.orchestration.reports.markdown_text import CHART

if TYPE_CHECKING:
    from markdown_it.token import Token

WIDTH, ROW, LABEL, NUMBER = 720, 20, 300, 90  # pixels

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #d0d7de; padding: .25rem .75rem; text-align: left; }}
code {{ background: #f3f4f6; padding: 0 .2rem; }} svg text {{ font: 12px system-ui, sans-serif; }}
</style></head><body>
{body}</body></html>
"""


def report_page(markdown: str) -> str:
    """The page of a report."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink"])
    reader.add_render_rule("fence", _fence)
    title = markdown.partition("\n")[0].lstrip("# ")
    return _PAGE.format(title=escape(title), body=reader.render(markdown))


def _fence(_self: object, tokens: Sequence[Token], position: int, _options: object, _env: object) -> str:
    """A block of bars as a picture; any other as it is."""
    token = tokens[position]
    return svg_of_bars(token.content) if token.info == CHART else f"<pre>{escape(token.content)}</pre>\n"


def svg_of_bars(text: str) -> str:
    """Lines of a label, a tab and a value as a picture."""
    bars = []
    for line in text.splitlines():
        label, _, rest = line.partition("\t")
        value = rest.partition("\t")[0]
        bars.append((label, int(value) if value.isdecimal() else 0))
    most = max((value for _, value in bars), default=0) or 1
    rows = [_svg_row(number, label, value, most) for number, (label, value) in enumerate(bars)]
    size = f'width="{WIDTH}" height="{ROW * len(bars)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>{"".join(rows)}</svg>\n'


def _svg_row(number: int, label: str, value: int, most: int) -> str:
    top, length = number * ROW, round((WIDTH - LABEL - NUMBER) * value / most)
    return (
        f'<text x="0" y="{top + 14}">{escape(label)}</text>'
        f'<rect x="{LABEL}" y="{top + 3}" width="{length}" height="{ROW - 6}" fill="#2f6fde"/>'
        f'<text x="{LABEL + length + 6}" y="{top + 14}">{value}</text>'
    )
