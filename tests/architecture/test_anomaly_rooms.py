"""The rooms inside ``anomaly`` import one way: api → engine → rules → slo, detectors → ground."""

from __future__ import annotations

from tests.architecture.house import ROOT, against, file_imports, text_constants

GROUND = {""}
"""Findings, those that are open and groups of lines: files that stand in no room."""

ALLOWED: dict[str, set[str]] = {
    "": set(),
    # Arrays in, verdicts out: detectors know neither rules nor findings.
    "detectors": set(),
    "evidence": GROUND,
    "slo": GROUND | {"evidence"},
    "slo/documents": GROUND | {"evidence", "slo"},
    "rules": GROUND | {"detectors", "evidence", "slo"},
    "engine": GROUND | {"evidence", "rules"},
    "api": GROUND | {"engine", "rules"},
}
"""Room to the rooms that it may import from; a room stands for what is in it, too."""

DETECTORS = ROOT / "anomaly" / "detectors"


def test_rooms_import_in_the_direction_of_the_house() -> None:
    """A detector that knows rules, or a rule that knows the engine, can't be tested by itself."""
    assert against(ALLOWED, "anomaly") == []


def test_the_engine_knows_no_kinds_of_rules() -> None:
    """Of the rules it imports the protocol alone, so that a new kind needs no edit of it."""
    imports = file_imports()
    known = {
        other
        for module in imports
        if module.startswith("anomaly.engine")
        for other in imports[module]
        if other.startswith("anomaly.rules.")
    }

    assert known == {"anomaly.rules.rule"}


def test_names_of_detectors_stand_in_their_own_files() -> None:
    """Code that knows a detector by its name would have to be edited for the next one."""
    files = {file.stem: file for file in DETECTORS.glob("*.py")}
    names = {name for name, file in files.items() if "\nDETECTOR = " in file.read_text()}
    named = {
        f"{file.relative_to(ROOT)}: {constant}"
        for file in (ROOT / "anomaly").rglob("*.py")
        for constant in names & text_constants(file)
        if file != files[constant]
    }

    assert len(names) > 1
    assert named == set()
