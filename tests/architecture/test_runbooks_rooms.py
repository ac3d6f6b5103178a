"""The rooms inside ``runbooks`` import one way: api → desk → postmortem → paging → notifiers."""

from __future__ import annotations

from tests.architecture.house import against, files_a_folder, product_files, room_imports

ALLOWED: dict[str, set[str]] = {
    "": set(),
    # Events and what they add up to: incidents know nobody who decides, tells or writes of them.
    "incidents": set(),
    "automation": set(),
    "alerts": {"incidents"},
    "notifiers": {"alerts", "incidents"},
    "paging": {"incidents", "notifiers"},
    "postmortem": {"alerts", "automation", "incidents", "notifiers", "paging"},
    "desk": {"alerts", "automation", "incidents", "notifiers", "paging", "postmortem"},
    "api": {"alerts", "automation", "desk", "incidents", "notifiers", "paging", "postmortem"},
}
"""Room to the rooms that it may import from; a room stands for what is in it, too."""


def test_rooms_import_in_the_direction_of_the_house() -> None:
    """A notifier that knows the desk, or an incident that knows pages, can't be tested alone."""
    assert against(ALLOWED, "runbooks") == []


def test_the_table_has_no_more_than_the_rooms() -> None:
    """A room that is gone, or an arrow that nobody needs, would let the next mistake through."""
    imports = room_imports()
    used = {
        room: {other.removeprefix("runbooks/") for other in imports[f"runbooks/{room}"]}
        & {*ALLOWED}
        for room in ALLOWED
        if room
    }

    assert used == {room: others for room, others in ALLOWED.items() if room}


def test_no_file_stands_loose() -> None:
    """A file in the room's root belongs to no idea, and makes circles with the rooms below it."""
    assert files_a_folder(product_files())["runbooks"] == 0
