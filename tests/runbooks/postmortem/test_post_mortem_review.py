"""From draft to published: blanks are named, people's words kept, changed evidence said."""

from __future__ import annotations

import pytest

from collectors.clock import ManualClock
from collectors.errors import ConflictError, InputError, NotFoundError
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import AddTask, ChangeTask, Note, SetStatus
from runbooks.incidents.states import Status
from runbooks.incidents.tasks import TaskKind
from runbooks.postmortem.office import PostMortemOffice
from runbooks.postmortem.sections import PROMPTS
from runbooks.postmortem.stages import NEXT, Stage, moved
from tests.runbooks.room import MakeFinding

PROMPTED = [prompt.name for prompt in PROMPTS if prompt.asks and prompt.name != "follow-ups"]
ACTION = {"title": "Test the timeout", "kind": "prevent", "owner": "ana", "due": "2023-11-20"}


@pytest.fixture
def office(desk: IncidentDesk, clock: ManualClock) -> PostMortemOffice:
    return PostMortemOffice(desk.post_mortems, clock, desk.execute)


@pytest.fixture
def resolved(desk: IncidentDesk, make_finding: MakeFinding) -> str:
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    desk.execute(incident.id, SetStatus(status=Status.RESOLVED, actor="ann"))
    desk.tick()
    return incident.id


def filled(office: PostMortemOffice, incident_id: str) -> None:
    for name in PROMPTED:
        office.edit(incident_id, name, f"About {name}.", actor="ann")
    office.add_action(incident_id, ACTION, actor="ann")


def test_the_way_to_published(
    office: PostMortemOffice, desk: IncidentDesk, clock: ManualClock, resolved: str
) -> None:
    """Each move says who and when, in the document's state and on the incident's record."""
    filled(office, resolved)
    for to in (Stage.IN_REVIEW, Stage.REVIEWED, Stage.PUBLISHED):
        clock.advance_ms(1_000)
        paper = office.move(resolved, to, actor="bob", text="fine")
        kept = paper.kept
        assert (kept.stage, kept.moved_by, kept.moved_ms) == (to, "bob", clock.now_ms())
    told = [e.text for e in desk.ledger.events(resolved) if e.kind == "post_mortem_moved"]
    assert told == [
        "post-mortem: draft → in review: fine",
        "post-mortem: in review → reviewed: fine",
        "post-mortem: reviewed → published: fine",
    ]
    assert "Published since" in office.paper(resolved).markdown


def test_reviewed_is_refused_while_blanks_remain(office: PostMortemOffice, resolved: str) -> None:
    """The refusal names each of them, an action without owner and day too."""
    office.move(resolved, Stage.IN_REVIEW, actor="bob")
    office.edit(resolved, "users", "They saw an error.", actor="ann")
    office.add_action(resolved, {"title": "Test it", "kind": "detect"}, actor="ann")
    with pytest.raises(ConflictError) as refused:
        office.move(resolved, Stage.REVIEWED, actor="bob")
    message = refused.value.message
    assert "What went well" in message
    assert "action item 1 lacks owner and due" in message
    assert "What users saw" not in message
    assert "Action items" not in message


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("to", Stage)
def test_which_stage_may_follow(stage: Stage, to: Stage) -> None:
    """Nothing jumps, and back it goes to a draft alone."""
    if to in NEXT[stage]:
        assert moved(stage, to, []) is to
    else:
        with pytest.raises(ConflictError):
            moved(stage, to, [])


def test_what_people_agreed_on_is_not_changed(office: PostMortemOffice, resolved: str) -> None:
    """Neither text nor new actions; what is done of them is noted all the same."""
    filled(office, resolved)
    office.move(resolved, Stage.IN_REVIEW, actor="bob")
    office.move(resolved, Stage.REVIEWED, actor="bob")
    with pytest.raises(ConflictError):
        office.edit(resolved, "users", "Other words.", actor="ann")
    with pytest.raises(ConflictError):
        office.add_action(resolved, ACTION, actor="ann")
    assert office.change_action(1, {}, done=True).done_ms is not None


def test_evidence_that_changed_is_said(
    office: PostMortemOffice, desk: IncidentDesk, clock: ManualClock, resolved: str
) -> None:
    """Facts are gathered anew, the words stay, and what they rested on is named."""
    filled(office, resolved)
    office.move(resolved, Stage.IN_REVIEW, actor="bob")
    office.move(resolved, Stage.REVIEWED, actor="bob")
    desk.write_post_mortem(resolved)
    assert office.paper(resolved).stale == {}
    assert office.paper(resolved).kept.stage is Stage.REVIEWED

    clock.advance_ms(60_000)
    desk.execute(resolved, Note(actor="bob", text="one more thing"))
    desk.write_post_mortem(resolved)
    paper = office.paper(resolved)
    assert paper.text("users") == "About users."
    assert paper.stale["users"] == ("timeline", "signals")
    assert "_Since this was written, evidence has changed: timeline, signals._" in paper.markdown
    assert paper.kept.stage is Stage.DRAFT

    office.edit(resolved, "users", "About users, still.", actor="ann")
    assert "users" not in office.paper(resolved).stale


def test_open_tasks_of_the_incident_are_listed(
    office: PostMortemOffice, desk: IncidentDesk, resolved: str
) -> None:
    """What was left to do during it would be forgotten after it."""
    for title in ("Renew the licence", "Tell the provider"):
        desk.execute(resolved, AddTask(title=title, actor="ann", kind=TaskKind.REPAIR))
    task, *_ = desk.ledger.incident(resolved).tasks
    desk.execute(resolved, ChangeTask(task_id=task, actor="ann", done=True))
    desk.write_post_mortem(resolved)
    text = office.paper(resolved).markdown
    assert "- repair: Tell the provider" in text
    assert "- repair: Renew the licence" not in text


def test_two_writers_do_not_overwrite_each_other(office: PostMortemOffice, resolved: str) -> None:
    """Who has seen an older revision is told."""
    office.edit(resolved, "users", "One.", actor="ann", after=0)
    with pytest.raises(ConflictError):
        office.edit(resolved, "users", "Two.", actor="bob", after=0)
    assert office.paper(resolved).text("users") == "One."


@pytest.mark.parametrize(
    ("section", "text", "error"),
    [
        ("overview", "x", NotFoundError),
        ("users", "## Impact", InputError),
        ("users", "fine\n# Impact", InputError),
        ("users", "```\n## Impact\n```", InputError),
        ("users", "a <!-- tocsin:end users -->", InputError),
        ("users", "x" * 20_001, InputError),
    ],
)
def test_what_can_not_be_written(
    office: PostMortemOffice, resolved: str, section: str, text: str, error: type[Exception]
) -> None:
    """Text could break out of its section, or claim to be the machine's."""
    with pytest.raises(error):
        office.edit(resolved, section, text, actor="ann")


def test_code_may_have_comments(office: PostMortemOffice, resolved: str) -> None:
    """The commands that were used are part of the story."""
    text = "```\n# look\nkubectl get pods\n```"
    assert office.edit(resolved, "users", text, actor="ann").text("users") == text


def test_a_person_s_summary_takes_the_place_of_the_machine_s(
    office: PostMortemOffice, resolved: str
) -> None:
    """And the machine's comes back when it is emptied."""
    assert "It was found 10 s after the onset" in office.paper(resolved).markdown
    assert "It was found" not in office.edit(resolved, "summary", "Short.", actor="a").markdown
    assert "It was found" in office.edit(resolved, "summary", "", actor="a").markdown


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"title": " "}, "'title' is empty"),
        ({"title": "x", "kind": "blame"}, "kind 'blame' is none of"),
        ({"title": "x", "due": "soon"}, "due 'soon' is no day"),
        ({"title": "x", "due": "2026-02-30"}, "due '2026-02-30' is no day"),
        ({"title": "x", "ticket": "javascript:alert(1)"}, "is no web address"),
        ({"title": "x" * 501}, "'title' has 501 characters"),
    ],
)
def test_what_is_no_action_item(
    office: PostMortemOffice, resolved: str, fields: dict[str, str], told: str
) -> None:
    """The message says the field, the value and what to write."""
    with pytest.raises(InputError, match=told.replace("(", r"\(")):
        office.add_action(resolved, fields, actor="ann")


def test_overdue_action_items_surface(
    office: PostMortemOffice, clock: ManualClock, resolved: str
) -> None:
    """From the day after the last one, until they are done; first in every list."""
    office.add_action(resolved, ACTION | {"title": "Later", "due": "2024-01-01"}, actor="ann")
    office.add_action(resolved, ACTION, actor="ann")
    assert office.overdue() == 0
    clock.advance_ms(7 * 86_400_000)
    assert office.overdue() == 1
    assert [item.id for item in office.action_items()] == [2, 1]
    office.change_action(2, {}, done=True)
    assert office.overdue() == 0
