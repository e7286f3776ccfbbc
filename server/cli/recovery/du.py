"""Verb that says what the state folder holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from server.cli.options import AsJson, read_command_settings

if TYPE_CHECKING:
    from pipeline.privacy.disk_usage import DiskUsage


def du(as_json: AsJson = False) -> None:
    """Show the bytes of the state folder, by place and tenant; name the files in it that are not gata's.

    A file with several names, such as an unchanged star of two runs, counts once.
    """
    settings = read_command_settings()
    from pipeline.privacy.disk_usage import disk_usage
    from server.cli.output.stdout import print_json, print_text

    usage = disk_usage(settings.home)
    if as_json:
        print_json({"home": str(settings.home), **_to_dict(usage)})
    else:
        print_text(_text(usage))


def _to_dict(usage: DiskUsage) -> dict[str, Any]:  # Any: JSON values
    places = [
        {"place": one.place, "tenant": one.tenant, "holds": one.holds, "files": one.files, "bytes": one.bytes}
        for one in usage.places
    ]
    unknown = [{"path": file.relative, "bytes": file.status.st_size} for file in usage.unknown]
    return {"bytes": usage.bytes, "places": places, "unknown": unknown}


def _text(usage: DiskUsage) -> str:
    from server.cli.output.tables import add_row, render, table

    rows = table("place", "tenant", "holds", "files", "bytes", right=("files", "bytes"))
    for one in usage.places:
        add_row(rows, one.place, one.tenant or "(all)", one.holds, f"{one.files:,}", f"{one.bytes:,}")
    lines = [f"{usage.bytes:,} bytes in all."]
    lines += [f"Not gata's: {file.relative} ({file.status.st_size:,} bytes)." for file in usage.unknown]
    return render(rows, "", *lines)
