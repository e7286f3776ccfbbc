"""`gata build --from bronze`: a hub that is damaged or gone is made anew, and no number changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.privacy.holdings import REPLACED_HUB
from pipeline.storage.bronze.batches import bronze_folder
from server.orchestration.verbs import build, validate
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import order, write_jsonl
from tests.end_to_end.test_damaged_outputs import garbage, rewrite
from tests.end_to_end.whole_homes import sums

SHOP = "small_shop"


@pytest.fixture(scope="module")
def restated(small: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The shop after an order was restated and another one came."""
    home = copy_project(small, tmp_path_factory.mktemp("renewal") / "project")
    later = [order(1, "99.00", updated="2026-03-05T10:00:00+01:00"), order(4, "5.00")]
    write_jsonl(home.settings.tenants.parent / "shop/orders_later.jsonl", later)
    home.build()
    return home


def lose(hub: Path) -> None:
    hub.unlink()


@pytest.mark.long
@pytest.mark.parametrize("accident", [lose, garbage])
def test_it_is_made_anew_of_bronze_alone_with_the_same_numbers(
    restated: Project, tmp_path: Path, accident: Callable[[Path], None]
) -> None:
    home = copy_project(restated, tmp_path)
    before = sums(home, SHOP)
    assert (len(before) >= 30, before["orders"]) == (True, 4)
    for exports in ("shop", "ads", "web"):
        shutil.rmtree(tmp_path / exports)
    accident(home.settings.hub)
    (report,) = home.build(from_bronze=True).tenants
    assert report.status == "published"
    assert sums(home, SHOP) == before
    assert not (home.settings.home / REPLACED_HUB).exists()
    assert [tenant.status for tenant in home.build().tenants] == ["unchanged"]


@pytest.mark.long
def test_what_bronze_lacks_comes_from_the_exports_and_what_both_lack_is_named(
    restated: Project, tmp_path: Path
) -> None:
    home = copy_project(restated, tmp_path)
    before = sums(home, SHOP)
    bronze = bronze_folder(home.settings, home.context.manifest.get(SHOP).slug)
    shutil.rmtree(bronze / "shopify")
    home.build(from_bronze=True)
    assert sums(home, SHOP) == before
    shutil.rmtree(bronze / "shopify")
    shutil.rmtree(tmp_path / "shop")
    (report,) = home.build(from_bronze=True).tenants
    said = " ".join(report.findings)
    assert "fct_small_shop__orders has 0 rows and had 4" in said
    assert "gata rollback --tenant small_shop" in said
    assert (home.settings.home / REPLACED_HUB).exists()


def test_it_is_made_for_all_tenants_at_once(small: Project) -> None:
    with pytest.raises(ConfigError, match="Leave --tenant out"):
        build(small.context, [SHOP], from_bronze=True)


@pytest.mark.long
def test_a_damaged_batch_is_named_by_the_full_validation(restated: Project, tmp_path: Path) -> None:
    home = copy_project(restated, tmp_path)
    assert validate(home.context, full=True).exit_code == 0
    (batch, *_) = bronze_folder(home.settings, home.context.manifest.get(SHOP).slug).glob("shopify/*/orders/*/*")
    (file, *_) = batch.glob("orders*")
    rewrite(file, b"{}")
    (report,) = validate(home.context, full=True).tenants
    assert f"{batch}: {file.name} has another checksum" in str(report.error)
    assert "gata build --from bronze" in str(report.error)
