"""A folder is read by what its files hold: each goes to its object, and what is of none or of several is named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipeline.config.accounts import Account, Read
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import load_tenants
from pipeline.errors import ConfigError
from pipeline.ingest.recognition import routing
from pipeline.ingest.recognition.folder import folder_files
from tests.pipeline.landing_fixture import BLUEPRINTS, CATALOG, LandingFixture, table_of
from tests.pipeline.vendor_records import ad_day, charge, google_campaign, insight, jsonl, order, times, without

PLATFORMS = ("facebook_ads", "google_ads", "instagram_ads", "stripe")
FEW = {
    key: BLUEPRINTS[key] for key in BLUEPRINTS if key[0] in ("facebook_ads", "google_ads", "instagram_ads", "stripe")
}


@pytest.fixture
def landing(tmp_path: Path) -> LandingFixture:
    return LandingFixture(tmp_path)


def reading(folder: Path, *platforms: str, **objects: tuple[str, ...]) -> Tenant:
    """A tenant whose sources all read one folder."""
    read = Read(kind="files", folder=str(folder), objects=objects)
    sources = tuple(
        Source(
            platform=platform,
            domain=CATALOG[platform].domain,
            objects=CATALOG[platform].objects,
            like=CATALOG[platform].like,
            enabled=True,
            accounts=(Account(read=read),),
        )
        for platform in platforms
    )
    return Tenant(slug="acme", business_name="Acme", sources=sources)


def test_each_file_of_a_folder_lands_as_the_object_that_it_is(landing: LandingFixture) -> None:
    landing.write("export (1).jsonl", jsonl(times(3, ad_day)))
    (landing.files / "2026" / "january").mkdir(parents=True)
    landing.write("2026/january/more.jsonl", jsonl(times(2, google_campaign)))
    with zipfile.ZipFile(landing.files / "both.zip", "w") as archive:
        archive.writestr("c.jsonl", jsonl(times(4, charge)))
        archive.writestr(".hidden", "x")
    landed = landing.land(reading(landing.files, "google_ads", "stripe"), FEW)
    rows = {table.object: table.rows for table in landed.tables if table.rows}
    assert rows == {"ad_performance": 3, "campaigns": 2, "charges": 4}
    assert not any(table.quarantined or table.findings for table in landed.tables)


def test_what_fits_none_is_quarantined_by_name_and_stops_nothing(landing: LandingFixture) -> None:
    landing.write("good.jsonl", jsonl(times(3, ad_day)))
    landing.write("notes.txt", "hello")
    landing.write("refunds.jsonl", jsonl([{**record, "object": "refund"} for record in times(2, charge)]))
    tenant = reading(landing.files, "google_ads")
    landed = landing.land(tenant, FEW)
    assert table_of(landed, "ad_performance").rows == 3
    (told,) = [table for table in landed.tables if table.findings]
    assert told.findings[0].startswith("notes.txt is in quarantine as a whole: not read: no reader for the ending")
    assert told.findings[1].startswith("refunds.jsonl is in quarantine as a whole: not read: its records are refund")
    whole = landing.query("select parse_filename(path), line, record from quarantine order by 1")
    assert whole == [("notes.txt", None, None), ("refunds.jsonl", None, None)]
    again = landing.land(tenant, FEW)
    assert again.load_id is None
    (told,) = [table for table in again.tables if table.findings]
    assert told.findings[1].startswith("refunds.jsonl still not read: its records are refund")


def test_a_file_of_another_platform_or_of_two_that_share_records_is_refused(landing: LandingFixture) -> None:
    landing.write("charges.jsonl", jsonl(times(3, charge)))
    landing.write("insights.jsonl", jsonl(times(3, insight)))
    routed = routing.route_folders(reading(landing.files, "facebook_ads", "instagram_ads"), FEW, landing.settings)
    reasons = {path.name: why for each in routed.values() for path, why in each.refused}
    assert reasons == {
        "charges.jsonl": "not read: it is charges of stripe, and its folder is that of facebook_ads and instagram_ads",
        "insights.jsonl": "not told apart: it fits facebook_insights of facebook_ads, and facebook_insights of"
        " instagram_ads equally well; give each source a folder of its own",
    }
    alone = routing.route_folders(reading(landing.files, "instagram_ads"), FEW, landing.settings)
    assert [path.name for path in alone["instagram_ads", "main", "facebook_insights"].paths] == ["insights.jsonl"]


def test_a_file_named_under_objects_is_what_it_is_named(landing: LandingFixture) -> None:
    few = landing.write("few.csv", "id,name,status\n1,Spring,ACTIVE\n2,Fall,ACTIVE\n")
    routed = routing.route_folders(reading(landing.files, "facebook_ads"), FEW, landing.settings)
    ((_, reason),) = [refused for each in routed.values() for refused in each.refused]
    assert reason.endswith("ads, ad_sets and campaigns of facebook_ads equally well; name it under objects")
    landed = landing.land(reading(landing.files, "facebook_ads", campaigns=(str(few),)), FEW)
    assert {table.object: table.rows for table in landed.tables if table.rows} == {"campaigns": 2}
    assert not any(table.findings for table in landed.tables)


def test_a_report_that_lost_its_cost_is_withheld_as_that_report(landing: LandingFixture) -> None:
    landing.write("a.jsonl", jsonl([without(record, "metrics.costMicros") for record in times(3, ad_day)]))
    landed = landing.land(reading(landing.files, "google_ads"), FEW)
    assert "metrics.costMicros is in every export" in table_of(landed, "ad_performance").drift[0]


def test_hidden_unfinished_and_foreign_files_are_passed_over_and_links_out_are_refused(landing: LandingFixture) -> None:
    outside = landing.files.parent / "outside.jsonl"
    outside.write_text(jsonl(times(1, order)), encoding="utf-8")
    (landing.files.parent / "elsewhere").mkdir()
    (landing.files / "sub").mkdir()
    (landing.files / ".git").mkdir()
    names = [
        "a.jsonl",
        "b.jsonl.part",
        "c.tmp",
        ".DS_Store",
        "~$d.csv",
        "_SUCCESS",
        "sub/_MANIFEST.json",
        ".git/e.jsonl",
    ]
    for name in [*names, "sub/f.csv.crdownload", "sub/g.csv"]:
        landing.write(name, "x")
    (landing.files / "link.jsonl").symlink_to(outside)
    (landing.files / "linked").symlink_to(landing.files.parent / "elsewhere")
    (landing.files / "inside").symlink_to(landing.files / "sub")
    (landing.files / "same.jsonl").symlink_to(landing.files / "a.jsonl")
    found = {str(file.path.relative_to(landing.files)): file.refused for file in folder_files(landing.files)}
    out = "not read: it is a link that leads out of its folder"
    assert found == {"a.jsonl": None, "sub/g.csv": None, "same.jsonl": None, "link.jsonl": out, "linked": out}


def test_a_build_recognises_only_what_is_new(landing: LandingFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    recognise = routing.recognise

    def watched(con: object, path: Path, *more: object, **named: object) -> object:
        asked.append(path.name)
        return recognise(con, path, *more, **named)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(routing, "recognise", watched)
    tenant = reading(landing.files, "google_ads")
    for number in range(3):
        landing.write(f"{number}.jsonl", jsonl([{**record, "number": number} for record in times(2, ad_day)]))
    first = routing.route_folders(tenant, FEW, landing.settings)
    landing.write("new.jsonl", jsonl(times(5, ad_day)))
    (landing.files / "0.jsonl").rename(landing.files / "renamed.jsonl")
    routing.route_folders(tenant, FEW, landing.settings)
    assert asked == ["0.jsonl", "1.jsonl", "2.jsonl", "new.jsonl"]
    assert len(first["google_ads", "main", "ad_performance"].paths) == 3
    kept = (landing.settings.home / "recognised" / "acme" / "files.json").read_text(encoding="utf-8")
    assert "EUR" not in kept
    (landing.settings.home / "recognised" / "acme" / "files.json").write_text("damaged", encoding="utf-8")
    assert routing.route_folders(tenant, FEW, landing.settings)


def test_a_folder_that_is_not_there_is_a_finding(landing: LandingFixture) -> None:
    landed = landing.land(reading(landing.files / "gone", "google_ads"), FEW)
    assert [finding for table in landed.tables for finding in table.findings] == [
        f"there is no folder {landing.files}/gone"
    ]


YAML = """
tenants:
  - slug: acme
    business_name: Acme
    domains: [ads]
    sources:
      google_ads:
        enabled: true
"""


def test_a_folder_of_tenants_yaml_starts_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(f"{YAML}        read: {{kind: files, folder: exports/}}\n", encoding="utf-8")
    read = load_tenants(file, CATALOG).get("acme").source("google_ads").accounts[0].read
    assert (read.folder, read.objects) == (str(tmp_path / "exports"), {})


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("        read: {kind: synthetic, folder: exports}\n", "folder names files, but kind is synthetic."),
        ("        read: {kind: files, folder: 's3://a/b'}\n", "folder is 's3://a/b', an address."),
        (
            "        accounts: {eu: {read: {kind: files, folder: a}}, us: {read: {kind: files, folder: a/us}}}\n",
            "The accounts eu and us read the same folder",
        ),
    ],
)
def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path, lines: str, sentence: str) -> None:
    file = tmp_path / "tenants.yaml"
    file.write_text(YAML + lines, encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence.replace(".", r"\.")):
        load_tenants(file, CATALOG)
