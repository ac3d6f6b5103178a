"""What ``tocsin top`` prints: lines that fit, that command no terminal, and that say what lacks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.testing import FakeApi, World
from tests.tocsin.test_asking_commands import run
from tocsin.client.client import ApiClient
from tocsin.top.look import Look, Part, Signal, first_look, look
from tocsin.top.screen import HEIGHT, WIDTH, head_line, newest, printed
from tocsin.top.sparkline import sparkline

NOW_MS = 1_700_000_000_000


@pytest.fixture(name="fake")
def _fake() -> Iterator[FakeApi]:
    with FakeApi(World.in_incident(NOW_MS)) as fake:
        yield fake


def looked(fake: FakeApi, chosen: str = "") -> Look:
    """Look at a server once."""
    with ApiClient(fake.url) as api:
        return look(api, first_look(api.base_url, NOW_MS), NOW_MS, chosen)


@given(st.lists(st.floats(width=32)), st.integers(0, 50))
def test_a_sparkline_never_outgrows_its_place(values: list[float], width: int) -> None:
    """A line that wraps would push the incident off a small screen."""
    drawn = sparkline(values, width)
    assert len(drawn) == min(len(values), width)
    assert set(drawn) <= set("▁▂▃▄▅▆▇█ ")


def test_a_gap_is_not_a_zero() -> None:
    """Where nothing was measured nothing is drawn."""
    assert sparkline([0.0, math.nan, 4.0], 3) == "▁ █"
    assert sparkline([math.nan, math.nan], 4) == "  "
    assert newest(Signal(title="a", unit="1/s", values=(1.0, math.nan))) == "1/s"
    assert newest(Signal(title="a", unit="1/s", values=(math.nan,))) == "no data"


def test_the_smallest_terminal_has_all_of_it(fake: FakeApi) -> None:
    """Over ssh there are 24 lines of 80 characters: the first screen answers the questions."""
    lines = printed(looked(fake), WIDTH, HEIGHT)
    assert len(lines) <= HEIGHT
    assert max(map(len, lines)) <= WIDTH
    text = "\n".join(lines)
    assert "> INC-7" in text
    assert "! Stream starts fell in us-east-1" in text
    assert "Stream starts in us-east-1: 9.4/s at worst (42.6/s expected)" in text
    assert "getting worse; Stream starts lost against the b" in text
    assert "Likely cause: Deployed playback 1.1.0" in text
    assert "Nobody has acknowledged it; On call: Ana Silva" in text
    assert "Next: Take traffic out of a region" in text
    assert "burning                    ░░░░░░░░ -79 % left" in text
    assert "Playback: Ana Silva, until 2023-11-17 22:13:20 UTC; next Sam Okafor" in text


def test_more_than_there_is_room_for_is_counted(fake: FakeApi) -> None:
    """What is cut off is said to be there."""
    found = looked(fake)
    slos = (found.slos.value or []) * 3
    crowded = Look(url="u", now_ms=NOW_MS, slos=Part(value=slos, read_ms=NOW_MS))
    assert "  – 7 more" in printed(crowded)
    assert "  – 7 more" not in printed(crowded, 80, 100)


def test_text_of_strangers_commands_no_terminal(fake: FakeApi) -> None:
    """A title with an escape sequence could clear the screen of whoever is on call."""
    found = looked(fake)
    summaries = found.incidents.value or []
    evil = [{**summaries[0], "title": "\x1b[2J\x9bdown\nnew line"}]
    shown = printed(Look(url="u", now_ms=NOW_MS, incidents=Part(value=evil, read_ms=NOW_MS)))  # type: ignore[arg-type]  # the same shape
    assert all(line.isprintable() for line in shown)


def test_nothing_wrong_is_said_to_be_nothing(fake: FakeApi) -> None:
    """A calm night and a screen that could not be read must not look alike."""
    fake.world = World(now_ms=NOW_MS, empty=True)
    text = "\n".join(printed(looked(fake)))
    assert "none is open" in text
    assert "FIRING\n  nothing" in text
    assert "none: write one with `tocsin slo new`" in text
    assert "no schedule: pages go to the channels" in text


def test_a_part_that_is_refused_costs_itself_alone(fake: FakeApi) -> None:
    """The rest is what one works with while a part fails."""
    fake.answer_with("/api/v2/slos", 403, '{"message": "your role may not"}')
    fake.answer_with("/api/v2/oncall", 200, '{"now_ms": 1}')
    text = "\n".join(printed(looked(fake)))
    assert "! objectives: your role may not, no answer yet" in text
    assert "! can't be drawn: KeyError: 'schedules'" in text
    assert "> INC-7" in text


def test_what_was_known_stays_when_nobody_answers(fake: FakeApi) -> None:
    """While the server restarts the screen keeps what it knew and says how old it is."""
    with ApiClient(fake.url, timeout_s=2.0) as api:
        before = look(api, first_look(api.base_url, NOW_MS), NOW_MS)
        fake.stop()
        after = look(api, before, NOW_MS + 90_000)
    assert after.away
    assert head_line(after).startswith("AWAY")
    assert head_line(after).endswith("data 1 min 30 s old")
    assert after.incidents.value == before.incidents.value
    assert "> INC-7" in "\n".join(printed(after))


def test_the_incident_that_is_named_is_looked_at(fake: FakeApi) -> None:
    """An id that is not open falls back to the newest that is."""
    assert looked(fake, "INC-7").chosen == "INC-7"
    assert looked(fake, "inc-9999").chosen == "INC-7"


@pytest.mark.parametrize("words", [["top", "--once"], ["top", "--json"]])
def test_one_screen_for_scripts(
    words: list[str],
    fake: FakeApi,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script reads the same without any library for screens."""
    monkeypatch.setenv("TOCSIN_API_URL", fake.url)
    code, told, _ = run(capsys, monkeypatch, *words)
    assert code == 0
    if "--json" in words:
        found = json.loads(told)
        assert found["chosen"] == "INC-7"
        assert found["screen"]["incident"]["title"].startswith("Stream starts fell")
        assert found["faults"] == {}
        assert found["signals"][0]["unit"]
    else:
        assert "> INC-7" in told
    fake.stop()
    assert run(capsys, monkeypatch, *words)[0] == 4
