"""Matchers over labels, as Alertmanager has them: ``=``, ``!=``, ``=~``, ``!~``. Pure.

A label that is missing is an empty one. Patterns are RE2's and must match the whole value. Source:
https://prometheus.io/docs/alerting/latest/configuration/#matcher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from collectors.errors import InputError
from collectors.patterns import Pattern, PatternError

Labels = Mapping[str, str]

MAX_NAME = 200
MAX_VALUE = 1_000
MAX_MATCHERS = 50
"""Matchers that belong together: of one silence, route or window."""

_WRITTEN = re.compile(
    r"""\s*(?P<name>"(?:[^"\\]|\\.)*"|[^\s"=!~{},]+)\s*(?P<op>=~|!~|!=|=)\s*(?P<value>.*?)\s*""",
    re.DOTALL,
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(n|"|\\)')


class Op(StrEnum):
    """How a value is compared."""

    IS = "="
    IS_NOT = "!="
    LIKE = "=~"
    UNLIKE = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """What the value of a label must be.

    >>> parse_matcher('region=~"eu-.*"').matches({"region": "eu-west-1"})
    True

    Args:
        name: Of the label.
        op: How its value is compared.
        value: With what; a pattern for ``=~`` and ``!~``.

    Raises:
        InputError: The name is empty, something is too long, or the pattern is none.
    """

    name: str
    op: Op
    value: str
    _pattern: Pattern | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("a matcher needs the name of a label, such as alertname")
        if len(self.name) > MAX_NAME or len(self.value) > MAX_VALUE:
            raise InputError(
                f"matcher of {self.name[:50]!r} is too long: a name has at most {MAX_NAME} "
                f"characters, a value {MAX_VALUE}"
            )
        if self.op in (Op.LIKE, Op.UNLIKE):
            object.__setattr__(self, "_pattern", _whole(self.name, self.value))

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op}"{value}"'

    def matches(self, labels: Labels) -> bool:
        """Whether the label has such a value."""
        value = labels.get(self.name, "")
        equal = value == self.value if self._pattern is None else self._pattern.matches(value)
        return equal is (self.op in (Op.IS, Op.LIKE))

    @property
    def is_exact(self) -> bool:
        """Whether it names one value."""
        return self.op is Op.IS and bool(self.value)


def matches_all(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether labels are as every matcher says."""
    return all(matcher.matches(labels) for matcher in matchers)


def parse_matcher(text: str) -> Matcher:
    r"""Return the matcher that is written as ``name="value"``; quotes may be left out.

    >>> str(parse_matcher("alertname=HighLoad")), parse_matcher('a!="x\\"y"').value
    ('alertname="HighLoad"', 'x"y')

    Raises:
        InputError: It is not written so.
    """
    found = _WRITTEN.fullmatch(text[: 2 * MAX_VALUE + MAX_NAME])
    if found is None:
        raise InputError(f'{text[:80]!r} is no matcher; write name="value" or name=~"pattern"')
    return Matcher(_unquoted(found["name"]), Op(found["op"]), _unquoted(found["value"]))


def parse_matchers(texts: Sequence[str]) -> tuple[Matcher, ...]:
    """Return the matchers of several texts.

    Raises:
        InputError: One is none, or there are more than ``MAX_MATCHERS``.
    """
    if len(texts) > MAX_MATCHERS:
        raise InputError(f"{len(texts)} matchers are too many; at most {MAX_MATCHERS}")
    return tuple(parse_matcher(text) for text in texts)


def written(matchers: Iterable[Matcher]) -> str:
    """Return matchers as Alertmanager writes them."""
    return f"{{{', '.join(map(str, matchers))}}}"


def _unquoted(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return text
    return _ESCAPED.sub(lambda found: {"n": "\n"}.get(found[1], found[1]), quoted[1])


def _whole(name: str, text: str) -> Pattern:
    try:
        # By itself first: within the group "a)(b" would become a pattern.
        Pattern(text, dot_matches_newline=True)
        return Pattern(f"(?:{text})$", dot_matches_newline=True)
    except PatternError as error:
        raise InputError(f"{text[:80]!r} of {name[:50]!r} is no pattern: {error}") from error
