"""The table in ``docs/reference/receivers.md`` of what a line of a page becomes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collectors.limits import Limits
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.history import TargetHistory
from collectors.receivers.prometheus.scrape.target import TargetAddress

DOCUMENT = Path(__file__).parents[5] / "docs" / "reference" / "receivers.md"
ROW = re.compile(r"^\| `(.*)` \| (counter|gauge) \| (.*) \|$", re.MULTILINE)
ROWS = ROW.findall(DOCUMENT.read_text().partition("## Scrape")[2].partition("\n## ")[0])


def test_the_table_is_there() -> None:
    """An empty table would be right whatever happens."""
    assert len(ROWS) >= 5


@pytest.mark.parametrize(("line", "kind", "tags"), ROWS)
def test_a_documented_line(line: str, kind: str, tags: str) -> None:
    """A reader would look for a series by a name that it does not have."""
    address = TargetAddress(url="http://a:1/metrics", labels={})
    history = TargetHistory(ScrapeJob(name="shop"), address, Limits())
    batch = history.take(f"{line}\n".encode(), False, 1_700_000_000_000).batch
    said = dict(pair.split("=", 1) for pair in re.findall(r"`([^`]*)`", tags))
    assert list(batch.series) == [{**said, "atlas.dstype": kind}]
