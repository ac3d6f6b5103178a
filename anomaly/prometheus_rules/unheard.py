"""Selectors of rules that nothing has ever matched: a slip looks like health otherwise."""

from __future__ import annotations

from anomaly.prometheus_rules.evaluating import parsed_rule
from anomaly.prometheus_rules.group import GroupedRule
from anomaly.prometheus_rules.measuring import wanted_selectors
from collectors.errors import TocsinError
from collectors.promql.labels.words import Words
from collectors.promql.language.nodes import VectorSelector
from collectors.promql.language.printing import text_of
from collectors.promql.samples.columns import Source
from collectors.promql.vectors.context import LOOKBACK_MS

_TOLD = 3


Heard = dict[str, bool | None]
"""Whether selectors, by their text, match anything now; None: not known."""


def unheard_words(rule: GroupedRule, source: Source, now_ms: int, heard: Heard) -> str | None:
    """Return which selectors of a rule have nothing now, in words; empty when all have.

    Args:
        rule: The rule.
        source: Where samples are.
        now_ms: The present, epoch milliseconds.
        heard: What was found out for other rules already; added to.

    Returns:
        None where nothing is known to be lacking, but not all could be asked.
    """
    lacking: list[str] = []
    known = True
    for selector in wanted_selectors(parsed_rule(rule.expr)):
        text = text_of(selector)
        if text not in heard:
            heard[text] = _is_heard(selector, source, now_ms)
        known &= heard[text] is not None
        if heard[text] is False:
            lacking.append(text)
    names = [*dict.fromkeys(lacking)]
    if not names:
        return "" if known else None
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return f"{rule.name} asks for {', '.join(names[:_TOLD])}{more}"


def _is_heard(selector: VectorSelector, source: Source, now_ms: int) -> bool | None:
    try:
        # The first few that there are say it.
        parts = source.parts(selector.matchers, now_ms - LOOKBACK_MS, now_ms, Words(), ())
        return any(part.labels.size for part in parts)
    except TocsinError:
        return None
