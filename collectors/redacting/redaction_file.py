r"""``redaction.yaml``: which secrets are taken out of log records and spans before they are kept.

::

    cards: true
    emails: false
    rules:
    - name: order
      pattern: 'ORD-\d{6,}'
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section
from collectors.documents.values import Flag, Words
from collectors.errors import DocumentError
from collectors.patterns import Pattern, PatternError
from collectors.redacting.redactor import Redaction, Rule

MAX_RULES = 32


class RedactionRule(Section):
    """Something of one's own that no log record and no span is to hold."""

    name: Words
    """What stands in its place: `[redacted NAME]`; it is counted under this name."""
    pattern: Words
    """What is hidden: a pattern in RE2's syntax."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what is no pattern, or one that hides nothing."""
        del context
        try:
            pattern = Pattern(self.pattern)
        except PatternError as error:
            yield self.at("pattern").error(f"is no pattern: {error}")
            return
        if pattern.matches(""):
            yield self.at("pattern").error("matches a text of no characters; say what it hides")


class RedactionFile(Section):
    """`redaction.yaml`: which secrets are taken out of log records and spans, before all else."""

    cards: Flag = True
    """Whether numbers of payment cards are: an issuer's beginning and a right check digit."""
    emails: Flag = True
    """Whether e-mail addresses are."""
    tokens: Flag = True
    """Whether tokens, keys, passwords and cookies are."""
    rules: tuple[RedactionRule, ...] = ()
    """Further rules, in their order."""
    spans: Flag = True
    """Whether they are taken out of spans, too: names, messages, attributes, events and links."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that there are too many rules: each costs time with every line."""
        del context
        if len(self.rules) > MAX_RULES:
            yield self.at("rules").error(f"has {len(self.rules)} rules, at most {MAX_RULES}")


def load_redaction(path: Path) -> Redaction:
    """Read the file.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    read = load_section(path, RedactionFile)
    rules = tuple(Rule(name=rule.name, pattern=Pattern(rule.pattern)) for rule in read.rules)
    return Redaction(
        cards=read.cards, emails=read.emails, tokens=read.tokens, rules=rules, spans=read.spans
    )
