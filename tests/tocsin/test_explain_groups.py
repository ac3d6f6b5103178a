"""``tocsin explain-groups``: what an operator reads, and what the API is asked."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from tocsin.client.client import ApiClient
from tocsin.client.explained.groups import ExplainedGroups
from tocsin.commands import explain_groups
from tocsin.commands.explain_groups import told

ANSWER: ExplainedGroups = {
    "query": "name,play.failures,:eq,:sum",
    "of": "",
    "by": ["cdn", "p2p"],
    "before_ms": [0, 1],
    "during_ms": [2, 3],
    "series": 12,
    "tried": 11,
    "stands_out": True,
    "moved_as_one": False,
    "words": "cdn 5, p2p 0: 3,600 where 120 were expected (30 times).",
    "combinations": [
        {
            "tags": {"cdn": "5", "p2p": "0"},
            "likelihood": 21.7,
            "certainty": 40.0,
            "cells": 2,
            "observed": 3_600.0,
            "expected": 120.0,
            "factor": 30.0,
            "rest_observed": 600.0,
            "rest_expected": 600.0,
            "rest_factor": 1.0,
        }
    ],
}
TOLD = """\
cdn 5, p2p 0: 3,600 where 120 were expected (30 times).

weight  seen   expected  others, times  series  tags
21.7    3,600  120       1              2       cdn=5, p2p=0"""


def test_what_is_told() -> None:
    """A sentence and the combinations, or only that nothing stands out."""
    assert told(ANSWER) == TOLD
    assert told({**ANSWER, "stands_out": False, "words": "Nothing."}) == "Nothing."


@pytest.mark.parametrize(("flags", "exit_code"), [([], 0), (["--fail-empty"], 3)])
def test_the_command_asks_and_prints(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], exit_code: int
) -> None:
    """Options come to the API under its own names; an empty answer is a failure when asked so."""
    asked: dict[str, Any] = {}

    def answer(_: ApiClient, query: str, params: dict[str, Any]) -> ExplainedGroups:
        asked.update(params, q=query)
        return {**ANSWER, "stands_out": False}

    monkeypatch.setattr(ApiClient, "explain_groups", answer)
    line = ["name,f,:eq", "--by", "cdn,p2p", "--start", "e-5m", "--direction", "up", "--json"]
    found = CliRunner().invoke(explain_groups.command, [*line, *flags])
    assert found.exit_code == exit_code
    assert orjson.loads(found.output)["tried"] == 11
    assert asked == {
        "q": "name,f,:eq",
        "by": "cdn,p2p",
        "s": "e-5m",
        "e": "now",
        "before": "1h",
        "direction": "up",
        "limit": 3,
    }
