"""Names and email addresses of visitors: customers with an account, and guests with or without an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # pyarrow is untyped: its arrays are Any

import numpy as np
import pyarrow.compute as pc

from pipeline.synthetic.activity.simulation import customer_ids
from pipeline.synthetic.activity.traffic import Visitors
from pipeline.synthetic.arrays.columns import concat_texts, digits, pick_texts, struct, take_rows
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
    has_email: Bools  # gives the address with an order


def read_people(shop: Shop, visitors: Visitors) -> People:
    """The names and addresses of all visitors, whether or not they give them."""
    first_names = pick_texts(FIRST_NAMES, visitors.token % len(FIRST_NAMES))
    last_names = pick_texts(LAST_NAMES, visitors.token // 7 % len(LAST_NAMES))
    handle = pc.utf8_lower(concat_texts(first_names, ".", last_names))
    emails = concat_texts(handle, ".", digits(customer_ids(shop, visitors) % 10**12), "@mail.example")
    has_email = visitors.has_account | (visitors.token % GUESTS_WITH_EMAIL == 0)
    return People(first_names, last_names, emails, has_email)


def addresses(shop: Shop, visitors: Visitors, rows: Ints, parts: Mapping[str, str]) -> Any:
    """Billing addresses of visitors: `email`, empty where a visitor gives none, and the parts of a Town, renamed."""
    people = read_people(shop, visitors)
    emails = take_rows(people.emails, np.where(people.has_email[rows], rows, -1))
    town = visitors.town[rows]
    renamed = {name: pick_texts([getattr(each, part) for each in TOWNS], town) for name, part in parts.items()}
    return struct({"email": pc.coalesce(emails, ""), **renamed})
