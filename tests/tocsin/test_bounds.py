"""The page of limits says every bound, and none that does not hold."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tocsin.bounds import FIXED, SETTINGS, limits_page
from tocsin.settings import Settings

ROOT = Path(__file__).parents[2]
BOUNDS = [bound for bounds in FIXED.values() for bound in bounds]

# What Slack allows, what our own commands ask for, and what no number can exceed: met by nobody.
OTHERS = {
    "collectors.percentile_buckets:MAX_AMOUNT",
    "collectors.stacklang.text.text_format:MAX_PRECISION",
    "tocsin.client.client:MAX_PAGES",
    "tocsin.client.transport:MAX_MESSAGE_CHARS",
    "tocsin.repair.live:MAX_SHOWN",
    "tocsin.demo.plays:MAX_SCENARIO_S",
    "tocsin.gameday.play:MAX_SCENARIO_S",
    "tocsin.gameday.truth:MAX_BYTES",
    "tocsin.gameday.turns:MAX_TURNS",
    *(
        f"runbooks.notifiers.slack_layout:MAX_{part}"
        for part in ("BUTTON", "CONTEXT", "FIELD", "HEADER", "SECTION", "TEXT", "URL")
    ),
}


def public_bounds() -> set[str]:
    """Return every constant ``MAX_…`` at the top of a module, as the table names them."""
    found = set()
    for room in ("collectors", "anomaly", "runbooks", "tocsin"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "testing" in path.parts:
                continue
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for statement in ast.parse(path.read_text()).body:
                targets = (
                    statement.targets
                    if isinstance(statement, ast.Assign)
                    else [statement.target]
                    if isinstance(statement, ast.AnnAssign)
                    else []
                )
                names = [name for target in targets for name in ast.walk(target)]
                found |= {
                    f"{module}:{name.id}"
                    for name in names
                    if isinstance(name, ast.Name) and name.id.startswith("MAX_")
                }
    return found


def test_every_bound_is_told() -> None:
    """A new bound would be met by somebody who can't look it up."""
    assert public_bounds() - OTHERS - {bound.where for bound in BOUNDS} == set()


def test_every_told_bound_holds_somewhere() -> None:
    """A bound that was renamed would still be promised."""
    for bound in BOUNDS:
        assert bound.value, bound.where
    assert len({bound.where for bound in BOUNDS}) == len(BOUNDS)


@pytest.mark.parametrize("word", ["max_", "_bytes", "_timeout", "_per_minute", "_concurrency"])
def test_settings_that_sound_like_bounds_are_told(word: str) -> None:
    """An operator who may raise a bound would not learn that there is one."""
    sounding = {name for name in Settings.model_fields if word in f"{name}_"}
    assert sounding <= set(SETTINGS)


def test_the_page_says_defaults_with_units() -> None:
    """A number without its unit, or beside a wrong name, misleads who plans by it."""
    page = limits_page()
    for row in (
        "| `max_body_bytes` | 64 MiB |",
        "| `stream_idle_ms` | 15 min |",
        "| a body of changes | 1 MiB | 413 |",
        "| lines of a graph | 1,024 |",
    ):
        assert row in page
