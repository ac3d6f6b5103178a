"""The living screen of ``tocsin top``, driven by keys against a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static

from dashboards.testing import FakeApi, World
from tocsin.client.client import ApiClient
from tocsin.top.app import TopApp
from tocsin.top.dialogs import Asking, Choosing, Reading, Writing

Story = Callable[[Pilot[None], TopApp, FakeApi], Awaitable[None]]


@pytest.fixture(name="fake")
def _fake() -> Iterator[FakeApi]:
    with FakeApi(World.in_incident(time.time_ns() // 1_000_000)) as fake:
        yield fake


def told(fake: FakeApi, story: Story, size: tuple[int, int] = (80, 24)) -> None:
    """Run the screen without a terminal and let a story happen to it."""

    async def play() -> None:
        with ApiClient(fake.url, timeout_s=3.0) as api:
            app = TopApp(api, actor="ada", interval_s=3_600)
            async with app.run_test(size=size) as pilot:
                await settled(pilot, app)
                await story(pilot, app, fake)

    asyncio.run(play())


async def settled(pilot: Pilot[None], app: TopApp) -> None:
    """Wait until what was asked is answered and drawn."""
    for _ in range(3):  # an answer may have it ask again
        await app.workers.wait_for_complete()
        await pilot.pause()


def text(app: TopApp, name: str) -> str:
    """Return what a part shows."""
    return str(app.screen_stack[0].query_one(f"#{name}", Static).render())


def table(app: TopApp) -> list[list[str]]:
    """Return the incidents as they stand."""
    found = app.screen_stack[0].query_one(DataTable)
    return [[str(cell) for cell in found.get_row_at(row)] for row in range(found.row_count)]


def test_it_shows_the_incident_and_what_is_known(fake: FakeApi) -> None:
    """Whoever is called opens a terminal and sees what is broken, since when and who has it."""

    async def story(_pilot: Pilot[None], app: TopApp, _fake: FakeApi) -> None:
        (row,) = table(app)
        assert row[0] == "INC-7"
        assert row[4].startswith("! Stream starts fell")
        assert "well" in text(app, "head")
        assert "Nobody has acknowledged it" in text(app, "detail")
        assert "burning" in text(app, "slos")
        assert "▅" in text(app, "signals") or "█" in text(app, "signals")
        assert "page" in text(app, "findings")
        assert "Ana Silva" in text(app, "oncall")

    told(fake, story)


def test_nothing_lies_outside_the_smallest_terminal(fake: FakeApi) -> None:
    """On 80 × 24 all parts are in sight at once, and a larger terminal gives them more."""

    async def story(_pilot: Pilot[None], app: TopApp, _fake: FakeApi) -> None:
        for name in ("head", "incidents", "detail", "slos", "signals", "findings", "oncall"):
            region = app.query_one(f"#{name}").region
            assert region.height > 0, name
            assert region.bottom <= app.size.height - 1, name
            assert region.right <= app.size.width, name

    told(fake, story)
    told(fake, story, (200, 60))


def test_an_incident_is_answered_by_keys(fake: FakeApi) -> None:
    """Acknowledged, led, noted in the name of who sits there; said at once, then confirmed."""

    async def story(pilot: Pilot[None], app: TopApp, fake: FakeApi) -> None:
        await pilot.press("a")
        assert "acknowledge INC-7" in text(app, "said")
        await settled(pilot, app)
        assert fake.commands[-1]["command"] == "acknowledge"
        assert fake.commands[-1]["actor"] == "ada"
        assert "done, it is investigating" in text(app, "said")
        assert not table(app)[0][4].startswith("!")
        await pilot.press("t")
        assert isinstance(app.screen, Choosing)
        await pilot.press("s")
        await settled(pilot, app)
        assert (fake.commands[-1]["command"], fake.commands[-1]["value"]) == (
            "assign",
            "scribe:ada",
        )
        await pilot.press("n")
        assert isinstance(app.screen, Writing)
        await pilot.press("escape")
        assert len(fake.commands) == 2
        await pilot.press("n")
        app.screen.query_one(Input).value = "the [provider] is out"
        await pilot.press("enter")
        await settled(pilot, app)
        assert fake.world.notes == [("ada", "the [provider] is out")]

    told(fake, story)


def test_only_a_yes_resolves(fake: FakeApi) -> None:
    """A slip of the finger must not end an incident; what is over is refused with the reason."""

    async def story(pilot: Pilot[None], app: TopApp, fake: FakeApi) -> None:
        for key, resolved in (("n", 0), ("enter", 0), ("y", 1)):
            await pilot.press("r")
            assert isinstance(app.screen, Asking)
            await pilot.press(key)
            await settled(pilot, app)
            assert [one["command"] for one in fake.commands] == ["resolve"] * resolved
        assert "no incident is chosen" not in text(app, "said")

    told(fake, story)


def test_a_refusal_is_told_in_the_words_of_the_server(fake: FakeApi) -> None:
    """Who may not do something learns why, and the screen goes on."""

    async def story(pilot: Pilot[None], app: TopApp, fake: FakeApi) -> None:
        fake.world.status = "resolved"
        await pilot.press("a")
        await settled(pilot, app)
        assert "acknowledge was refused: the incident is resolved" in text(app, "said")

    told(fake, story)


def test_details_and_keys_can_be_read_and_left(fake: FakeApi) -> None:
    """Everything that is known is one key away, and so is the list of keys."""

    async def story(pilot: Pilot[None], app: TopApp, _fake: FakeApi) -> None:
        for key, words in (("o", "answered"), ("c", "avg"), ("question_mark", "take a role")):
            await pilot.press(key)
            assert isinstance(app.screen, Reading)
            assert words in str(app.screen.query_one(Static).render())
            await pilot.press("escape")
            assert not isinstance(app.screen, Reading)

    told(fake, story)


def test_a_server_that_is_away_is_said_to_be(fake: FakeApi) -> None:
    """What is shown is old then: the first line turns red and says so, the rest stays."""

    async def story(pilot: Pilot[None], app: TopApp, fake: FakeApi) -> None:
        fake.stop()
        await pilot.press("f")
        await settled(pilot, app)
        assert "AWAY" in text(app, "head")
        assert "old" in text(app, "head")
        assert app.query_one("#head").has_class("away")
        assert table(app)[0][0] == "INC-7"
        await pilot.press("a")
        await settled(pilot, app)
        assert "acknowledge was refused" in text(app, "said")

    told(fake, story)


def test_without_an_incident_keys_do_nothing(fake: FakeApi) -> None:
    """On a calm night a key says that there is nothing to act on."""

    async def story(pilot: Pilot[None], app: TopApp, fake: FakeApi) -> None:
        for key in "atnro":
            await pilot.press(key)
            await settled(pilot, app)
            assert "no incident is chosen" in text(app, "said")
        assert fake.commands == []
        assert table(app) == []

    fake.world = World.quiet(time.time_ns() // 1_000_000)
    told(fake, story)
