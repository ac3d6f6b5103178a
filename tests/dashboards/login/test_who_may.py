"""What a page offers to whom: nothing that the server would refuse."""

from __future__ import annotations

import pytest

from dashboards.testing import FakeApi, OpenPage, World, words

LOOKS = "You may look; acting needs the role"
VIEWER, RESPONDER = ("read",), ("read", "respond")
# Page, and the keys of buttons on it that change something.
ACTS = {
    "war_room": {"acknowledge", "resolve", "note-submit", "declare-submit"},
    "silences": {"silence-submit", "silence-preview"},
}


def keys(opened: OpenPage, page: str) -> set[str]:
    """Return the keys of all buttons of a page, and whether it says that one may only look."""
    drawn = opened(page)
    assert not drawn.exception
    return {str(one.key) for one in drawn.button} | ({LOOKS} if LOOKS in words(drawn) else set())


@pytest.mark.parametrize("page", ACTS)
def test_who_may_only_look_is_offered_nothing_else(
    opened: OpenPage, api: FakeApi, page: str
) -> None:
    """A button that is refused when it is pressed at night costs the minute that counts."""
    api.rights = VIEWER
    assert keys(opened, page) & ACTS[page] == set()


@pytest.mark.parametrize("page", ACTS)
def test_a_responder_is_offered_all(opened: OpenPage, api: FakeApi, page: str) -> None:
    """Nothing is taken from those who may."""
    api.rights = RESPONDER
    assert keys(opened, page) & {*ACTS[page], LOOKS} == ACTS[page]


def test_the_war_room_says_why_nothing_can_be_done(opened: OpenPage, api: FakeApi) -> None:
    """Who looks for a button learns that it is a role that is missing."""
    api.rights = VIEWER
    assert LOOKS in keys(opened, "war_room")


@pytest.mark.parametrize(
    ("rights", "publishes"), [(RESPONDER, False), ((*RESPONDER, "command"), True)]
)
def test_the_public_is_told_by_a_commander(
    opened: OpenPage, api: FakeApi, now_ms: int, rights: tuple[str, ...], *, publishes: bool
) -> None:
    """Everybody on the internet reads it."""
    api.world, api.rights = World.in_incident(now_ms), rights
    found = keys(opened, "status_page")
    assert (any(key.startswith("publish-") for key in found), LOOKS in found) == (
        publishes,
        not publishes,
    )


def test_what_is_not_known_is_left_to_the_server(opened: OpenPage, api: FakeApi) -> None:
    """An older server that has no such answer refuses by itself what it must."""
    api.answer_with("/api/v2/whoami", 404, "no such path")
    assert "acknowledge" in keys(opened, "war_room")
