"""Suggests the known names nearest to an unknown one: misspelt, cut short, a synonym, or in another word order.

Names are compared word by word, each with its most similar word; aliases (label, synonyms) count as much as the name.
Generic words (`total`, `name`) weigh little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from pipeline.errors import UnknownName
from semantic.catalog.catalog import Catalog
from semantic.catalog.withheld import withheld_name

MAX_SUGGESTIONS = 3
_MIN_SIMILARITY = 0.5
"""Names less similar than this are not suggested."""
_MIN_LETTERS = 4
_MIN_SHORT_SIMILARITY = 0.75
"""The same for values of fewer letters, unless they are a whole word of the other."""
_WORD = re.compile(r"[^\W_]+")
_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GENERIC = "a all amount average avg by count current from in metric mean name no num number of per sum the total value"
_GENERIC_WORDS = frozenset(_GENERIC.split())
_SYNONYM_GROUPS = (
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
_NO_SOURCE = "no source of the tenant says it"
NOT_AVAILABLE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "bounce_rate": (_NO_SOURCE, ("events_per_session", "average_session_seconds")),
    "engagement_rate": (_NO_SOURCE, ("events_per_session", "average_session_seconds")),
    "roi": ("it takes all costs, and only those of ads are known", ("roas", "platform_roas", "gross_profit")),
    "net_profit": ("it takes all costs, and only those of goods are known", ("gross_profit",)),
    "budget": (_NO_SOURCE, ("spend",)),
    "retention_rate": (
        "it is not defined for a shop; group repeat_purchase_rate by first_order_date",
        ("repeat_purchase_rate", "returning_customer_rate"),
    ),
    "churn_rate": ("it is not defined for a shop", ("repeat_purchase_rate", "days_to_second_order")),
    "reach": (_NO_SOURCE, ("impressions",)),
    "impression_share": (_NO_SOURCE, ("impressions",)),
    "quality_score": (_NO_SOURCE, ("ctr", "cpc")),
}
"""Metrics that people ask for and that are none: why, and the nearest ones."""
_GROUP_OF = {word: n for n, words in enumerate(_SYNONYM_GROUPS) for word in words.split()}


def unknown_metric(name: str, catalog: Catalog) -> UnknownName:
    """Create the error for an unknown metric, with the nearest ones."""
    return (
        withheld_name(name, catalog)
        or _not_available("metric", name, catalog)
        or unknown("metric", name, _metrics(catalog))
    )


def unknown_dimension(name: str, catalog: Catalog) -> UnknownName:
    """Create the error for an unknown dimension, with the nearest ones."""
    return withheld_name(name, catalog) or unknown("dimension", name, _dimensions(catalog))


def unknown_name(name: str, catalog: Catalog, *, is_number: bool) -> UnknownName:
    """Create the error for a name that is no metric or dimension; metrics are suggested only where `is_number`."""
    if withheld := withheld_name(name, catalog):
        return withheld
    if is_number and (missing := _not_available("metric or dimension", name, catalog)):
        return missing
    aliases = aliases_of(catalog) if is_number else _dimensions(catalog)
    known = (*catalog.askable_metrics, *catalog.askable_dimensions)
    return UnknownName("metric or dimension", name, known, near=nearest(name, aliases))


def _not_available(kind: str, name: str, catalog: Catalog) -> UnknownName | None:
    """Create the error for a metric that people know and that there is none of."""
    why, nearest_ones = NOT_AVAILABLE.get("_".join(_words(name[:200])), ("", ()))
    near = [each for each in nearest_ones if each in catalog.askable_metrics]
    is_known = any(name.casefold() in entry.synonyms for entry in catalog.metrics.values())
    return UnknownName(kind, name, catalog.askable_metrics, near=near, why=why) if near and not is_known else None


def unknown(kind: str, name: str, aliases: Mapping[str, Iterable[str]]) -> UnknownName:
    """Create the error for an unknown name; `aliases` maps each known name to its other names."""
    return UnknownName(kind, name, aliases, near=nearest(name, aliases))


def nearest(name: str, aliases: Mapping[str, Iterable[str]]) -> list[str]:
    """Return at most three names, the nearest first; `aliases` maps each known name to its others, commonest first."""
    variants = {
        name,
        name.rpartition(".")[2] or name,
    }  # campaigns.campaign_name is campaign_name, products.name is not name
    scores = {
        known: max((_similarity(one, text), -place) for one in variants for place, text in enumerate((known, *others)))
        for known, others in aliases.items()
    }
    return sorted(
        (known for known in scores if scores[known][0] >= _MIN_SIMILARITY),
        key=lambda known: (-scores[known][0], -scores[known][1], known),
    )[:MAX_SUGGESTIONS]


def nearest_values(text: str, known: Iterable[str]) -> list[str]:
    """Return at most three of many values: equal but for case, then one inside the other, then the most similar.

    None is better than a value that is far off: two or three letters occur inside of what they do not mean.
    """
    folded = text.casefold().strip()
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(folded)
    scores = {value: _value_similarity(folded, value.casefold().strip(), matcher) for value in known}
    return sorted(
        (value for value in scores if scores[value] >= _MIN_SIMILARITY), key=lambda v: (-scores[v], len(v), v)
    )[:MAX_SUGGESTIONS]


def _value_similarity(text: str, value: str, matcher: SequenceMatcher[str]) -> float:
    if text == value:
        return 2
    if _letters(text) == _letters(value):
        return 1.5
    short, long = sorted((text, value), key=len)
    inside = len(short) >= _MIN_LETTERS and short in long
    inside = inside or (len(short) > 1 and short in _WORD.findall(long))
    least = 0 if inside else _MIN_SIMILARITY if len(short) >= _MIN_LETTERS else _MIN_SHORT_SIMILARITY
    matcher.set_seq1(value)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least or (ratio := matcher.ratio()) < least:
        return 0
    return max(ratio, 0.8 if inside else 0)


def _letters(text: str) -> str:
    return "".join(_WORD.findall(text))


def aliases_of(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Every name that can be asked for, with its other names."""
    return {**_metrics(catalog), **_dimensions(catalog)}


def _metrics(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    return {name: _aliases(catalog.metrics[name]) for name in catalog.askable_metrics}


def _dimensions(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    return {name: _aliases(catalog.dimensions[name]) for name in catalog.askable_dimensions}


def _aliases(entry: object) -> tuple[str, ...]:
    return (str(getattr(entry, "label", "")), *getattr(entry, "synonyms", ()))


def _similarity(name: str, text: str) -> float:
    """Similarity from 0 to 1: the weight of the words in each text that have a similar word in the other."""
    words, other_words = _words(name[:200]), _words(text)
    if not words or not other_words:
        return 0
    joined, other_joined = "".join(words), "".join(other_words)
    if joined == other_joined:
        return 1
    if len(other_words) > 1 and joined == "".join(word[0] for word in other_words):
        return 0.95
    matched = sum(_weight(word) * max(_word_similarity(word, other) for other in other_words) for word in words)
    matched += sum(_weight(word) * max(_word_similarity(word, other) for other in words) for word in other_words)
    by_word = matched / (sum(map(_weight, words)) + sum(map(_weight, other_words)))
    return max(0.98 * by_word, 0.95 * SequenceMatcher(None, joined, other_joined, autojunk=False).ratio())


def _words(text: str) -> list[str]:
    """Split a text into its words, in lower case."""
    return [word.casefold() for word in _WORD.findall(_CAMEL_CASE.sub(" ", text))]


def _weight(word: str) -> float:
    return 0.25 if word in _GENERIC_WORDS else 1


def _word_similarity(word: str, other: str) -> float:
    """Similarity of two words, from 0 to 1."""
    if word == other or word.rstrip("s") == other.rstrip("s"):
        return 1
    if word in _GROUP_OF and _GROUP_OF[word] == _GROUP_OF.get(other):
        return 0.9
    short, long = sorted((word, other), key=len)
    if len(short) >= 3 and long.startswith(short.rstrip("s")):
        return 0.85
    ratio = SequenceMatcher(None, word, other, autojunk=False).ratio()
    return ratio if ratio >= 0.7 else 0
