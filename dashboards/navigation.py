"""Which pages there are: every file of ``app_pages`` that says how it is called.

A page is a file there with a :class:`Page` named ``PAGE``. Streamlit runs such a file to draw it,
so it is read here and not imported.
"""

from __future__ import annotations

import ast
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

PAGES_DIR = Path(__file__).with_name("app_pages")
NOW = "Now"
GROUPS = (NOW, "Investigate", "Respond", "Operate")
"""What pages are for, in the order in which they stand; those of the first are always in sight."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How a page stands in the navigation. In its file every argument is a plain value.

    Attributes:
        title: What it is called.
        icon: An emoji, or a symbol's name such as ``:material/forum:``.
        order: Its place in its group; the very first is where the dashboard opens.
        group: One of :data:`GROUPS`: what it is for.
        other_path: A second address under which it is found, for links that live long.
    """

    title: str
    icon: str
    order: float
    group: str = "Investigate"
    other_path: str = ""


def read_page(path: Path) -> Page | None:
    """Return what a file says of itself; None if it is not a page.

    Raises:
        ValueError: It says something that can't be used.
    """
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id="PAGE")],
                value=ast.Call(func=ast.Name(id="Page"), args=[], keywords=keywords),
            ):
                return _page({str(one.arg): ast.literal_eval(one.value) for one in keywords})
    return None


def _page(given: dict[str, Any]) -> Page:
    try:
        page = Page(**given)
    except TypeError as error:
        raise ValueError(f"PAGE can't be made of {given}: {error}") from error
    if not isinstance(page.order, int | float):
        raise ValueError(f"order must be a number, got {page.order!r}")  # noqa: TRY004 - as above
    if page.group not in GROUPS:
        raise ValueError(f"group must be one of {', '.join(GROUPS)}, got {page.group!r}")
    return page


@cache
def pages(directory: Path = PAGES_DIR) -> Mapping[Path, Page]:
    """Return the pages of a directory in their order, those of the same order by file name.

    A file that can't be read costs itself alone; a warning says which one and why.
    """
    found = {}
    for path in sorted(directory.glob("*.py")):
        try:
            page = read_page(path)
        except (SyntaxError, ValueError) as error:
            _log.warning("%s is left out of the navigation: %s", path, error)
            continue
        if page is not None:
            found[path] = page
    return MappingProxyType(dict(sorted(found.items(), key=lambda item: _place(item[1]))))


def grouped(found: Mapping[Path, Page]) -> dict[str, dict[Path, Page]]:
    """Return the pages by group, in the order of both; a group without pages is left out."""
    by_group = {
        group: {path: page for path, page in found.items() if page.group == group}
        for group in GROUPS
    }
    return {group: some for group, some in by_group.items() if some}


def _place(page: Page) -> tuple[int, float]:
    return GROUPS.index(page.group), page.order
