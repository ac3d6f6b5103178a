"""Secrets taken out of log records and spans before anybody keeps them: named patterns, counted.

What is found is replaced by the name of its rule, so that a reader sees that something stood there
and what it was. The built-in rules are on unless the file says otherwise; they are made to miss
rarely and to hide little else: card numbers must have an issuer's beginning and a right check
digit (ISO/IEC 7812-1, Luhn), tokens the forms that their makers document.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from collectors.log_batch import FIELD, LogBatch
from collectors.patterns import Pattern, Scanner

_BETWEEN = "\0"
# Where anything of the rules below may stand: few lines have it, the others are not looked at.
_CANDIDATE = Scanner(
    r"\d(?:[ -]?\d){12,18}|@|eyJ[\w-]{8,}\.|AKIA[0-9A-Z]{16}|gh[pousr]_\w{20}|glpat-"
    r"|xox[abeoprs]-|[rs]k_(?:live|test)_|AIza|PRIVATE KEY"
    r"|(?i:(?:bearer|basic)\s|(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key"
    r"|signature|authorization|cookie)(?:[ \t]?=|\\{0,2}[\"']\s?:|\x1f))"
)
_CARD = re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w.])")
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|35\d{14}"
)
# Not the name of a parameter of syslog, which has the number of an enterprise behind its @.
_EMAIL = re.compile(
    r"[\w.+%-]{1,64}@(?!\d{1,10}\.[^\x1e\x1f]{1,64}\x1f)"
    r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
)
_TOKEN = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeoprs]-[\w-]{10,}"
    r"|\b[rs]k_(?:live|test)_\w{10,}|\bAIza[\w-]{30,}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^\0\x1e]*?"
    r"(?:-----END [A-Z ]{0,30}-----|(?=[\0\x1e]|$))"
)
# "basic authentication" is none: what follows is long, or mixes digits or capitals in.
_SCHEME = re.compile(
    r"(?P<head>\b(?i:bearer|basic)[ \t]{1,4})"
    r"(?=[\w.~+/-]{20}|[\w.~+/-]{0,20}?(?:\d|[a-z][A-Z]|=))[\w.~+/-]{8,}=*"
)
_NAMES = (
    r"(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|signature|authorization"
    r"|cookie)"
)
# In quotes, also such as JSON within JSON has, up to their end; else up to what ends a word.
_ASSIGNED = re.compile(
    rf"(?P<head>{_NAMES}(?:[ \t]?=[ \t]?|\\{{0,2}}[\"']\s?:\s?)(?P<quote>\\{{0,2}}[\"'])?)"
    r"(?(quote)(?:(?!(?P=quote))(?:\\{3}[\"']|\\.|[^\\\0\x1e]))+"
    r"|(?!\[redacted )[^\s\"',;&}\\\0]{3,})",
    re.IGNORECASE | re.DOTALL,
)
_SECRET_KEY = re.compile(
    rf"(?P<head>(?:(?<=[\0\x1e])|^)[^\0\x1e\x1f]*?{_NAMES}{FIELD})[^\0\x1e]+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of one's own.

    Attributes:
        name: What stands in place of what is found, and under which it is counted.
        pattern: What is hidden, in RE2's syntax.
    """

    name: str
    pattern: Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What is taken out.

    Attributes:
        cards: Whether numbers of payment cards are.
        emails: Whether e-mail addresses are.
        tokens: Whether tokens, keys and passwords are.
        rules: Further rules, in their order.
        spans: Whether it is taken out of spans, too.
    """

    cards: bool = True
    emails: bool = True
    tokens: bool = True
    rules: tuple[Rule, ...] = ()
    spans: bool = True


DEFAULT = Redaction()


class Redactor:
    """Takes secrets out of batches and counts them; safe for many threads."""

    def __init__(self, redaction: Redaction = DEFAULT) -> None:
        self.redaction = redaction
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def use(self, redaction: Redaction) -> None:
        """Go by other rules from the next batch on."""
        self.redaction = redaction

    @property
    def counts(self) -> Mapping[str, int]:
        """How much was hidden since the start, by rule."""
        with self._lock:
            return MappingProxyType(dict(self._counts))

    def clean(self, batch: LogBatch) -> LogBatch:
        """Return a batch without what the rules find in texts, attributes, resources and names."""
        found: Counter[str] = Counter()
        bodies = self._cleaned(batch.bodies, found)
        attributes = self._cleaned(batch.attributes, found, keyed=True)
        levels = self._cleaned(batch.levels, found)
        resources = self._cleaned([o.resource for o in batch.origins], found, keyed=True)
        services = self._cleaned([o.service for o in batch.origins], found)
        if not found:
            return batch
        with self._lock:
            self._counts.update(found)
        origins = [
            replace(origin, service=service, resource=resource)
            for origin, service, resource in zip(batch.origins, services, resources, strict=True)
        ]
        return replace(batch, bodies=bodies, attributes=attributes, levels=levels, origins=origins)

    def changed(
        self, texts: Sequence[str], *, keyed: bool = False
    ) -> Mapping[int, tuple[str, Counter[str]]]:
        """Return the texts that hold secrets, by position: each without them, and what was found.

        Args:
            texts: What is gone through.
            keyed: Whether they are attributes, of which the key says what the value is.
        """
        rules = self.redaction.rules
        found: dict[int, tuple[str, Counter[str]]] = {}
        for at in range(len(texts)) if rules else _doubtful(texts):
            hidden: Counter[str] = Counter()
            text = self._hidden(texts[at], hidden, keyed=keyed)
            text = _by_rules(text, rules, hidden)
            if hidden:
                found[at] = text, hidden
        return found

    def _cleaned(
        self, texts: Sequence[str], found: Counter[str], *, keyed: bool = False
    ) -> Sequence[str]:
        parts = list(texts)
        for at, (text, hidden) in self.changed(texts, keyed=keyed).items():
            parts[at] = text
            found.update(hidden)
        return parts

    def _hidden(self, text: str, found: Counter[str], *, keyed: bool) -> str:
        chosen = self.redaction
        if chosen.tokens:
            if keyed:
                text = _replaced(_SECRET_KEY, text, "token", found)
            for pattern in (_TOKEN, _SCHEME, _ASSIGNED):
                text = _replaced(pattern, text, "token", found)
        if chosen.emails and "@" in text:
            text = _replaced(_EMAIL, text, "email", found)
        if chosen.cards:
            text = _replaced(_CARD, text, "card", found, _is_card)
        return text


def _doubtful(texts: Sequence[str]) -> Sequence[int]:
    """Return the positions of the texts that may hold a secret, ascending."""
    raw = _BETWEEN.join(texts).encode("utf-8", "replace")
    places = _CANDIDATE.places(raw)
    if not places:
        return ()
    ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == 0)
    if len(ends) != len(texts) - 1:
        return range(len(texts))
    found: list[int] = np.unique(np.searchsorted(ends, places)).tolist()
    return found


def shown(rule: str) -> str:
    """Return what stands in place of what a rule found.

    >>> shown("card")
    '[redacted card]'
    """
    return f"[redacted {rule}]"


def _replaced(
    pattern: re.Pattern[str],
    text: str,
    rule: str,
    found: Counter[str],
    meant: Callable[[str], bool] | None = None,
) -> str:
    def fill(match: re.Match[str]) -> str:
        whole = match[0]
        if meant is not None and not meant(whole):
            return whole
        found[rule] += shown(rule) not in whole  # else what stood in it is counted already
        return (match.groupdict().get("head") or "") + shown(rule)

    return pattern.sub(fill, text) if pattern.search(text) else text


def _by_rules(text: str, rules: Sequence[Rule], found: Counter[str]) -> str:
    for rule in rules:

        def fill(match: object, name: str = rule.name) -> str:
            del match
            found[name] += 1
            return shown(name)

        if text:
            text = rule.pattern.replace(text, fill)
    return text


def _is_card(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    return _ISSUED.fullmatch(digits) is not None and luhn(digits)


def luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    total = sum(number - 9 if number > 9 else number for number in doubled)
    return (total + sum(map(int, digits[-1::-2]))) % 10 == 0
