"""A chart as a file: a picture, or its specification for other programs."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import ConfigError
from server.charts.vega import Chart

KINDS = {".svg": "svg", ".png": "png", ".json": "vega"}


def kind_of(file: Path) -> str:
    """The format of a chart file by its ending: svg, png or vega.

    Raises:
        ConfigError: Its ending names no format.
    """
    kind = KINDS.get(file.suffix.lower())
    if kind is None:
        raise ConfigError(f"--chart {file} has no ending that says what to draw.", "End it with .svg, .png or .json.")
    return kind


def write_chart(chart: Chart, file: Path) -> None:
    """Write the chart in the format of the file's ending.

    Raises:
        ConfigError: The file cannot be written.
    """
    from semantic.answering.exact_json import to_json
    from server.charts.pictures import picture

    kind = kind_of(file)
    content = f"{to_json(chart.spec)}\n".encode() if kind == "vega" else picture(chart.spec, kind)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {(error.strerror or str(error)).lower()}.", "Choose another file for --chart."
        ) from error
