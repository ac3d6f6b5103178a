"""Which tag sets are admitted, and the reason for each refusal.

The rules are those of Atlas (``atlas-webapi`` reference.conf): a name, bounded lengths and counts,
one alphabet, and two reserved prefixes. Limits come from :class:`StoreLimits`.
"""

from __future__ import annotations

import re

from collectors.limits import StoreLimits
from collectors.model import Rejection, Tags

_ALPHABET = re.compile(r"[-._A-Za-z0-9^~]+")
_NOT_ALPHABET = re.compile(r"[^-._A-Za-z0-9^~]")
_REMEMBERED = 200_000
_NF_WORDS = frozenset(
    {"account", "ami", "app", "asg", "cluster", "container", "country", "country.rollup", "job"}
    | {"node", "process", "region", "shard1", "shard2", "stack", "subnet", "task", "vmtype"}
    | {"vpc", "zone"}
)
_RESERVED = {
    "atlas.": frozenset({"aggr", "dstype", "offset", "legacy"}),
    "nf.": _NF_WORDS,
}


def legal_text(text: str) -> str:
    """Return ``text`` with every character outside Atlas's alphabet replaced by ``_``.

    >>> legal_text("/api/v1/graph")
    '_api_v1_graph'
    """
    return _NOT_ALPHABET.sub("_", text)


class TagRules:
    """Decides on tag sets, remembering keys and values that passed.

    Args:
        limits: Bounds on lengths and counts.
    """

    def __init__(self, limits: StoreLimits) -> None:
        self._limits = limits
        self._good_keys: set[str] = set()
        self._good_values: set[str] = set()

    def refuse(self, tags: Tags) -> Rejection | None:
        """Return why a series with ``tags`` is not admitted, or None when it is."""
        limits = self._limits
        if not tags.get("name"):
            return Rejection(reason="nameMissing", detail="a series needs a tag 'name'", tags=tags)
        if len(tags) > limits.max_tags:
            detail = f"{len(tags)} tags, at most {limits.max_tags} allowed; drop some at the source"
            return Rejection(reason="tagsTooMany", detail=detail, tags=tags)
        for key, value in tags.items():
            if key not in self._good_keys:
                refused = _refuse_key(key, limits)
                if refused is not None:
                    return Rejection(reason=refused[0], detail=refused[1], tags=tags)
                self._remember(self._good_keys, key)
            if value not in self._good_values:
                refused = _refuse_value(key, value, limits)
                if refused is not None:
                    return Rejection(reason=refused[0], detail=refused[1], tags=tags)
                self._remember(self._good_values, value)
        return None

    @property
    def max_tags(self) -> int:
        """Most tags of a series."""
        return self._limits.max_tags

    @property
    def max_value_length(self) -> int:
        """Most characters of a value."""
        return self._limits.max_value_length

    def good_key(self, key: str) -> bool:
        """Return whether ``key`` is admitted."""
        return _refuse_key(key, self._limits) is None

    def good_value(self, value: str) -> bool:
        """Return whether ``value`` is admitted."""
        return _refuse_value("", value, self._limits) is None

    def _remember(self, good: set[str], text: str) -> None:
        if len(good) >= _REMEMBERED:
            good.clear()
        good.add(text)


def _refuse_key(key: str, limits: StoreLimits) -> tuple[str, str] | None:
    if not key:
        return "keyEmpty", "a tag key is empty"
    if len(key) > limits.max_key_length:
        return (
            "keyTooLong",
            f"key '{key[:40]}…' has {len(key)} characters, at most {limits.max_key_length}",
        )
    if _ALPHABET.fullmatch(key) is None:
        return "keyCharacters", f"key '{key}' may only have the characters -._A-Za-z0-9^~"
    for prefix, allowed in _RESERVED.items():
        if key.startswith(prefix) and key.removeprefix(prefix) not in allowed:
            return "keyReserved", f"key '{key}' uses the reserved prefix '{prefix}'"
    return None


def _refuse_value(key: str, value: str, limits: StoreLimits) -> tuple[str, str] | None:
    if not value:
        return "valueEmpty", f"the value of '{key}' is empty"
    if len(value) > limits.max_value_length:
        length = len(value)
        return (
            "valueTooLong",
            f"the value of '{key}' has {length} characters, at most {limits.max_value_length}",
        )
    if _ALPHABET.fullmatch(value) is None:
        return (
            "valueCharacters",
            f"the value of '{key}' may only have -._A-Za-z0-9^~, not '{value}'",
        )
    return None
