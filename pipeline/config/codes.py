"""Currency codes and time zones, checked against ISO 4217 and the IANA database."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from pipeline.config.entry import Entry

# Source: ISO 4217, list one of active codes, without funds, metals and testing codes.
_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
    VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())
_NOT_ZONES = ("posix/", "right/", "posixrules", "localtime", "Factory")


def currency(entry: Entry) -> str:
    """An ISO 4217 code."""
    return entry.choice(CURRENCIES, "ISO 4217 currency code")


def timezone(entry: Entry) -> str:
    """A name of the IANA time zone database, in its exact spelling."""
    name = entry.text()
    if not _is_zone(name):
        near = get_close_matches(name, available_timezones(), n=1)
        fix = f"Did you mean {near[0]}?" if near else "Write a name such as Europe/Berlin."
        raise entry.wrong(f"{entry.name} is {name!r}, which is no IANA time zone.", fix)
    return name


@cache
def _is_zone(name: str) -> bool:
    """Whether the zone exists. Opens one file; listing all zones takes a hundred times as long."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return not name.startswith(_NOT_ZONES)
