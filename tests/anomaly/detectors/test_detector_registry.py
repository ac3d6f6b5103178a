"""A detector is one file: the registry finds it, the reader knows its settings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import anomaly.detectors
from anomaly.detectors.detector import Phase
from anomaly.detectors.registry import detectors
from anomaly.rules.detector_reader import read_rules
from collectors.errors import ConfigError, DocumentError

ONE_FILE = '''\
"""Ceiling: too high is what lies over a fixed number; there is nothing to learn."""

from dataclasses import dataclass

import numpy as np

from anomaly.detectors.alarm import alarm_settings
from anomaly.detectors.detector import Phase
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.memory import Verdicts
from anomaly.detectors.parameters import Parameters, setting
from anomaly.detectors.series_detector import SeriesDetector


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingParameters(Parameters):
    """Settings: the number."""

    ceiling: float = setting(1.0, 0, 1_000)


class CeilingDetector(SeriesDetector):
    """Says at once what is too high."""

    def __init__(self, parameters):
        super().__init__(rows=0)
        self._ceiling = parameters.ceiling

    def _judge(self, values, step, verdicts):
        verdicts.score[:] = values / self._ceiling
        verdicts.expected[:] = self._ceiling
        verdicts.phase[:] = np.where(verdicts.score > 1.0, Phase.ANOMALOUS, Phase.NORMAL)
        verdicts.since[:] = verdicts.score > 1.0


DETECTOR = DetectorKind(
    name="ceiling",
    parameters=CeilingParameters,
    make=CeilingDetector,
    trial=CeilingParameters(ceiling=10.0),
)
'''

DOCUMENT = """\
apiVersion: tocsin/v1
kind: Detector
metadata:
  name: queue
spec:
  expr: name,queue,:eq,:sum
  detector: ceiling
  ceiling: 40
"""


@pytest.fixture
def one_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory whose files are detectors like those that are shipped."""
    monkeypatch.setattr(anomaly.detectors, "__path__", [*anomaly.detectors.__path__, str(tmp_path)])
    detectors.cache_clear()
    yield tmp_path
    detectors.cache_clear()
    for name in [n for n in sys.modules if n.startswith("anomaly.detectors.ceiling")]:
        del sys.modules[name]


def test_a_file_is_all_that_a_detector_takes(one_more: Path) -> None:
    """Without an edit elsewhere a document may name it, and it judges."""
    (one_more / "ceiling.py").write_text(ONE_FILE, encoding="utf-8")

    (rule,) = read_rules(DOCUMENT, file="d.yaml")

    detector = detectors()[rule.detector].make(rule.parameters)
    assert detector.observe(np.array([39.0, 41.0]), 0).phase.tolist() == [
        Phase.NORMAL,
        Phase.ANOMALOUS,
    ]


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("ceiling: 40", "ceiling: 4000", "spec.ceiling", "must be from 0 to 1000, got 4000"),
        ("ceiling: 40", "ceiling: 40\n  evidence: 9", "spec.evidence", "not a setting of ceiling"),
    ],
)
def test_its_settings_are_checked_as_its_file_says(
    one_more: Path, old: str, new: str, field: str, words: str
) -> None:
    """Bounds of the settings of a new detector hold without an edit of the reader."""
    (one_more / "ceiling.py").write_text(ONE_FILE, encoding="utf-8")

    with pytest.raises(DocumentError) as caught:
        read_rules(DOCUMENT.replace(old, new), file="d.yaml")

    assert caught.value.field == field
    assert words in caught.value.reason


def test_two_files_with_one_name_are_refused(one_more: Path) -> None:
    """Otherwise the order of files would decide which of them watches."""
    for name in ("ceiling.py", "ceiling_again.py"):
        (one_more / name).write_text(ONE_FILE, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"ceiling_again declares a DETECTOR 'ceiling'"):
        detectors()


def test_shipped_detectors_are_found_by_name() -> None:
    """The names that documents use stay what they are."""
    assert list(detectors()) == [
        "change",
        "combined",
        "counts",
        "flat",
        "level",
        "novelty",
        "proportion",
        "seasonal",
        "sparse",
    ]
    assert all(kind.name == name for name, kind in detectors().items())
