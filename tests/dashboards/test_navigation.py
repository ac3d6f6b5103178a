"""Pages are found by what their files say of themselves."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dashboards.navigation import PAGES_DIR, Page, pages, read_page


def write(directory: Path, name: str, declaration: str) -> Path:
    """Write a page that says only how it is called."""
    path = directory / f"{name}.py"
    path.write_text(f'"""A page."""\n{declaration}\n', encoding="utf-8")
    return path


def test_every_shipped_page_is_in_the_navigation_and_the_overview_comes_first() -> None:
    """A page that nobody can reach would go unnoticed."""
    assert {path.name for path in pages()} == {path.name for path in PAGES_DIR.glob("*.py")}
    assert [path.stem for path in pages()][:2] == ["overview", "war_room"]


def test_a_file_is_all_that_a_page_takes(tmp_path: Path) -> None:
    """It stands where it wants to stand, and files that are no pages are left out."""
    last = write(tmp_path, "a", 'PAGE = Page(title="Last", icon=":material/forum:", order=2)')
    first = write(tmp_path, "b", 'PAGE = Page(title="First", icon="🔔", order=1.5)')
    write(tmp_path, "helper", "PAGES = 3")

    found = pages(tmp_path)

    assert list(found) == [first, last]
    assert found[first] == Page(title="First", icon="🔔", order=1.5)


@pytest.mark.parametrize(
    ("declaration", "why"),
    [
        ('PAGE = Page(title="A", icon="🔔", order=later())', "malformed node"),
        ('PAGE = Page(title="A", icon="🔔")', "missing 1 required keyword-only argument: 'order'"),
        ('PAGE = Page(title="A", icon="🔔", order="1")', "order must be a number, got '1'"),
        ("PAGE = Page(", "'(' was never closed"),
    ],
)
def test_a_page_that_cant_be_read_costs_itself_alone(
    declaration: str, why: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's mistake in one file would take all pages away."""
    good = write(tmp_path, "good", 'PAGE = Page(title="Good", icon="🔔", order=1)')
    bad = write(tmp_path, "bad", declaration)

    with caplog.at_level(logging.WARNING):
        assert list(pages(tmp_path)) == [good]
    (record,) = caplog.records
    assert str(bad) in record.getMessage()
    assert why in record.getMessage()


def test_a_page_is_read_and_not_run(tmp_path: Path) -> None:
    """Drawing every page to learn their names would ask the server for all of them."""
    path = write(
        tmp_path, "a", 'PAGE = Page(title="A", icon="🔔", order=1)\nraise RuntimeError("drawn")'
    )

    page = read_page(path)

    assert page is not None
    assert page.title == "A"
