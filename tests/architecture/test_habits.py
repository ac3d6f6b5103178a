"""Habits of the house that no linter knows."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.house import ROOMS, ROOT, product_files, tracked_files

# A bound is called MAX_… or MIN_…, a logger _log: one name for one idea.
_OTHER_NAMES = re.compile(
    r"^(?:_?(?:(?:MOST|LEAST|LONGEST|SHORTEST|TALLEST)_\w+|LOG)|log)\b(?=\s*[:=])", re.MULTILINE
)
NAMED_ALIKE = ROOMS
TOLD = sorted(path.name for path in (ROOT / "tests").iterdir() if any(path.glob("**/test_*.py")))


@pytest.mark.parametrize("room", NAMED_ALIKE)
def test_bounds_and_loggers_are_named_alike(room: str) -> None:
    """A reader would take two names for two ideas, and search for the wrong one."""
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in product_files()
        if path.relative_to(ROOT).parts[0] == room
        and (found := _OTHER_NAMES.findall(path.read_text(encoding="utf-8")))
    }
    assert wrong == {}


@pytest.mark.parametrize("room", TOLD)
def test_each_test_says_in_a_sentence_what_breaks(room: str) -> None:
    """Who sees a test fail would have to guess whom that concerns."""
    silent = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in tracked_files("tests/*.py")
        if path.relative_to(ROOT).parts[1] == room
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
