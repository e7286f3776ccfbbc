"""Published contracts only ever gain fields."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.contracts.contract_lock import LOCK, check_lock, frozen
from pipeline.contracts.fields import Contract, DecimalText, Integer, Quantity, Text
from pipeline.contracts.registry import Blueprint, blueprints
from pipeline.errors import ConfigError
from pipeline.storage.contract_lock_file import LockUpdate, update_lock, write_lock

ROOT = Path(__file__).resolve().parents[2]
BLUEPRINTS = blueprints(load_catalog(ROOT / "supported_connectors.yaml"))


class Order(Contract):
    key = ("id",)
    date_field = "id"

    id: Integer = None
    total: DecimalText = None


class LongerOrder(Order):
    note: Text = None


class ShorterOrder(Contract):
    key = ("id",)
    date_field = "id"

    id: Integer = None


class RetypedOrder(Order):
    total: Text = None  # type: ignore[assignment]  # the change under test


class WiderNumber(Contract):
    key = ("id",)
    date_field = "id"

    id: Quantity = None
    total: DecimalText = None


class OtherKey(Order):
    key = ("id", "total")


class Demanding(Order):
    required = ("total",)


class LessDemanding(Demanding):
    required = ()


class Dated(Order):
    date_field = "total"


class Versioned(Order):
    version_field = "total"


class Daily(Order):
    daily_slice = True


class Zoned(Order):
    zone = "utc"


class Reordered(Contract):
    key = ("id",)
    date_field = "id"

    total: DecimalText = None
    id: Integer = None


class WiderInTheMiddle(Contract):
    key = ("id",)
    date_field = "id"

    id: Integer = None
    note: Text = None
    total: DecimalText = None


def of(contract: type[Contract], version: str = "v1") -> dict[tuple[str, str], Blueprint]:
    known = BLUEPRINTS["shopify", "orders"]
    return {("shop", "orders"): replace(known, contract=contract, version=version, master_model_id="shop")}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "contracts.lock.yaml"
    write_lock(frozen(of(Order)), path)
    return path


def test_the_committed_lock_holds_every_contract_as_it_is() -> None:
    assert check_lock(BLUEPRINTS, ROOT / "contracts.lock.yaml") is None, "run `gata library` and commit the lock file"


@pytest.mark.parametrize("wider", [LongerOrder, WiderInTheMiddle])
def test_a_new_field_passes_and_is_added(lock: Path, wider: type[Contract]) -> None:
    assert check_lock(of(wider), lock)
    assert update_lock(of(wider), lock) == LockUpdate(str(lock), ("shop v1",), is_written=True)
    assert check_lock(of(wider), lock) is None
    assert update_lock(of(wider), lock) == LockUpdate(str(lock), (), is_written=False)
    with pytest.raises(ConfigError, match="its note was 'VARCHAR text' and is gone"):
        check_lock(of(Order), lock)


def test_a_whole_number_may_become_a_decimal_one_and_never_back(lock: Path) -> None:
    assert update_lock(of(WiderNumber), lock).is_written
    assert "id: DECIMAL(18,6) decimal" in lock.read_text()
    assert check_lock(of(WiderNumber), lock) is None
    with pytest.raises(ConfigError, match="its id was 'DECIMAL\\(18,6\\) decimal' and is 'BIGINT integer'"):
        check_lock(of(Order), lock)


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (ShorterOrder, "its total was 'VARCHAR decimal' and is gone"),
        (RetypedOrder, "its total was 'VARCHAR decimal' and is 'VARCHAR text'"),
        (OtherKey, "its (key) was 'id' and is 'id, total'"),
        (Demanding, "its (required) was '' and is 'total'"),
        (Dated, "its (date) was 'id' and is 'total'"),
        (Versioned, "its (version) was '' and is 'total'"),
        (Daily, "its (slice) was '' and is 'day'"),
        (Zoned, "its (zone) was '' and is 'utc'"),
        (Reordered, "after (zone) came 'id' and comes 'total'"),
    ],
)
def test_anything_else_is_refused_by_contract_field_old_and_new(
    lock: Path, contract: type[Contract], message: str
) -> None:
    before = lock.read_text()
    with pytest.raises(ConfigError) as refused:
        update_lock(of(contract), lock)
    assert message in refused.value.what
    assert "shop v1 orders" in refused.value.what
    assert lock.read_text() == before


def test_fields_that_are_no_longer_required_pass_and_required_again_are_refused(lock: Path) -> None:
    assert update_lock(of(Demanding, "v2"), lock).is_written
    assert update_lock(of(LessDemanding, "v2"), lock).is_written
    with pytest.raises(ConfigError, match=r"its \(required\) was '' and is 'total'"):
        check_lock(of(Demanding, "v2"), lock)


def test_a_new_version_may_be_anything(lock: Path) -> None:
    assert update_lock(of(ShorterOrder, "v2"), lock).is_written
    assert check_lock(of(Order), lock) is None


def test_an_object_that_is_taken_from_a_published_version_is_refused(lock: Path) -> None:
    others = {("shop", "carts"): replace(of(Order)["shop", "orders"], object="carts")}
    with pytest.raises(ConfigError, match="The contract shop v1 orders is published, and is gone"):
        check_lock(others, lock)


def test_a_connector_that_is_not_installed_stays_in_the_lock(lock: Path) -> None:
    assert check_lock({}, lock) is None


def test_without_a_lock_in_the_working_directory_the_bundled_one_holds_and_is_never_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = (ROOT / LOCK).read_bytes()
    known = BLUEPRINTS["shopify", "orders"]
    changed = {("shopify", "orders"): replace(known, contract=Order)}
    with pytest.raises(ConfigError, match=rf"The contract {known.master_model_id} .* is published, and"):
        check_lock(changed)
    newer = {("shopify", "orders"): replace(known, version="v99")}
    assert check_lock(BLUEPRINTS) is None
    assert update_lock(newer) == LockUpdate(str(ROOT / LOCK), (f"{known.master_model_id} v99",), is_written=False)
    assert ((ROOT / LOCK).read_bytes(), list(tmp_path.iterdir())) == (before, [])


def test_a_copy_of_the_bundled_lock_in_the_working_directory_gains_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    newer = {("shopify", "orders"): replace(BLUEPRINTS["shopify", "orders"], version="v99")}
    shutil.copy(ROOT / LOCK, tmp_path)
    assert update_lock(newer).is_written
    assert check_lock(newer) is None
