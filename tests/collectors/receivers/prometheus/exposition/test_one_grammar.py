"""The parser that remembers lines reads every page as the grammar alone does, after any other."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.errors import DecodeError
from collectors.metric_kinds import MetricType
from collectors.receivers.prometheus.exposition.parser import ExpositionParser
from collectors.receivers.testing.exposition import PageWriter, ReadPage, read_by_grammar

EXPORTERS = sorted((Path(__file__).parent / "exporters").glob("*.*m"))
# More for a long run: TOCSIN_FUZZ_S=600 tries about ten times as many.
EXAMPLES = int(20 * float(os.environ.get("TOCSIN_FUZZ_S", "10")))


class Both:
    """The parser with its memory, and the grammar with nothing but the types told so far."""

    def __init__(self) -> None:
        self.parser = ExpositionParser()
        self.types: dict[str, MetricType] = {}
        self.openmetrics = False

    def agree(self, body: bytes, openmetrics: bool) -> bool:
        """Read a page in both ways; return whether it is right."""
        told = self.types if openmetrics == self.openmetrics else {}
        try:
            expected, self.types = read_by_grammar(body, openmetrics, told)
        except DecodeError:
            with pytest.raises(DecodeError):
                self.parser.parse(body, openmetrics)
            return False
        self.openmetrics = openmetrics
        assert remembered(self.parser, body, openmetrics) == expected
        return True


def remembered(parser: ExpositionParser, body: bytes, openmetrics: bool) -> ReadPage:
    page = parser.parse(body, openmetrics)
    series = [
        (found.name, tuple(sorted(found.labels.items())), found.kind.value)
        for found in parser.series
    ]
    columns = (page.series, page.value, page.time_ms, page.start_ms)
    return ReadPage(
        samples=[
            (*series[index], repr(float(value)), int(time_ms), int(start_ms))
            for index, value, time_ms, start_ms in zip(*columns, strict=True)
        ],
        exemplars=[
            (*series[index][:2], repr(found.value), found.time_ms)
            for index, found in page.exemplars
        ],
        refused=sorted(flaw.reason for flaw in [*page.rejections, *page.warnings]),
    )


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False), st.booleans())
def test_made_up_pages(random: Random, openmetrics: bool) -> None:
    """Aligned numbers, new types, times, exemplars, mistakes: each in any order after any other."""
    writer, both = PageWriter(random, openmetrics), Both()
    page = writer.page()
    both.agree(page, openmetrics)
    for _ in range(6):
        successor = writer.successor(page)
        if both.agree(successor, openmetrics):
            page = successor
    both.agree(page, not openmetrics)
    both.agree(page, openmetrics)


@pytest.mark.parametrize("path", EXPORTERS, ids=lambda path: path.name)
def test_mutants_of_exporters_pages(path: Path) -> None:
    """What real programs write, with bytes changed, lines lost, repeated and renumbered."""
    openmetrics = path.suffix == ".om"
    random = Random(path.name)
    writer, both = PageWriter(random, openmetrics), Both()
    page = path.read_bytes()
    assert both.agree(page, openmetrics)
    assert both.agree(page, openmetrics)
    right = 0
    for _ in range(EXAMPLES // 4):
        right += both.agree(writer.successor(page), openmetrics)
    assert both.agree(page, openmetrics)
    assert right > EXAMPLES // 16
