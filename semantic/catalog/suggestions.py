"""The real names nearest to one that is not: misspelt, cut short, in other words, or in another order.

Names are compared word by word, each with the word that is most like it; what a name is also called (label, synonyms)
counts as much as the name. Words that say little (`total`, `name`) weigh little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from pipeline.errors import UnknownName
from semantic.catalog.catalog import Catalog

SHOWN = 3
_LIKE = 0.5
"""Names less like it than this are not shown."""
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LITTLE = "a all amount average avg by count current from in metric mean name no num number of per sum the total value"
_WEAK = frozenset(_LITTLE.split())
_SAME_WORDS = (
    "spend spending spent cost costs expense expenses budget investment adspend",
    "revenue sales turnover income gmv earnings",
    "sessions session visits visit traffic",
    "users user visitors visitor people persons audience",
    "customers customer buyers buyer clients client shoppers acquisition",
    "orders order purchases purchase transactions transaction checkouts",
    "units unit items item quantity qty pieces",
    "conversions conversion conv converting converted goals leads results",
    "impressions impression views view imps impr shown",
    "refunded refund refunds returned returns",
    "source channel referrer utm origin",
    "country geo region location market nation",
    "device devices hardware",
    "platform network provider publisher vendor system",
    "ad ads advertising advertisement paid",
    "group set adset",
    "rate ratio percent percentage pct share",
    "status state",
    "average avg mean",
    "seconds duration length time",
    "new first",
    "net",
    "date day days calendar period timestamp when",
)
_SAME = {word: n for n, words in enumerate(_SAME_WORDS) for word in words.split()}


def unknown_metric(name: str, catalog: Catalog) -> UnknownName:
    """The error for a metric that there is not, with the nearest ones."""
    return unknown("metric", name, _metrics(catalog))


def unknown_dimension(name: str, catalog: Catalog) -> UnknownName:
    """The error for a dimension that there is not, with the nearest ones."""
    return unknown("dimension", name, _dimensions(catalog))


def unknown_name(name: str, catalog: Catalog, *, is_number: bool) -> UnknownName:
    """The error for a name that is neither a metric nor a dimension; it can be a metric where it meets a number."""
    called = {**(_metrics(catalog) if is_number else {}), **_dimensions(catalog)}
    known = (*catalog.askable_metrics, *catalog.askable_dimensions)
    return UnknownName("metric or dimension", name, known, near=nearest(name, called))


def unknown(kind: str, name: str, called: Mapping[str, Iterable[str]]) -> UnknownName:
    """The error for a name that there is not; `called` has what each real name is also called."""
    return UnknownName(kind, name, called, near=nearest(name, called))


def nearest(name: str, called: Mapping[str, Iterable[str]]) -> list[str]:
    """At most three names, the nearest first; `called` has what each is also called."""
    asked = {
        name,
        name.rpartition(".")[2] or name,
    }  # campaigns.campaign_name is campaign_name, products.name is not name
    scores = {
        real: max(_likeness(one, text) for one in asked for text in (real, *also)) for real, also in called.items()
    }
    return sorted((real for real in scores if scores[real] >= _LIKE), key=lambda real: (-scores[real], real))[:SHOWN]


def nearest_values(wanted: str, known: Iterable[str]) -> list[str]:
    """At most three of many values: the same in another case, then one inside the other, then those most like it."""
    folded = wanted.casefold().strip()
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(folded)
    scores = {value: _value_likeness(folded, value.casefold().strip(), matcher) for value in known}
    return sorted((value for value in scores if scores[value] >= _LIKE), key=lambda v: (-scores[v], len(v), v))[:SHOWN]


def _value_likeness(wanted: str, value: str, matcher: SequenceMatcher[str]) -> float:
    if wanted == value:
        return 2
    if _letters(wanted) == _letters(value):
        return 1.5
    inside = min(len(wanted), len(value)) >= 2 and (wanted in value or value in wanted)
    matcher.set_seq1(value)
    if not inside and (matcher.real_quick_ratio() < _LIKE or matcher.quick_ratio() < _LIKE):
        return 0
    return max(matcher.ratio(), 0.8 if inside else 0)


def _letters(text: str) -> str:
    return "".join(_WORD.findall(text))


def _metrics(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    return {name: _called(catalog.metrics[name]) for name in catalog.askable_metrics}


def _dimensions(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    return {name: _called(catalog.dimensions[name]) for name in catalog.askable_dimensions}


def _called(entry: object) -> tuple[str, ...]:
    return (str(getattr(entry, "label", "")), *getattr(entry, "synonyms", ()))


def _likeness(asked: str, text: str) -> float:
    """From 0 to 1: how much of the words of both is met by a word of the other."""
    ours, theirs = _words(asked[:200]), _words(text)
    if not ours or not theirs:
        return 0
    joined, whole = "".join(ours), "".join(theirs)
    if joined == whole:
        return 1
    if len(theirs) > 1 and joined == "".join(word[0] for word in theirs):
        return 0.95
    met = sum(_weight(word) * max(_same(word, other) for other in theirs) for word in ours)
    met += sum(_weight(word) * max(_same(word, other) for other in ours) for word in theirs)
    by_word = met / (sum(map(_weight, ours)) + sum(map(_weight, theirs)))
    return max(0.98 * by_word, 0.95 * SequenceMatcher(None, joined, whole, autojunk=False).ratio())


def _words(text: str) -> list[str]:
    """Words in lower case."""
    return [word.casefold() for word in _WORD.findall(_HUMP.sub(" ", text))]


def _weight(word: str) -> float:
    return 0.25 if word in _WEAK else 1


def _same(word: str, other: str) -> float:
    """From 0 to 1: whether two words are one."""
    if word == other or word.rstrip("s") == other.rstrip("s"):
        return 1
    if word in _SAME and _SAME[word] == _SAME.get(other):
        return 0.9
    short, long = sorted((word, other), key=len)
    if len(short) >= 3 and long.startswith(short.rstrip("s")):
        return 0.85
    ratio = SequenceMatcher(None, word, other, autojunk=False).ratio()
    return ratio if ratio >= 0.7 else 0
