"""Every spelling of a country that the reference table of countries knows, from CLDR through babel.

`python -P -m tests.warehouse.country_spellings` writes the table; a test compares it, so that neither a build nor an
answer needs babel.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from babel import Locale
from babel.core import get_global

TABLE = Path(__file__).resolve().parents[2] / "warehouse" / "seeds" / "platform_ref__countries.csv"
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl")
NO_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
"""Regions of CLDR that ISO 3166 does not list; XK, which everybody uses for Kosovo, stays."""
SHORT = {"HK": "Hong Kong", "MO": "Macao", "PS": "Palestine"}
"""CLDR's short names, which babel leaves out."""
COMMON = {
    "AE": "uae|emirates",
    "BN": "brunei darussalam",
    "BO": "bolivia, plurinational state of|bolivia (plurinational state of)",
    "BS": "the bahamas",
    "CD": "dr congo|drc|democratic republic of the congo|congo, democratic republic of the|congo (kinshasa)|zaire"
    "|congo, the democratic republic of the|congo (drc)",
    "CG": "republic of the congo|congo (brazzaville)|congo",
    "CI": "ivory coast",
    "CV": "cabo verde",
    "CZ": "czech republic",
    "FK": "falkland islands (malvinas)",
    "FM": "micronesia, federated states of",
    "GB": "uk|u.k.|great britain|britain|united kingdom of great britain and northern ireland",
    "GM": "the gambia",
    "HK": "hong kong sar china|hong kong sar",
    "IR": "iran, islamic republic of|islamic republic of iran",
    "KP": "korea, democratic people's republic of|democratic people's republic of korea",
    "KR": "korea|republic of korea|korea, republic of|korea (south)",
    "LA": "lao people's democratic republic|lao",
    "MD": "moldova, republic of|republic of moldova",
    "MK": "macedonia|north macedonia, republic of|macedonia, the former yugoslav republic of",
    "MM": "burma|myanmar",
    "MO": "macao sar china|macau",
    "NL": "holland|the netherlands",
    "PH": "the philippines",
    "PS": "palestinian territories|palestinian territory|palestine, state of|state of palestine",
    "RU": "russian federation",
    "SY": "syrian arab republic",
    "SZ": "swaziland",
    "TL": "east timor",
    "TR": "turkey|turkiye",
    "TW": "taiwan, province of china|chinese taipei",
    "TZ": "tanzania, united republic of|united republic of tanzania",
    "US": "u.s.|u.s.a.|united states of america|the united states|america",
    "VA": "holy see|holy see (vatican city state)",
    "VE": "venezuela, bolivarian republic of|venezuela (bolivarian republic of)",
    "VN": "viet nam",
}
"""Names by which people and vendors call a country, beside those of CLDR."""


def rows() -> list[tuple[str, str, str]]:
    """Each spelling, folded, with the country's ISO 3166 code and English name."""
    english = {code: SHORT.get(code, name) for code, name in Locale("en").territories.items() if _is_country(code)}
    found: dict[str, str] = {}
    for name in _each_way(english, found):
        found.setdefault(*name)
    return sorted((spelling, code, english[code]) for spelling, code in found.items())


def _is_country(code: str) -> bool:
    return len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES


def _each_way(english: dict[str, str], found: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Spelling and code: codes first, then English names, then common ones, then those of other languages."""
    for code in english:
        yield code.lower(), code
    for other, codes in get_global("territory_aliases").items():
        if len(codes) == 1 and codes[0] in english and other.isalpha() and (len(other) == 3 or other == "UK"):
            yield other.lower(), codes[0]
    for code, name in english.items():
        yield from ((spelling, code) for spelling in _spellings(name))
    for code, names in COMMON.items():
        yield from ((spelling, code) for name in names.split("|") for spelling in _spellings(name))
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in english:
                yield from ((spelling, code) for spelling in _spellings(name))


def _spellings(name: str) -> set[str]:
    """A name folded, also without accents, with and for &, and with a plain apostrophe."""
    folded = {" ".join(name.lower().replace("’", "'").split()), " ".join(name.lower().split())}
    folded |= {each.replace(" & ", " and ") for each in folded}
    folded |= {each.replace("st. ", "saint ") for each in folded} | {each.replace("st. ", "st ") for each in folded}
    return folded | {_without_accents(each) for each in folded}


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def written() -> str:
    """The table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("spelling", "country_code", "country"), *rows()])
    return text.getvalue()


if __name__ == "__main__":
    TABLE.write_text(written(), encoding="utf-8")
