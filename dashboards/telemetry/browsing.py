"""From a metric and a few clicks to an expression: a start, a filter, a key to group by."""

from __future__ import annotations

import re

from tocsin.client.metric_shapes import MetricTags, TagCount
from tocsin.client.stack_words import both, equals, literal

HIDDEN_KEYS = frozenset({"name", "statistic", "percentile", "atlas.dstype"})
_AGGREGATES = ":(?:sum|avg|max|min|count)"
_NAMED = re.compile(r"(?:^|,)\s*name,([^,]+),:eq")
_BY = re.compile(r",\(,(?P<keys>[^()]+),\),:by(?=,|$)")
_PERCENTILES = re.compile(r",\(,[^()]+,\),:percentiles(?=,|$)")
_AGGREGATE = re.compile(rf",{_AGGREGATES}(?=,|$)")
_GAUGE = "gauge"


def start_of(name: str, tags: MetricTags) -> str:
    """Return a first expression for a metric, as its kind asks for.

    Histograms give their percentiles, gauges the mean of their series, all else the sum a second.
    """
    by_key = _by_key(tags)
    query = equals("name", name)
    if "percentile" in _values(by_key, "statistic"):
        return f"{query},(,50,95,99,),:percentiles"
    if "count" in _values(by_key, "statistic"):
        return f"{both(query, equals('statistic', 'count'))},:sum"
    gauge = _values(by_key, "atlas.dstype") == {_GAUGE}
    return f"{query},:avg" if gauge else f"{query},:sum"


def filtered(expression: str, key: str, value: str) -> str:
    """Return an expression over the series alone whose tag has a value.

    >>> filtered("name,a,:eq,:sum", "app", "shop")
    'name,a,:eq,:sum,app,shop,:eq,:cq'
    """
    return f"{_joined(expression)},{equals(key, value)},:cq"


def grouped_by(expression: str, key: str) -> str:
    """Return an expression with a line for each value of one key more.

    >>> grouped_by("name,a,:eq,:sum", "app")
    'name,a,:eq,:sum,(,app,),:by'
    >>> grouped_by("name,a,:eq,:sum,(,app,),:by", "zone")
    'name,a,:eq,:sum,(,app,zone,),:by'
    >>> grouped_by("name,a,:eq,(,99,),:percentiles", "app")
    'name,a,:eq,(,app,),:by,(,99,),:percentiles'
    """
    text, word = _joined(expression), literal(key)
    if _BY.search(text):
        return _BY.sub(lambda found: _with(found, word), text)
    by = f",(,{word},),:by"
    if _PERCENTILES.search(text):
        return _PERCENTILES.sub(lambda found: by + found.group(), text)
    if _AGGREGATE.search(text):
        return _AGGREGATE.sub(lambda found: found.group() + by, text)
    return text + by


def followed_by(expression: str, word: str) -> str:
    """Return an expression with one word more.

    >>> followed_by("name,a,:eq,", "sum")
    'name,a,:eq,:sum'
    """
    return f"{_joined(expression)},:{word}"


def metric_in(expression: str) -> str | None:
    """Return the first metric that an expression names, None when it names none.

    >>> metric_in("app,shop,:eq,name,a,:eq,:and,:sum"), metric_in(":true,:sum")
    ('a', None)
    """
    found = _NAMED.search(expression)
    return found[1].strip() if found else None


def unit_for(expression: str, name: str, tags: MetricTags) -> str:
    """Return the unit of an expression of one metric, as far as its sender told it.

    Percentiles and total times are seconds whatever the unit of time was; what is counted is a
    rate; a ratio of two is none.
    """
    by_key = _by_key(tags)
    told = tags["units"].get(name, "")
    if ":div" in expression:
        return ""
    if ":percentiles" in expression or ":dist-avg" in expression:
        return "s" if "totalTime" in _values(by_key, "statistic") else told
    if "statistic,count,:eq" in expression:
        return "1/s"
    if _values(by_key, "atlas.dstype") == {_GAUGE}:
        return told
    return f"{told}/s" if told and not told.startswith("{") else "1/s"


def keys_to_split(tags: MetricTags) -> list[TagCount]:
    """Return the keys that tell series apart, those of few values first; the rest is machinery."""
    rows = [row for row in tags["tags"] if row["key"] not in HIDDEN_KEYS]
    return sorted(rows, key=lambda row: (row["values"] == 1, row["values"], row["key"]))


def _with(found: re.Match[str], word: str) -> str:
    keys = found["keys"].split(",")
    return f",(,{','.join(keys if word in keys else [*keys, word])},),:by"


def _joined(expression: str) -> str:
    """Return an expression on one line, without blanks around its words."""
    return ",".join(word.strip() for word in expression.split(",") if word.strip())


def _by_key(tags: MetricTags) -> dict[str, TagCount]:
    return {row["key"]: row for row in tags["tags"]}


def _values(by_key: dict[str, TagCount], key: str) -> set[str]:
    return {row["value"] for row in by_key[key]["top"]} if key in by_key else set()
