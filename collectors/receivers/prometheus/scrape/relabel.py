"""Prometheus relabelling: eleven actions on a set of labels.

Source: prometheus ``model/relabel/relabel.go``. Regular expressions are RE2's and match the whole
value.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from collectors.patterns import Captures, Pattern

Labels = dict[str, str]

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
# Go's regexp.Expand: the longest word after the dollar, so $1x is the group "1x".
_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)


def compile_regex(text: str) -> Pattern:
    """Return a pattern as rules use it.

    Raises:
        PatternError: It is none, or one that RE2 does not know.
    """
    Pattern(text)  # what is wrong is said of what was written
    return Pattern(rf"(?:{text})\z", dot_matches_newline=True)


def _everything() -> Pattern:
    return compile_regex("(.*)")


class Action(StrEnum):
    """What a rule does."""

    REPLACE = "replace"
    KEEP = "keep"
    DROP = "drop"
    KEEP_EQUAL = "keepequal"
    DROP_EQUAL = "dropequal"
    HASH_MOD = "hashmod"
    LABEL_MAP = "labelmap"
    LABEL_DROP = "labeldrop"
    LABEL_KEEP = "labelkeep"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelRule:
    """One rule, with Prometheus's defaults."""

    action: Action = Action.REPLACE
    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: Pattern = field(default_factory=_everything)
    modulus: int = 0
    target_label: str = ""
    replacement: str = "$1"


def relabel(labels: Mapping[str, str], rules: Sequence[RelabelRule]) -> Labels | None:
    """Return the labels after all rules, or None if a rule drops them."""
    current = dict(labels)
    for rule in rules:
        if not _apply(rule, current):
            return None
    return current


def _apply(rule: RelabelRule, labels: Labels) -> bool:
    """Change ``labels`` as the rule says; return whether they are kept."""
    value = rule.separator.join(labels.get(name, "") for name in rule.source_labels)
    match rule.action:
        case Action.KEEP:
            return rule.regex.matches(value)
        case Action.DROP:
            return not rule.regex.matches(value)
        case Action.KEEP_EQUAL:
            return labels.get(rule.target_label, "") == value
        case Action.DROP_EQUAL:
            return labels.get(rule.target_label, "") != value
        case Action.REPLACE:
            _replace(rule, value, labels)
        case Action.LOWERCASE:
            labels[rule.target_label] = value.lower()
        case Action.UPPERCASE:
            labels[rule.target_label] = value.upper()
        case Action.HASH_MOD:
            digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
            labels[rule.target_label] = str(int.from_bytes(digest[8:], "big") % rule.modulus)
        case _:
            _rename(rule, labels)
    return True


def _replace(rule: RelabelRule, value: str, labels: Labels) -> None:
    match = rule.regex.captures(value)
    if match is None:
        return
    target = expand(rule.target_label, match)
    if not _NAME.fullmatch(target):
        return
    result = expand(rule.replacement, match)
    if result:
        labels[target] = result
    else:
        labels.pop(target, None)


def _rename(rule: RelabelRule, labels: Labels) -> None:
    for name, value in list(labels.items()):
        if rule.action is Action.LABEL_MAP:
            match = rule.regex.captures(name)
            if match is not None:
                labels[expand(rule.replacement, match)] = value
        elif rule.regex.matches(name) is (rule.action is Action.LABEL_DROP):
            del labels[name]


def expand(template: str, match: Captures) -> str:
    """Replace ``$1``, ``${1}`` and ``${name}`` by groups; unknown ones are empty.

    >>> expand("${1}-$2x-$$", re.match("(a)(b)", "ab"))
    'a--$'
    """

    def group(reference: re.Match[str]) -> str:
        name = reference.group(1) or reference.group(2)
        if name is None:
            return "$"
        key = int(name) if name.isdigit() else name
        try:
            return match.group(key) or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(group, template)
