"""The rooms inside ``runbooks`` import one way: api → desk → postmortem → paging → notifiers."""

from __future__ import annotations

from tests.architecture.house import (
    ROOT,
    against,
    files_a_folder,
    product_files,
    room_imports,
    text_constants,
)

ALLOWED: dict[str, set[str]] = {
    "": set(),
    # Events and what they add up to: incidents know nobody who decides, tells or writes of them.
    "incidents": set(),
    "incidents/decisions": {"incidents"},
    "oncall": {"incidents"},
    "automation": {"incidents"},
    "automation/carrying": {"automation", "incidents"},
    "automation/running": {"automation", "automation/carrying", "incidents"},
    "alerts": {"incidents", "oncall"},
    # What an incident is in one sentence, for whoever tells of it.
    "diagnosis": {"incidents"},
    "notifiers": {"alerts", "diagnosis", "incidents"},
    "paging": {"alerts", "incidents", "incidents/decisions", "notifiers"},
    "escalation": {"incidents", "notifiers", "oncall", "paging"},
    "heartbeats": {"incidents", "paging"},
    "importing": {"oncall"},
    "postmortem": {"alerts", "automation", "diagnosis", "incidents", "notifiers", "paging"},
    "first_screen": {
        *("automation", "diagnosis", "incidents", "notifiers", "paging", "postmortem"),
    },
    "desk": {
        *("alerts", "automation", "automation/running", "escalation", "heartbeats"),
        *("incidents", "incidents/decisions"),
        *("notifiers", "oncall", "paging", "postmortem"),
    },
    "slack": {"alerts", "desk", "incidents", "notifiers", "oncall", "paging"},
    "sharing": {"incidents"},
    "status_page": {"alerts", "desk", "incidents", "notifiers"},
    # It answers in the forms of the rest, which lists its routes among its own.
    "api/alertmanager": {"alerts", "api", "desk", "incidents", "paging"},
    "api": {
        *("alerts", "api/alertmanager", "automation", "automation/running", "desk"),
        *("escalation", "first_screen", "heartbeats", "incidents"),
        *("notifiers", "oncall", "paging", "postmortem", "sharing", "status_page"),
    },
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


def test_names_of_notifiers_stand_in_their_own_files() -> None:
    """Code that knows a notifier by its name would have to be edited for the next one."""
    room = ROOT / "runbooks" / "notifiers"
    files = {file.stem: file for file in room.glob("*.py")}
    names = {name for name, file in files.items() if "\nNOTIFIER = " in file.read_text()}
    named = {
        f"{file.relative_to(ROOT)}: {constant}"
        for file in product_files()
        for constant in names & text_constants(file)
        if file.relative_to(ROOT).parts[0] == "runbooks" and file != files[constant]
    }

    assert len(names) > 1
    assert named == set()
