"""Generated reference pages are what the code says now."""

from pathlib import Path

import pytest

from tocsin.reference import pages

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_current(name: str) -> None:
    """``scripts/docs`` writes it again."""
    assert (DOCS / name).read_text() == pages()[name]
