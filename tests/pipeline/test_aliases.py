"""Aliases: one for each value, wherever it stands as a word of its own, and nothing of anybody else's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.connector_catalog import load_catalog
from pipeline.contracts.registry import blueprints
from pipeline.privacy.aliases import Aliases, identities_of, without_identities
from pipeline.privacy.forget import Person, anonymous

BLUEPRINTS = blueprints(load_catalog(Path(__file__).parents[2] / "supported_connectors.yaml"))
ANN = "ann@example.com"
DEVICE, OTHER = "62d5e6d9-dffd-4e99-87a0-e7149b800660", "0a0a0a0a-dffd-4e99-87a0-e7149b800660"


def text(record: Any) -> str:
    return json.dumps(record).lower()


@pytest.mark.parametrize(
    "text",
    [ANN, "ANN@Example.com", f"for {ANN}.", f"<{ANN}>", f"mailto:{ANN}", "?email=ann%40example.com&x=1", f'"{ANN}"'],
)
def test_an_address_is_found_in_any_text(text: str) -> None:
    aliases = Aliases([ANN])
    assert aliases.is_mentioned(text)
    assert "ann" not in aliases.in_text(text).lower()
    assert "forgotten-" in aliases.in_text(text)


@pytest.mark.parametrize("text", ["joann@example.com", "x.ann@example.com", f"{ANN}.au", f"{ANN}pany", "ann@example"])
def test_the_address_of_somebody_else_stays(text: str) -> None:
    aliases = Aliases([ANN])
    assert not aliases.is_mentioned(text)
    assert aliases.in_text(text) == text


@given(st.lists(st.integers(1, 10**12).map(str) | st.uuids().map(str), unique=True, max_size=20))
def test_different_values_have_different_aliases_and_digits_have_digits(values: list[str]) -> None:
    aliases = Aliases(values)
    given = [aliases.of(value) for value in values]
    assert len({*given, *values}) == 2 * len(values)
    for value, alias in zip(values, given, strict=True):
        assert aliases.of(value.upper()) == alias
        assert alias.removeprefix("-").isdigit() == value.isdigit()
        assert not value.isdigit() or aliases.of(int(value)) == int(alias)


@pytest.mark.parametrize("nobody", ["0", "", "00000000-0000-0000-0000-000000000000", "null", "anonymous", "(not set)"])
def test_what_says_that_nobody_is_known_stays(nobody: str) -> None:
    assert Aliases([nobody]).of(nobody) == nobody


def test_a_guests_order_stays_a_guests() -> None:
    order = {"id": 7, "customer_id": 0, "billing": {"email": ANN, "city": "Ulm"}, "total": "9.90"}
    person = Person(ANN, {})
    blueprint = BLUEPRINTS["woocommerce", "orders"]
    person.learn(order, blueprint)
    left = anonymous(order, blueprint, person)
    assert (left["id"], left["customer_id"], left["total"]) == (7, 0, "9.90")
    assert left["billing"].keys() == {"email"}
    assert ANN not in text(left)


@pytest.mark.parametrize(
    ("platform", "name"), [("woocommerce", "meta_data"), ("shopify", "note_attributes")], ids=lambda value: value
)
def test_what_links_an_order_to_its_payment_stays_and_other_notes_go(platform: str, name: str) -> None:
    key = "key" if platform == "woocommerce" else "name"
    payments = [{key: "_stripe_charge_id", "value": "ch_3tmgulKlhhRcaStf89Bfx9HY"}, {key: "x", "value": "pi_35uOSLp"}]
    order = {"id": 7, name: [*payments, {key: "gift for", "value": "Ann Rosenkranz"}, {key: "none", "value": None}]}
    left = without_identities(order, BLUEPRINTS[platform, "orders"].contract, Aliases([ANN]), is_own=True)
    assert left[name] == payments


def test_the_visits_of_a_shared_device_stay_apart_and_who_shares_it_stays_known() -> None:
    blueprint = BLUEPRINTS["mixpanel", "events"]

    def event(user: str | None, device: str, **more: str) -> dict[str, Any]:
        own = {"distinct_id": user or f"$device:{device}", "$device_id": device, "$user_id": user, "$city": "Ulm"}
        return {"event": "view", "properties": {"time": 1, "$insert_id": "x", **own, **more}}

    hers, before, elsewhere = event("ann-77", DEVICE), event(None, DEVICE), event("bob-88", DEVICE)
    unrelated = event("bob-88", OTHER)
    person = Person(ANN, {"mixpanel": frozenset({"ann-77"})})
    for record in (hers, before, elsewhere, unrelated):
        person.learn(record, blueprint)
    said = [anonymous(record, blueprint, person) for record in (hers, before, elsewhere, unrelated)]
    assert not any(trace in text(said) for trace in ("ann-77", DEVICE))
    own, visitor, bobs, others = (record["properties"] for record in said)
    assert own["$device_id"] == visitor["$device_id"] == bobs["$device_id"]
    assert visitor["distinct_id"] == f"$device:{own['$device_id']}"
    assert (bobs["distinct_id"], bobs["$city"], others) == ("bob-88", "Ulm", unrelated["properties"])
    assert "$city" not in own


def test_the_ids_beside_the_address_are_the_persons_also_where_no_star_knows_them() -> None:
    person = Person(ANN, {})
    profile = {"$distinct_id": "ann-77-long", "$properties": {"$email": "Ann@Example.com", "$city": "Ulm"}}
    assert person.learn(profile, BLUEPRINTS["mixpanel", "people"])
    event = {"event": "view", "properties": {"time": 1, "$insert_id": "x", "distinct_id": "ann-77-long"}}
    left = anonymous(event, BLUEPRINTS["mixpanel", "events"], person)
    assert left["properties"]["distinct_id"] == person.aliases.of("ann-77-long") != "ann-77-long"


def test_who_only_mentions_the_person_stays_known() -> None:
    order = {"id": 7, "email": "bob@example.com", "customer": {"id": 5}, "note_attributes": [], "name": f"for {ANN}"}
    person, blueprint = Person(ANN, {}), BLUEPRINTS["shopify", "orders"]
    assert person.learn(order, blueprint) is False
    left = anonymous(order, blueprint, person)
    assert (left["email"], left["customer"]) == ("bob@example.com", {"id": 5})
    assert ANN not in text(left)


def test_every_path_that_names_somebody_is_one_of_its_contract() -> None:
    for blueprint in BLUEPRINTS.values():
        contract = blueprint.contract
        assert list(identities_of({}, contract)) == []
        assert without_identities({}, contract, Aliases([ANN]), is_own=True) == {}
    named = {platform for (platform, _), blueprint in BLUEPRINTS.items() if blueprint.contract.identity}
    shops = {"shopify", "bigcommerce", "woocommerce", "stripe"}
    assert named == shops | {"google_analytics", "amplitude", "mixpanel"}
