"""The columns of sinks, pushers and landing tables: a sentence about each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from warehouse.projects.properties.property_file import Tree

SINK = {
    "tenant_slug": "The tenant whose record it is.",
    "source_platform": "The connector that read the record.",
    "source_account": "The account of the connector, as tenants.yaml names it.",
    "tenant_skey": "The record's surrogate key: MD5 of tenant, platform, account and the vendor's key.",
    "source_schema_hash": "The fingerprint of the contract that the record was read with.",
    "loaded_at": "When the record was landed (UTC).",
    "raw_data_payload": "The whole record as JSON, in the order of the contract; a tombstone where it was withdrawn.",
    "payload_hash": "128 bits of MD5 over the canonical payload: a payload that is known is not stored again.",
    "payload_date": "The day the record is about; NULL where it has none.",
    "load_id": "The load that brought it, as in platform_ops__push_ledger.",
    "version_at": "The vendor's own time of this version of the record (UTC); NULL where it sends none.",
    "exported_at": "When the vendor exported it, else when its file came (UTC).",
    "source_position": "The record's line in its file.",
}
"""By column of a sink."""
PUSHED = SINK | {
    "covered_at": "From when the record's delivery counts (UTC).",
    "is_dated": "The export says its own time.",
    "batch_id": "The delivery that the record came in; NULL for one that was landed before there were deliveries.",
    "source_file": "The file that the record came in.",
    "event_id": "SHA-256 of the object and the record's key: equal for equal records, wherever they are read.",
}
"""By column of a staging pusher: those of its sink, and where the record came from."""
LOADER = {
    "_extra": "Fields of the record that the contract does not know, as JSON; NULL where there is none.",
    "_account": "The account of the connector, as tenants.yaml names it.",
    "_source_file": "The file that the record came in.",
    "_source_line": "The record's line in that file.",
    "_exported_at": "The time that the export itself says (UTC); NULL where it says none.",
    "_landed_at": "When the record was landed (UTC).",
    "_batch_id": "The delivery that the record came in.",
    "_dlt_load_id": "The load that brought it.",
}
"""By column of a landing table that the loader adds to the contract's fields."""
DELIVERIES = {
    "platform": "The connector.",
    "account": "The account of the connector.",
    "object": "The object of the connector.",
    "batch_id": "The delivery.",
    "identity": "What tells the delivery from others: its name, or the digest of its files.",
    "delivered_at": "When it was delivered, and from when on it counts (UTC).",
    "is_dated": "The delivery says its own time.",
    "name_order": "Its place among deliveries of one time, by name.",
    "days": "The days that it covers, as JSON.",
    "refused": "Why it was refused; NULL where it was taken.",
    "_landed_at": "When it was landed (UTC).",
    "_dlt_load_id": "The load that took it.",
}
LOADS = {
    "load_id": "The load.",
    "schema_name": "The loader's name for the tables of the tenant.",
    "status": "0 where the load was finished.",
    "inserted_at": "When it was finished.",
    "schema_version_hash": "The loader's fingerprint of the tables.",
}
"""By column of dlt's table of loads."""
BLUEPRINTS = {
    "source_name": "The connector.",
    "source_table_name": "The object of the connector.",
    "source_schema_hash": "The fingerprint of the contract: MD5 of its landing columns and their types.",
    "master_model_id": "The master model that records of this fingerprint are routed to.",
    "version": "The version of the contract.",
    "registered_at": "Since when the fingerprint is known (UTC).",
}
HASHES = {
    "source_schema_hash": BLUEPRINTS["source_schema_hash"],
    "source_platform": "The connector.",
    "source_object": "The object of the connector.",
    "version": BLUEPRINTS["version"],
    "ordered_columns": "The landing columns behind the fingerprint, with their types, in order.",
    "registered_at": BLUEPRINTS["registered_at"],
}
SINKS = {
    "master_model": "The sink: a table of the hub.",
    "master_model_id": "Connector and version that the sink is named for.",
    "source_object": "The object whose records it holds.",
    "source_platforms": "The connectors whose records it takes; those that are alike share one.",
    "version": BLUEPRINTS["version"],
    "source_schema_hash": "The fingerprint of the contract it takes records in.",
}


def described(columns: Mapping[str, str], tests: Mapping[str, Iterable[object]] | None = None) -> list[Tree]:
    """The `columns:` of a property file: each with its sentence, and its tests where it has any."""
    entries: list[Tree] = [{"name": name, "description": sentence} for name, sentence in columns.items()]
    for entry in entries:
        if own := list((tests or {}).get(str(entry["name"]), ())):
            entry["data_tests"] = own
    return entries
