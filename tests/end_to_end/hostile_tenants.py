"""Tenants whose exports, entries or state would stop a build that trusts them; each kind with what is said of it."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.admission.limits import RECORD_BYTES, SAFE_BYTES
from tests.end_to_end.small_shop import ORDERS, order, write_jsonl

ENTRY = """\
  - slug: {slug}
    business_name: {slug}
    currency: EUR
    domains: [ecommerce]
    sources: {{shopify: {{enabled: true, read: {{kind: files, objects: {{orders: '{slug}/orders*'}}}}}}}}
"""
HEALTHY_ORDERS, HEALTHY_REVENUE = len(ORDERS), "60.75"
Spoil = Callable[[Path], object]


@dataclass(frozen=True)
class Kind:
    """One thing that is wrong with a tenant.

    Attributes:
        spoil: Makes it so, in the folder of its exports.
        said: What the report on the tenant says of it.
    """

    spoil: Spoil
    said: str


def _gzipped(block: bytes, times: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(times):
            file.write(block)
    return packed.getvalue()


def _zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def _writes(name: str, content: Callable[[], bytes]) -> Spoil:
    return lambda folder: (folder / name).write_bytes(content())


def _links(name: str, target: str) -> Spoil:
    return lambda folder: (folder / name).symlink_to(target)


def _wide() -> bytes:
    return json.dumps({**order(91, "1.00"), **{f"key_{number}": number for number in range(20_000)}}).encode() + b"\n"


def _many_names() -> bytes:
    records = ({**order(1000 + number, "0.00"), f"own_{number}": number} for number in range(3_000))
    return "".join(json.dumps(record) + "\n" for record in records).encode()


TOO_MANY = (SAFE_BYTES >> 20) + 1
IN_FILES: Mapping[str, Kind] = {
    "name": Kind(
        lambda folder: (folder / os.fsdecode(b"orders_f\xfcr.jsonl")).write_text("{}"), "its name is not UTF-8"
    ),
    "fifo": Kind(lambda folder: os.mkfifo(folder / "orders_fifo.jsonl"), "orders_fifo.jsonl is in quarantine"),
    "neighbour": Kind(
        _links("orders_theirs.jsonl", "../healthy_0/orders.jsonl"), "a link that leads out of its folder"
    ),
    "device": Kind(_links("orders_device.jsonl", "/dev/zero"), "orders_device.jsonl is in quarantine"),
    "system": Kind(_links("orders_system.csv", "/etc/passwd"), "orders_system.csv is in quarantine"),
    "bomb": Kind(
        _writes("orders_bomb.jsonl.gz", lambda: _gzipped(b" " * ((1 << 20) - 1) + b"\n", TOO_MANY)),
        "orders_bomb.jsonl.gz is in quarantine as a whole: it unpacks to more than",
    ),
    "nested": Kind(
        _writes("orders_nested.zip", lambda: _zipped("a.jsonl.gz", _gzipped(b"\n" * (1 << 20), TOO_MANY))),
        "orders_nested.zip/a.jsonl.gz is in quarantine as a whole: it unpacks to more than",
    ),
    "blank": Kind(_writes("orders_blank.jsonl.gz", lambda: gzip.compress(b"\n" * 20_000_000)), "holds no records"),
    "giant": Kind(
        _writes("orders_giant.json.gz", lambda: gzip.compress(b'{"id":9,"note":"' + b"x" * RECORD_BYTES + b'"}', 1)),
        "orders_giant.json.gz is in quarantine as a whole: one record of more than",
    ),
    "wide": Kind(_writes("orders_wide.jsonl", _wide), "in quarantine and not counted"),
    "columns": Kind(
        _writes("orders_columns.csv", lambda: ",".join(f"c{number}" for number in range(20_000)).encode() + b"\n1\n"),
        "its header has 20,000 columns",
    ),
    "deep": Kind(_writes("orders_deep.json", lambda: b"[" * 100_000 + b"]" * 100_000), "in quarantine and not counted"),
    "noise": Kind(
        _writes("orders_noise.parquet", lambda: bytes(range(256)) * 40), "orders_noise.parquet is in quarantine"
    ),
}
"""In the exports: such a tenant is published, from what is good."""
NAMES = Kind(_writes("orders_names.jsonl", _many_names), "more")


def _loop(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.name)


FAILING: Mapping[str, Kind] = {
    "closed": Kind(
        lambda folder: [[each.unlink() for each in folder.iterdir()], folder.rmdir(), _loop(folder)],
        "hostile_closed cannot be read: too many levels of symbolic links",
    ),
    "published": Kind(
        lambda folder: _loop(folder.parent / "state/published" / folder.name), "published/hostile_published cannot be"
    ),
    "note": Kind(
        lambda folder: (folder.parent / "state/tenants" / folder.name / "built.json").mkdir(parents=True),
        "built.json cannot be used: is a directory",
    ),
}
"""In a folder that cannot be read or written: such a tenant fails, and keeps the run it had."""
MENDED: Mapping[str, Kind] = {
    "empty": Kind(
        lambda folder: (folder / "orders.jsonl").rename(folder / "orders.json").write_text("[]"), "holds no records"
    ),
    "pointer": Kind(
        lambda folder: [
            (folder.parent / "state/published" / folder.name).mkdir(parents=True),
            (folder.parent / "state/published" / folder.name / "_latest.json").touch(),
        ],
        "",
    ),
}
"""What a build takes, or puts in order: such a tenant is published."""
REFUSED: Mapping[str, str] = {
    "refused_typo": "currency is 'XXQ'",
    "refused_twice": "The slug 'refused_twice' is already taken",
    "refused_file": "This is not valid YAML",
    "refused_fifo.yaml": "it is no regular file but a FIFO",
}


def posted_entry(slug: str) -> dict[str, object]:
    """The entry of a tenant as it is posted; `ENTRY` is the same in tenants.yaml."""
    reads = {"kind": "files", "objects": {"orders": f"{slug}/orders*"}}
    sources = {"shopify": {"enabled": True, "read": reads}}
    return {"slug": slug, "business_name": slug, "currency": "EUR", "domains": ["ecommerce"], "sources": sources}


@dataclass(frozen=True)
class Hostile:
    """The tenants of a home: those that are well, and the others with what the report says of each."""

    healthy: Sequence[str]
    published: Mapping[str, Sequence[str]]
    failing: Mapping[str, str]


def write_hostile_home(folder: Path, healthy: int, *, apart: bool = False) -> Hostile:
    """Write exports, tenants.yaml and its includes into a folder; nothing is built.

    Args:
        apart: A tenant for each kind of hostile export, instead of one that has all of them.
    """
    names = [f"healthy_{number}" for number in range(healthy)]
    groups = {kind: [kind] for kind in IN_FILES} if apart else {"files": list(IN_FILES)}
    spoilt = {f"hostile_{name}": [IN_FILES[kind] for kind in kinds] for name, kinds in groups.items()}
    spoilt |= {f"hostile_{name}": [kind] for name, kind in {**MENDED, **FAILING}.items()}
    spoilt["hostile_names"] = [NAMES]
    for name in (*names, *spoilt):
        write_jsonl(folder / name / "orders.jsonl", ORDERS)
    for name, kinds in spoilt.items():
        for kind in kinds:
            kind.spoil(folder / name)
    _write_entries(folder, [*names, *spoilt])
    failing = {f"hostile_{name}": kind.said for name, kind in FAILING.items()}
    published = {name: [kind.said for kind in kinds] for name, kinds in spoilt.items() if name not in failing}
    return Hostile(names, published, failing)


def _write_entries(folder: Path, names: Sequence[str]) -> None:
    """Write tenants.yaml: the tenants, entries that are wrong, and includes that are."""
    twice = ENTRY.format(slug="refused_twice")
    wrong = ENTRY.format(slug="refused_typo").replace("EUR", "XXQ") + twice + twice
    entries = "".join(ENTRY.format(slug=name) for name in names)
    (folder / "tenants.yaml").write_text(f"include: more/*.yaml\ntenants:\n{entries}{wrong}", encoding="utf-8")
    (folder / "more").mkdir()
    broken = "tenants:\n" + ENTRY.format(slug="refused_file") + "  - {business_name: 'open\n"
    (folder / "more/refused_file.yaml").write_text(broken, encoding="utf-8")
    os.mkfifo(folder / "more/refused_fifo.yaml")


def problems(report: Mapping[str, object], hostile: Hostile) -> list[str]:
    """What of a build's report (`BuildReport.to_dict`) is not as it must be, one sentence each."""
    tenants = report["tenants"]
    assert isinstance(tenants, list)
    lines = {Path(each["tenant"]).name: each for each in tenants}
    found = [f"{name} is {lines[name]['status']}" for name in hostile.healthy if lines[name]["status"] != "published"]
    for name, saids in hostile.published.items():
        text = json.dumps(lines[name], ensure_ascii=False)
        found += [f"{name} is {lines[name]['status']}: {text}"] if lines[name]["status"] != "published" else []
        found += [f"{name} does not say {said!r}: {text}" for said in saids if said not in text]
    expected = {**{name: ("failed", said) for name, said in hostile.failing.items()}}
    expected |= {name: ("refused", said) for name, said in REFUSED.items()}
    for name, (status, said) in expected.items():
        text = json.dumps(lines.get(name), ensure_ascii=False)
        if status not in text or said not in text:
            found.append(f"{name} is not {status} with {said!r}: {text}")
    return found
