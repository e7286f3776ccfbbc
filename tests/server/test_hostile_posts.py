"""What is posted is checked as a whole, and neither it nor what others have wrong reaches another tenant."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.connector_catalog import CATALOG, load_catalog
from pipeline.errors import QueryError
from server.orchestration.jobs.posted_tenant import check_files
from server.orchestration.jobs.tenants_edit import with_changes, with_tenant
from server.orchestration.jobs.tenants_edit_file import checked_change, plan_change
from server.serving.runs.tenant_status import TenantStatus
from tests.server.published_fixture import PublishedHome
from tests.server.test_rest_onboard import ACME, TENANTS, home_in

WRONG = "  - {slug: wrong, business_name: Wrong, status: pending, currency: XXQ}\n"


@pytest.fixture
def home(tmp_path: Path) -> PublishedHome:
    """With an entry and an included file of others that are wrong."""
    home = home_in(tmp_path)
    folder = home.settings.tenants.parent
    text = TENANTS.replace("# the end", f"{WRONG}include: more/*.yaml")
    home.settings.tenants.write_text(text, encoding="utf-8")
    (folder / "more").mkdir()
    (folder / "more" / "broken.yaml").write_text("tenants: [{slug: theirs\n", encoding="utf-8")
    return home


def test_a_tenant_is_posted_and_changed_beside_entries_that_are_wrong(home: PublishedHome) -> None:
    catalog = load_catalog(CATALOG)
    change = plan_change(home.settings.tenants, lambda text: with_tenant(text, ACME))
    after = checked_change(change, home.settings, catalog, "acme")
    check_files(after.get("acme"), home.settings)
    assert {entry.slug for entry in after.refused} == {"wrong", "theirs"}
    home.settings.tenants.write_text(change.after, encoding="utf-8")
    hidden = {"semantic": {"metrics": {"orders": {"hidden": True}}}}
    update = plan_change(home.settings.tenants, lambda text: with_changes(text, "acme", hidden))
    assert checked_change(update, home.settings, catalog, "acme").get("acme").semantic


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"slug": "wrong"}, "The slug 'wrong' is already taken"),
        ({"slug": "other"}, "The slug 'other' is already taken"),
        ({"currency": "XXQ"}, "currency is 'XXQ'"),
        ({"sources": {}}, "has no enabled ads source"),
    ],
)
def test_a_posted_entry_that_is_wrong_is_refused(home: PublishedHome, entry: dict[str, object], sentence: str) -> None:
    posted = {**ACME, **entry}
    change = plan_change(home.settings.tenants, lambda text: with_tenant(text, posted))
    with pytest.raises(QueryError, match=sentence):
        checked_change(change, home.settings, load_catalog(CATALOG), str(posted["slug"]))


OUTSIDE = "'orders_bad.jsonl' is not in the folder of tenants.yaml"
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a FIFO": (os.mkfifo, "not read: it is no regular file but a FIFO"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), OUTSIDE),
    "a file of the system": (
        lambda path: path.symlink_to("/etc/passwd"),
        OUTSIDE,
    ),
    "a link to itself": (lambda path: path.symlink_to(path.name), "cannot be read: too many levels of symbolic links"),
    "a neighbour's": (lambda path: path.symlink_to("../../theirs.jsonl"), "it is a link that leads out of its folder"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_posted_tenant_that_reads_what_is_no_file_of_its_folder_is_refused(home: PublishedHome, kind: str) -> None:
    folder = home.settings.tenants.parent
    (folder / "theirs.jsonl").write_text("{}\n", encoding="utf-8")
    make, sentence = FILES[kind]
    make(folder / "acme" / "shop" / "orders_bad.jsonl")
    change = plan_change(home.settings.tenants, lambda text: with_tenant(text, ACME))
    tenant = checked_change(change, home.settings, load_catalog(CATALOG), "acme").get("acme")
    with pytest.raises(QueryError, match=sentence):
        check_files(tenant, home.settings)


def test_a_refused_tenant_is_served_as_it_was_and_the_others_too(home: PublishedHome) -> None:
    status = TenantStatus(home.settings.tenants)
    assert [status.refusal(slug) for slug in ("other", "wrong", "theirs")] == [None, None, None]  # type: ignore[arg-type]
    assert status.refusal("nobody") is not None  # type: ignore[arg-type]
    text = home.settings.tenants.read_text(encoding="utf-8")
    home.settings.tenants.write_text(text.replace("status: pending, currency", "status: offboarded, currency"), "utf-8")
    assert status.refusal("wrong") is not None  # type: ignore[arg-type]
