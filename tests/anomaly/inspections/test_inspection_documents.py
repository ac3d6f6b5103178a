"""What files of the configuration directory say of inspections, and what they can't."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomaly.findings import Urgency
from anomaly.inspections.inspection import Inspection
from anomaly.inspections.reading import load_inspections, stock
from anomaly.inspections.rule import InspectionRule
from collectors.errors import DocumentError

SETTINGS = """apiVersion: tocsin/v1
kind: InspectionSettings
metadata: {{name: {name}}}
spec: {{{spec}}}
"""
OWN = """apiVersion: tocsin/v1
kind: Inspection
metadata: {name: render-queue, displayName: Render queue is long}
spec:
  expr: name,render.queue.length,:eq,:max
  above: 1000
  why: Videos are late.
  hint: Start more renderers.
"""


def loaded(directory: Path, *texts: str) -> dict[str, Inspection]:
    """Return all inspections under some files, by name."""
    for number, text in enumerate(texts):
        (directory / f"{number}.yaml").write_text(text)
    return {one.name: one for one in load_inspections(directory)}


def test_stock_holds_without_a_file(tmp_path: Path) -> None:
    """A newcomer would have to write forty files first."""
    assert tuple(loaded(tmp_path).values()) == stock()


def test_one_is_changed_and_the_others_stay(tmp_path: Path) -> None:
    """Whoever changes one threshold would have to repeat everything else."""
    spec = "below: 0.2, for: 1h, urgency: page"
    found = loaded(tmp_path, SETTINGS.format(name="host-disk-space", spec=spec))
    one, before = found.pop("host-disk-space"), stock()
    assert (one.below, one.for_s, one.urgency) == (0.2, 3_600.0, Urgency.PAGE)
    assert one.expr == next(x.expr for x in before if x.name == one.name)
    assert set(found.values()) == {x for x in before if x.name != one.name}


def test_one_is_switched_off(tmp_path: Path) -> None:
    """What is noise here would be noise for ever."""
    found = loaded(tmp_path, SETTINGS.format(name="host-cpu", spec="enabled: false"))
    rule = InspectionRule(found["host-cpu"], 10_000)
    assert rule.expressions == ()
    assert rule.view({})()[0]["state"] == "muted"


def test_own_ones_are_added(tmp_path: Path) -> None:
    """What only this team measures needs an inspection, too."""
    found = loaded(tmp_path, OWN)
    assert found["render-queue"].group == "own"
    assert len(found) == len(stock()) + 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SETTINGS.format(name="host-cpus", spec="enabled: false"), "did you mean 'host-cpu'?"),
        (SETTINGS.format(name="zzz", spec="enabled: false"), "`tocsin inspections` lists them"),
        (SETTINGS.format(name="host-cpu", spec="below: 3"), "is bad above its threshold"),
        (SETTINGS.format(name="host-cpu", spec="abov: 3"), "did you mean"),
        (SETTINGS.format(name="host-cpu", spec="for: soon"), "must be a duration"),
        (OWN.replace("  above: 1000\n", ""), "give either above or below"),
        (OWN.replace("above: 1000", "above: 1000\n  below: 1"), "give either above or below"),
        (OWN.replace("  why: Videos are late.\n", ""), "spec.why"),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, told: str) -> None:
    """A setting with a typing mistake would change nothing, in silence."""
    with pytest.raises(DocumentError, match=r"0\.yaml") as raised:
        loaded(tmp_path, text)
    assert told in raised.value.message


def test_two_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    """Which of two settings holds would depend on the names of files."""
    with pytest.raises(DocumentError, match="is taken by"):
        loaded(tmp_path, OWN, OWN)
