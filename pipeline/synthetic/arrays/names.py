"""Invented names of campaigns, products, people and towns; none of them is real."""

from __future__ import annotations

from typing import NamedTuple


class Town(NamedTuple):
    """A town that visitors live in; countries are real, towns are not."""

    share: float
    continent: str
    sub_continent: str
    country: str
    code: str
    region: str
    city: str
    zip: str


class DeviceModel(NamedTuple):
    """A device that visitors browse with."""

    share: float
    category: str
    system: str
    browser: str
    brand: str
    model: str | None  # its name in app analytics, which has none for a desktop


TOWNS = (
    Town(0.20, "Americas", "Northern America", "United States", "US", "Ohio", "Northport", "43999"),
    Town(0.18, "Americas", "Northern America", "United States", "US", "Oregon", "Eastvale", "97999"),
    Town(0.12, "Americas", "Northern America", "United States", "US", "Georgia", "Millbrook", "39999"),
    Town(0.10, "Americas", "Northern America", "Canada", "CA", "Ontario", "Lakemere", "K9Z 9Z9"),
    Town(0.12, "Europe", "Northern Europe", "United Kingdom", "GB", "England", "Ashford Green", "ZZ99 9ZZ"),
    Town(0.10, "Europe", "Western Europe", "Germany", "DE", "Hesse", "Birkenau am See", "99999"),
    Town(0.06, "Europe", "Western Europe", "France", "FR", "Brittany", "Saint-Orme", "29999"),
    Town(0.05, "Oceania", "Australasia", "Australia", "AU", "Victoria", "Coral Bend", "3999"),
    Town(0.04, "Europe", "Western Europe", "Netherlands", "NL", "Utrecht", "Waterhoek", "3999 ZZ"),
    Town(0.03, "Europe", "Southern Europe", "Spain", "ES", "Aragon", "Villaclara", "50999"),
)
DEVICES = (
    DeviceModel(0.30, "mobile", "iOS", "Safari", "Apple", "iPhone"),
    DeviceModel(0.25, "mobile", "Android", "Chrome", "Google", "Android"),
    DeviceModel(0.20, "desktop", "Windows", "Chrome", "Microsoft", None),
    DeviceModel(0.15, "desktop", "Macintosh", "Safari", "Apple", None),
    DeviceModel(0.10, "tablet", "iOS", "Safari", "Apple", "iPad"),
)
THEMES = (
    *("Meadow", "Harbor", "Lantern", "Cedar", "Horizon", "Willow", "Summit", "Orchard", "Compass", "Ember"),
    *("Tide", "Clover", "Canyon", "Marble", "Sparrow", "Juniper", "Beacon", "Velvet", "Prairie", "Indigo"),
)
APPROACHES = ("Prospecting", "Retargeting", "Catalogue", "Launch", "Loyalty")
AUDIENCES = ("Broad", "Lookalike", "Visitors", "Interests", "Subscribers", "Locals")
GOODS = (
    ("Mug", "Kitchen"),
    ("Lamp", "Home"),
    ("Notebook", "Stationery"),
    ("Blanket", "Home"),
    ("Backpack", "Travel"),
    ("Bottle", "Travel"),
    ("Candle", "Home"),
    ("Apron", "Kitchen"),
    ("Planner", "Stationery"),
    ("Umbrella", "Travel"),
)
FIRST_NAMES = ("Mira", "Tomas", "Lena", "Arun", "Noor", "Pablo", "Ida", "Kofi", "Yuki", "Elias", "Sana", "Owen")
LAST_NAMES = ("Holt", "Varga", "Lind", "Okoro", "Reyes", "Falk", "Mori", "Castell", "Brandt", "Novak", "Adler", "Quill")
