"""Documents name files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.house import ROOT, tracked_files

_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_PATH = re.compile(r"`([a-z_]+/[\w/.-]*)`")
DOCUMENTS = tracked_files("*.md")


def gone(document: Path) -> Iterator[str]:
    """Yield the links of a document that lead nowhere."""
    for target in _LINK.findall(document.read_text(encoding="utf-8")):
        if not (document.parent / target).exists():
            yield target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """A reader would be sent to a page that was moved or never written."""
    assert list(gone(document)) == []


def test_the_glossary_says_where_things_are_now() -> None:
    """A newcomer would look for a word's code in a folder of last year."""
    named = _PATH.findall((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))

    assert len(named) > 30
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    """A check that finds nothing proves nothing."""
    page = tmp_path / "page.md"
    page.write_text("[a](page.md#here) [b](gone.md) [c](https://example.org/gone) [d](#below)")

    assert list(gone(page)) == ["gone.md"]
