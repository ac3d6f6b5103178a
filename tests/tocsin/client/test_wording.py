"""One number, one wording: on cards, in messages, documents, pages and terminals."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from dashboards.panels import evidence
from runbooks.api import views
from runbooks.incidents.commands import Open
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from runbooks.notifiers.card import Links, card_of, evidence_of
from runbooks.notifiers.console import page_text
from runbooks.notifiers.slack_layout import blocks_of
from runbooks.postmortem.document import machine_sections
from runbooks.postmortem.gathering import gather
from tocsin.client import wording

VALUES = [
    (0.084, "ratio", "8.4 %"),
    (0.9995, "ratio", "99.95 %"),
    (0.99999, "ratio", "99.999 %"),
    (1.0, "ratio", "100 %"),
    (0.0, "ratio", "0 %"),
    (12.345, "1/s", "12.3/s"),
    (0.0, "1/s", "0/s"),
    (1234.5, "1/s", "1,234/s"),
    (2_000_000.0, "1/s", "2,000,000/s"),
    (0.25, "s", "250 ms"),
    (0.00025, "s", "250 µs"),
    (1.5, "s", "1.5 s"),
    (90.0, "s", "1 min 30 s"),
    (1500.0, "ms", "1.5 s"),
    (7.0, "starts", "7 starts"),
    (1234567.0, "", "1,234,567"),
    (12.0, "1", "12"),
    (math.nan, "1/s", "no data"),
]
DURATIONS = [
    (None, "–"),
    (0, "0 s"),
    (0.4, "400 ms"),
    (5, "5 s"),
    (12.34, "12.3 s"),
    (59.99, "1 min"),
    (90, "1 min 30 s"),
    (300, "5 min"),
    (3600, "1 h"),
    (21_600, "6 h"),
    (86_700, "1 d 5 min"),
    (2_592_000, "30 d"),
]
T0 = 1_700_000_000_000
LINKS = Links(dashboard_url="http://127.0.0.1:1", api_url="http://127.0.0.1:2")
FINDING = Finding(
    id="detector/x/eu/1",
    rule="detector/x",
    kind=FindingKind.ANOMALY,
    state=FindingState.FIRING,
    urgency=Urgency.PAGE,
    title="Starts fell in eu",
    explanation="They fell.",
    scope={"service.name": "playback"},
    started_ms=T0,
    detected_ms=T0 + 10_000,
    updated_ms=T0 + 10_000,
    ended_ms=None,
    expression="name,sps,:eq,:sum",
    window_ms=90_000,
    observed=1.0,
    baseline=None,
    unit="1/s",
)


def incident_of(finding: Finding) -> Incident:
    """Open an incident about one finding."""
    command = Open(incident_id="inc-1", finding=finding, severity=Severity.SEV2, why="it pages")
    return fold(decide(None, command, T0 + 10_000))


def card(finding: Finding) -> str:
    """What a card shows as observed."""
    return evidence_of(finding).observed


def message(finding: Finding) -> str:
    """The blocks of the Slack message."""
    blocks = [block.to_dict() for block in blocks_of(card_of(incident_of(finding), LINKS))]
    return json.dumps(blocks, ensure_ascii=False)


def terminal(finding: Finding) -> str:
    """What the console notifier prints."""
    return page_text(card_of(incident_of(finding), LINKS))


def document(finding: Finding) -> str:
    """The post-mortem's table of signals, without Markdown's escapes."""
    incident = incident_of(finding)
    command = Open(incident_id="inc-1", finding=finding, severity=Severity.SEV2, why="it pages")
    events = decide(None, command, T0 + 10_000)
    known = gather(incident, events, [], None, [], {}, LINKS)
    return machine_sections(known)["signals"].replace("\\", "")


def page(finding: Finding) -> str:
    """The war room's line of what was seen and expected."""
    incident = views.detail(
        incident_of(finding), now_ms=T0, events=[], rows=[], runbook=None, measures=[]
    )
    (shown,) = json.loads(json.dumps(incident))["findings"]
    return evidence.compared(shown)


@pytest.mark.parametrize("place", [card, message, terminal, document, page])
@pytest.mark.parametrize(("value", "unit", "worded"), VALUES)
def test_a_value_reads_the_same_in_every_place(
    place: Callable[[Finding], str], value: float, unit: str, worded: str
) -> None:
    """A person who compares a message with a page would take two wordings for two numbers."""
    assert worded in place(replace(FINDING, observed=value, unit=unit))


@pytest.mark.parametrize("place", [card, message, terminal, document, page])
def test_no_baseline_is_said_to_be_none(place: Callable[[Finding], str]) -> None:
    """That nothing was expected is not the same as that nothing was measured."""
    text = place(FINDING)

    assert place is card or "none" in text
    assert "no data" not in text


@pytest.mark.parametrize("place", [message, terminal, document, page])
def test_a_window_reads_the_same_in_every_place(place: Callable[[Finding], str]) -> None:
    """The window of a finding is a length of time like any other."""
    assert "1 min 30 s" in place(FINDING)


@pytest.mark.parametrize(("value", "unit", "worded"), VALUES)
def test_quantities(value: float, unit: str, worded: str) -> None:
    """The table itself: value and unit to words."""
    assert wording.quantity(value, unit) == worded


@pytest.mark.parametrize(("seconds", "worded"), DURATIONS)
def test_durations(seconds: float | None, worded: str) -> None:
    """Lengths of time in their two largest units, unknown ones as a dash."""
    assert wording.duration(seconds) == worded


@given(st.floats(min_value=0.0, max_value=1.0, exclude_max=True))
def test_a_miss_is_never_a_hundred_per_cent(ratio: float) -> None:
    """An objective of 99.95 % that reads 100 %, or a miss that reads 100 %, would be a lie."""
    assert wording.percent(ratio) != "100 %"


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_what_is_not_nothing_never_reads_as_nothing(value: float) -> None:
    """A small number must not be rounded to a nought."""
    assert float(wording.number(value).replace(",", "")) == pytest.approx(value, rel=0.006)
    assert wording.duration(value) != "0 s"
