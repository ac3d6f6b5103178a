"""How far behind rules judge, in words: silence must not look like health."""

from __future__ import annotations

from typing import cast

import pytest

from dashboards.panels.judging import lag, why, worded
from dashboards.testing import FakeApi, OpenPage, words
from tocsin.client.health_shapes import Health

WATCH = {
    "rules": 3,
    "lag_s": 7.4,
    "slowest": "slo/a_b",
    "age_s": 31.0,
    "steps_judged_again": 0,
    "too_late": 0,
}


def health(**watch: object) -> Health:
    """Return what the server says of itself, some of the watch changed."""
    return cast("Health", {"rules_failing": {}, "watch": {**WATCH, **watch}})


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "no data"),
        (health(rules=0, lag_s=None, slowest=None), "no rules"),
        (health(lag_s=None, slowest=None), "not yet"),
        (health(), "7.4 s late"),
        (health(lag_s=95.0), "1 min 35 s late"),
        (health(lag_s=0.0, slowest=None), "in time"),
    ],
)
def test_the_lag_is_said_as_far_as_it_is_known(found: Health | None, said: str) -> None:
    """Nought seconds would be said where nothing was judged at all."""
    assert lag(found) == said


def test_what_came_late_is_told() -> None:
    """Data that nobody judged would go unnoticed."""
    told = why(health(steps_judged_again=4, too_late=2))
    assert "had 4 steps judged again" in told
    assert "2 came too late to be judged" in told
    assert "slo/a\\_b" in told
    assert "31 s old at most" in told
    assert "judged again" not in why(health())


def test_rules_that_can_not_be_evaluated_are_named_with_the_reason() -> None:
    """A rule with a slip would keep silent for ever, and the page with it."""
    faults = {f"r{i}": "unknown word" for i in range(5)}
    assert worded(faults).startswith("`r0`: unknown word; `r1`")
    assert worded(faults).endswith("; and 2 more")


def test_the_overview_warns_of_rules_that_can_not_be_evaluated(
    api: FakeApi, opened: OpenPage
) -> None:
    """Nobody reads /health: the first page must say it."""
    body = '{"series": 1, "uptime_s": 1, "rules_failing": {"slo/x": "unknown word"}, "watch": null}'
    api.answer_with("/health", 200, body)
    text = words(opened("overview"))
    assert "1 of the rules can't be evaluated" in text
    assert "unknown word" in text
