"""Answers to names that stand for what is withheld: personal data, and other tenants.

Without them a suggestion would read such a name as a misspelling (`customer_email` as `is_customer`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.errors import WithheldName

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog

_PERSONAL = re.compile(
    r"(.*_)?(e_?mails?(_address)?|phone(_number)?|ip(_address)?|street|(billing|shipping)_address|birth_?da(te|y)"
    r"|(first|last|full|sur)_?name|(customer|user|client|person|visitor|buyer)_?(id|name|key|address))s?"
)
_TENANTS = re.compile(r"tenants?(_?(slug|id|name))?")


def withheld_name(name: str, catalog: Catalog) -> WithheldName | None:
    """The error for a name of what is withheld; None for any other name."""
    folded = re.sub(r"[\s.-]+", "_", name.strip().casefold())[:200]
    if folded in catalog.withheld or (_PERSONAL.fullmatch(folded) and not _resembles_exposed(folded, catalog)):
        fix = "Ask for counts, such as customers; whoever runs gata permits it by name under `expose` in tenants.yaml."
        return WithheldName(f"{name[:80]!r} is personal data, which is withheld here.", fix, name)
    if _TENANTS.fullmatch(folded):
        fix = "Leave it out: an answer is of the tenants of your credential, and others are withheld."
        return WithheldName(f"{name[:80]!r} is neither a metric nor a dimension.", fix, name)
    return None


def _resembles_exposed(name: str, catalog: Catalog) -> bool:
    """Whether a personal dimension that the tenant exposes may be meant, by its last word."""
    exposed = (each.name for each in catalog.dimensions.values() if each.is_personal)
    return any(known.rpartition("_")[2] in name for known in exposed)
