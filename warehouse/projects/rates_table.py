"""A tenant's exchange rates in its star: the table of rates, and the columns of money that they fill.

Amounts stay as they came, in the row's own `currency`; beside each stands the same in the reporting currency.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.config.tenant import Tenant
from pipeline.currency.exchange_rates import RATE
from warehouse.projects.properties.property_file import GENERATED
from warehouse.star_schema import MONEY, Column, Table

RATES_FILE = "GATA_RATES_FILE"
"""The environment variable with the path of the file that `pipeline.currency.exchange_rates.write_rates` writes."""
ENDING = "_converted"


def with_rates(table: Table, reporting: str) -> Table:
    """The table with each of its amounts in the reporting currency, and the rate that was taken."""
    if table.date is None or not table.money:
        return table
    day_of_rate = table.rate_date or table.date
    converted = tuple(
        Column(
            f"{column.name}{ENDING}",
            MONEY,
            f"{column.name} in {reporting}, by the last rate on or before {day_of_rate}; NULL where there is none.",
            converts=column.name,
        )
        for column in table.money
    )
    rate = Column("exchange_rate", RATE, f"What one unit of currency was worth in {reporting}; NULL where not known.")
    day = Column("exchange_rate_date", "DATE", f"The day of that rate; NULL for {reporting} itself.")
    return replace(table, columns=(*table.columns, *converted, rate, day))


def rates_table(tenant: Tenant) -> dict[str, str]:
    """The model of the tenant's rates; empty without a rates file."""
    if tenant.rates is None:
        return {}
    text = f"""{{#- {GENERATED}
    What one unit of a currency was worth in {tenant.currency}, from a day on until its next rate. -#}}
{{{{ config(materialized='table') }}}}
select
    currency,
    date as rate_date,
    rate
from read_parquet('{{{{ env_var('{RATES_FILE}', '../stars_rates.parquet') }}}}')
"""
    return {f"models/intermediate/int_{tenant.slug}__rates.sql": text}
