"""Which tag sets are admitted, and the reason for each refusal.

Everybody's names and values are kept as they were sent, within the lengths and counts that
:class:`~collectors.limits.Limits` sets. Where Atlas speaks, its own rules hold besides (see
``atlas-webapi`` reference.conf and atlas-core ``validation``): tighter bounds, one alphabet, two
reserved prefixes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from collectors.limits import Limits
from collectors.model import Rejection, Tags

_ALPHABET = re.compile(r"[-._A-Za-z0-9^~]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_REMEMBERED = 200_000
_MAX_SHOWN_CHARS = 40
_NF_WORDS = frozenset(
    {"account", "ami", "app", "asg", "cluster", "container", "country", "country.rollup", "job"}
    | {"node", "process", "region", "shard1", "shard2", "stack", "subnet", "task", "vmtype"}
    | {"vpc", "zone"}
)
_RESERVED = {
    "atlas.": frozenset({"aggr", "dstype", "offset", "legacy"}),
    "nf.": _NF_WORDS,
}


class Fault(StrEnum):
    """What can be wrong with a tag set; the values are the reasons that senders are told."""

    NAME_MISSING = "nameMissing"
    TOO_MANY_TAGS = "tagsTooMany"
    TOO_MANY_USER_TAGS = "userTagsTooMany"
    KEY_TOO_SHORT = "keyEmpty"
    KEY_TOO_LONG = "keyTooLong"
    KEY_CHARACTERS = "keyCharacters"
    KEY_RESERVED = "keyReserved"
    VALUE_TOO_SHORT = "valueEmpty"
    VALUE_TOO_LONG = "valueTooLong"
    VALUE_CHARACTERS = "valueCharacters"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFault:
    """One fault: where it is, how much there is, and how much is allowed.

    Attributes:
        fault: The kind.
        key: The tag's key, empty when it is none's.
        value: Its value, empty when the key is wrong.
        count: Characters or tags that were found.
        bound: Characters or tags that are allowed.
        prefix: The reserved prefix.
    """

    fault: Fault
    key: str = ""
    value: str = ""
    count: int = 0
    bound: int = 0
    prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagBounds:
    """Fewest and most characters of keys, names and other values, and most tags.

    ``max_user_tags`` counts those without a reserved prefix; None: no bound of their own.
    ``atlas_text`` says whether Atlas's alphabet and reserved prefixes hold.
    """

    key_chars: tuple[int, int]
    name_chars: tuple[int, int]
    value_chars: tuple[int, int]
    max_tags: int
    max_user_tags: int | None = None
    atlas_text: bool = False

    @classmethod
    def of(cls, limits: Limits) -> TagBounds:
        """Return the bounds that ``limits`` set."""
        value_chars = (1, limits.max_tag_value_chars)
        return cls(
            key_chars=(1, limits.max_tag_key_chars),
            name_chars=value_chars,
            value_chars=value_chars,
            max_tags=limits.max_tags,
        )

    def count_fault(self, tags: Tags) -> TagFault | None:
        """Return what is wrong with the number of tags."""
        if self.max_user_tags is not None:
            users = sum(not key.startswith(tuple(_RESERVED)) for key in tags)
            if users > self.max_user_tags:
                return TagFault(
                    fault=Fault.TOO_MANY_USER_TAGS, count=users, bound=self.max_user_tags
                )
        if len(tags) > self.max_tags:
            return TagFault(fault=Fault.TOO_MANY_TAGS, count=len(tags), bound=self.max_tags)
        return None

    def key_fault(self, key: str) -> TagFault | None:
        """Return what is wrong with a key."""
        fewest, most = self.key_chars
        if len(key) < fewest:
            return TagFault(fault=Fault.KEY_TOO_SHORT, key=key, count=len(key), bound=fewest)
        if len(key) > most:
            return TagFault(fault=Fault.KEY_TOO_LONG, key=key, count=len(key), bound=most)
        if not self._is_text(key):
            return TagFault(fault=Fault.KEY_CHARACTERS, key=key)
        for prefix, allowed in _RESERVED.items():
            if not self.atlas_text or not key.startswith(prefix):
                continue
            if key.removeprefix(prefix) not in allowed:
                return TagFault(fault=Fault.KEY_RESERVED, key=key, prefix=prefix)
        return None

    def value_fault(self, key: str, value: str) -> TagFault | None:
        """Return what is wrong with the value of ``key``."""
        fewest, most = self.name_chars if key == "name" else self.value_chars
        fault = None
        if len(value) < fewest:
            fault, bound = Fault.VALUE_TOO_SHORT, fewest
        elif len(value) > most:
            fault, bound = Fault.VALUE_TOO_LONG, most
        elif not self._is_text(value):
            fault, bound = Fault.VALUE_CHARACTERS, 0
        if fault is None:
            return None
        return TagFault(fault=fault, key=key, value=value, count=len(value), bound=bound)

    def _is_text(self, text: str) -> bool:
        if self.atlas_text:
            return _ALPHABET.fullmatch(text) is not None
        return text.isascii() or _SURROGATE.search(text) is None

    def find_fault(self, tags: Tags) -> TagFault | None:
        """Return the first thing that is wrong with ``tags``: the name, a tag, then the number."""
        if "name" not in tags:
            return TagFault(fault=Fault.NAME_MISSING)
        for key, value in tags.items():
            found = self.key_fault(key) or self.value_fault(key, value)
            if found is not None:
                return found
        return self.count_fault(tags)

    def refuse(self, tags: Tags) -> Rejection | None:
        """Return why a series with ``tags`` is not admitted, or None when it is."""
        if not tags.get("name"):
            return rejection(TagFault(fault=Fault.NAME_MISSING), tags)
        found = self.count_fault(tags) or self.find_fault(tags)
        return None if found is None else rejection(found, tags)


class TagRules:
    """Decides on tag sets, remembering keys and values that passed.

    Args:
        limits: Bounds on lengths and counts.
    """

    def __init__(self, limits: Limits) -> None:
        self._bounds = TagBounds.of(limits)
        self._good_keys: set[str] = set()
        self._good_values: set[str] = set()

    def refuse(self, tags: Tags) -> Rejection | None:
        """Return why a series with ``tags`` is not admitted, or None when it is."""
        known = self._good_keys >= tags.keys() and self._good_values.issuperset(tags.values())
        if known and tags.get("name") and len(tags) <= self._bounds.max_tags:
            return None
        refused = self._bounds.refuse(tags)
        if refused is None:
            _remember(self._good_keys, tags.keys())
            _remember(self._good_values, tags.values())
        return refused

    @property
    def max_tags(self) -> int:
        """Most tags of a series."""
        return self._bounds.max_tags

    @property
    def max_value_chars(self) -> int:
        """Most characters of a value."""
        return self._bounds.value_chars[1]

    def good_key(self, key: str) -> bool:
        """Return whether ``key`` is admitted."""
        return self._bounds.key_fault(key) is None

    def good_value(self, value: str) -> bool:
        """Return whether ``value`` is admitted."""
        return self._bounds.value_fault("", value) is None


def rejection(found: TagFault, tags: Tags) -> Rejection:
    """Return a fault as what a sender is told of it."""
    # A set of tags that is too large is not repeated in an answer.
    shown = {"name": tags["name"][:80]} if found.fault == Fault.TOO_MANY_TAGS else tags
    return Rejection(reason=found.fault.value, detail=_describe(found), tags=shown)


def _remember(good: set[str], texts: Iterable[str]) -> None:
    if len(good) >= _MAX_REMEMBERED:
        good.clear()
    good.update(texts)


def _describe(found: TagFault) -> str:
    """Return a fault in words: what there is, and what to do."""
    key, value = found.key, found.value
    match found.fault:
        case Fault.NAME_MISSING:
            return "a series needs a tag 'name'"
        case Fault.TOO_MANY_TAGS | Fault.TOO_MANY_USER_TAGS:
            return f"{found.count} tags, at most {found.bound} are kept; drop some at the source"
        case Fault.KEY_TOO_SHORT:
            return "a tag key is empty"
        case Fault.KEY_TOO_LONG:
            shown = key[:_MAX_SHOWN_CHARS]
            return f"key '{shown}…' has {found.count} characters, at most {found.bound} are legal"
        case Fault.KEY_CHARACTERS:
            return f"key {key!a} is not Unicode text: half a surrogate pair stands alone"
        case Fault.KEY_RESERVED:
            return f"key '{key}' uses the reserved prefix '{found.prefix}'"
        case Fault.VALUE_TOO_SHORT:
            return f"the value of '{key}' is empty"
        case Fault.VALUE_TOO_LONG:
            return (
                f"the value of '{key}' has {found.count} characters, at most {found.bound} "
                "are legal"
            )
        case Fault.VALUE_CHARACTERS:
            return f"the value {value!a} of '{key}' is not Unicode text: half a surrogate pair"
