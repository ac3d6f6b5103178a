"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "dashboards.charts.marks",
        "dashboards.mrkdwn",
        "dashboards.panels.evidence",
        "dashboards.panels.objectives",
        "dashboards.panels.pulse",
        "dashboards.markdown",
        "dashboards.timerange",
        "tocsin.client.graphs",
        "tocsin.client.wording",
    ],
)
def test_examples_are_true(name: str) -> None:
    """Each example gives what it says."""
    failed, tried = doctest.testmod(import_module(name))
    assert tried > 0
    assert failed == 0
