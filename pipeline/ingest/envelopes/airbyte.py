"""Airbyte's raw records: each is in `_airbyte_data`, an object or JSON text, beside columns about its sync.

Source: docs.airbyte.com, destinations S3 and local JSON (`_airbyte_ab_id`, `_airbyte_emitted_at`; since version 2
`_airbyte_raw_id`, `_airbyte_extracted_at`, `_airbyte_meta`).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from pipeline.ingest.envelopes.items import Texts

RAW_DATA = "_airbyte_data"


def data_of_raw(con: duckdb.DuckDBPyConnection, items: Iterator[Texts]) -> Iterator[Texts]:
    """The records inside raw ones; other items are unchanged."""
    data = f"json_extract(line, '$.{RAW_DATA}')"
    inner = f"case when json_type({data}) = 'VARCHAR' then {data} ->> '$' else {data}::varchar end"
    is_raw = f"case when json_valid(line) then json_exists(line, '$.{RAW_DATA}') else false end"
    record = f"case when {is_raw} then {inner} else line end"
    for first, texts in items:
        con.register("items", pa.table({"line": texts}))
        table = con.execute(f"select {record} as line from items").to_arrow_table()
        yield first, table.column(0).combine_chunks()
