"""Who visitors are, where they tell: customers with an account, and guests who leave an address or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np
import pyarrow.compute as pc

from pipeline.synthetic.activity.simulation import customer_ids
from pipeline.synthetic.activity.traffic import Visitors
from pipeline.synthetic.arrays.columns import chosen, digits, joined, struct, taken
from pipeline.synthetic.arrays.names import FIRST_NAMES, LAST_NAMES, TOWNS
from pipeline.synthetic.arrays.rng import Bools, Ints
from pipeline.synthetic.model.shop import Shop

GUESTS_WITH_EMAIL = 2  # every second guest leaves an address


@dataclass(frozen=True)
class People:
    """One row per visitor."""

    first_names: Any
    last_names: Any
    emails: Any
    has_email: Bools  # says its address when ordering


def read_people(shop: Shop, visitors: Visitors) -> People:
    """The names and addresses of visitors, whether or not they ever tell them."""
    first_names = chosen(FIRST_NAMES, visitors.token % len(FIRST_NAMES))
    last_names = chosen(LAST_NAMES, visitors.token // 7 % len(LAST_NAMES))
    handle = pc.utf8_lower(joined(first_names, ".", last_names))
    emails = joined(handle, ".", digits(customer_ids(shop, visitors) % 10**12), "@mail.example")
    reachable = visitors.has_account | (visitors.token % GUESTS_WITH_EMAIL == 0)
    return People(first_names, last_names, emails, reachable)


def addresses(shop: Shop, visitors: Visitors, rows: Ints, parts: Mapping[str, str]) -> Any:
    """Where visitors have their bills sent: `email`, empty where they say none, and the parts of a Town, renamed."""
    people = read_people(shop, visitors)
    emails = taken(people.emails, np.where(people.has_email[rows], rows, -1))
    town = visitors.town[rows]
    where = {name: chosen([getattr(each, part) for each in TOWNS], town) for name, part in parts.items()}
    return struct({"email": pc.coalesce(emails, ""), **where})
