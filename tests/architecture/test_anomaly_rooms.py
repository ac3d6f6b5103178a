"""Inside anomaly imports go one way too: evidence → slo, detectors → rules → engine → api."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "anomaly"
GROUND = "anomaly"
"""The files right below ``anomaly/``: findings and what else all rooms stand on."""

ALLOWED: Mapping[str, set[str]] = {
    GROUND: set(),
    # Arrays in, verdicts out: detectors know neither rules nor findings.
    "anomaly.detectors": set(),
    "anomaly.evidence": {GROUND},
    "anomaly.slo": {GROUND, "anomaly.evidence"},
    "anomaly.slo.documents": {GROUND, "anomaly.evidence", "anomaly.slo"},
    "anomaly.rules": {
        GROUND,
        "anomaly.detectors",
        "anomaly.evidence",
        "anomaly.slo",
        "anomaly.slo.documents",
    },
    # The engine drives rules through their protocol: see the test of its own below.
    "anomaly.engine": {GROUND, "anomaly.evidence", "anomaly.rules"},
    "anomaly.api": {GROUND, "anomaly.engine", "anomaly.rules"},
}


def modules() -> dict[str, Path]:
    """Return the files of the room by the module's name."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


def imports_of(name: str, source: str, known: Iterable[str]) -> set[str]:
    """Return the modules of the room that ``source`` imports, wherever in the file."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            named.add(node.module)
            named.update(f"{node.module}.{alias.name}" for alias in node.names)
    # The package itself holds a docstring only: to name it is no dependency.
    return (named & set(known)) - {name, PACKAGE}


def graph() -> dict[str, set[str]]:
    """Return which module imports which."""
    files = modules()
    return {name: imports_of(name, file.read_text(), files) for name, file in files.items()}


def room(module: str, files: Mapping[str, Path]) -> str:
    """Return the folder that a module lies in, as a package."""
    return ".".join(files[module].parent.relative_to(ROOT).parts)


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Return what is left when everything that stands on nothing left is taken away."""
    left = {name: set(targets) for name, targets in edges.items()}
    while free := [name for name, targets in left.items() if not targets & set(left)]:
        for name in free:
            del left[name]
    return [sorted(left)] if left else []


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_room_of_anomaly_imports_only_what_lies_below_it(name: str) -> None:
    """A detector that knows rules, or a rule that knows the engine, is caught here."""
    files = modules()
    wrong = {
        module: sorted(bad)
        for module, targets in graph().items()
        if room(module, files) == name
        and (bad := {t for t in targets if room(t, files) not in {name, *ALLOWED[name]}})
    }

    assert wrong == {}


def test_every_room_of_anomaly_is_in_the_table() -> None:
    """A new folder gets its direction with its first file."""
    files = modules()
    assert {room(module, files) for module in files} == set(ALLOWED)


def test_no_files_of_anomaly_know_each_other() -> None:
    """A circle of files can't be read from any of its ends."""
    assert circles(graph()) == []
    assert circles({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}) == [["a", "b", "c"]]


def test_the_engine_knows_no_kinds_of_rules() -> None:
    """Of the rules it imports the protocol alone, so that a new kind needs no edit of it."""
    known = {
        target
        for module, targets in graph().items()
        if module.startswith("anomaly.engine")
        for target in targets
        if target.startswith("anomaly.rules.")
    }

    assert known == {"anomaly.rules.rule"}


def test_names_of_detectors_stand_in_their_own_files() -> None:
    """Code that knows a detector by name would have to be edited for the next one."""
    files = modules()
    named = {
        str(file.relative_to(ROOT)): constant
        for module, file in files.items()
        for constant in text_constants(file.read_text())
        if constant in detector_names() and module != f"anomaly.detectors.{constant}"
    }

    assert len(detector_names()) > 1
    assert named == {}


def text_constants(source: str) -> set[str]:
    """Return the strings in ``source``."""
    nodes = ast.walk(ast.parse(source))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def detector_names() -> set[str]:
    """Return the names of detectors: the files that declare one."""
    folder = ROOT / "anomaly" / "detectors"
    return {file.stem for file in folder.glob("*.py") if "\nDETECTOR = " in file.read_text()}
