"""``python -m demo_stack``: what it needs, and what it says where that is not installed."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import demo_stack.__main__ as entry

ROOT = Path(__file__).parents[2]


def _imports_at_once(path: Path) -> set[str]:
    """Return the packages that a file imports when it is imported itself."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"demo_stack"}


def _names(requirements: list[str]) -> set[str]:
    """Return the names of distributions, as they compare (PEP 503)."""
    names = (one.split(">")[0].split(";")[0].strip() for one in requirements)
    return {name.lower().replace("_", "-") for name in names}


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback of a missing module tells nobody what to install."""
    monkeypatch.setattr(entry, "NEEDED", ("asyncio", "no_such_package", "no_such.package"))

    with pytest.raises(SystemExit, match=r"no_such_package, no_such\.package: pip .*tocsin\[demo]"):
        entry.run()


def test_all_that_it_imports_comes_with_a_plain_install_or_is_asked_for() -> None:
    """A package that neither brings along ends the platform somewhere in the middle."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plain, extra = _names(project["dependencies"]), project["optional-dependencies"]["demo"]
    asked = {name.split(".")[0] for name in entry.NEEDED}
    optional = {"kafka.py", "kafka_consumer.py", "memcached.py"}  # imported where they are there
    owners = packages_distributions()
    beyond = {
        package: _names(owners[package])
        for path in (ROOT / "demo_stack").rglob("*.py")
        if path.name not in optional
        for package in _imports_at_once(path)
        if not _names(owners[package]) & plain
    }

    assert set(beyond) <= asked
    assert all(owner & _names(extra) for owner in beyond.values())
