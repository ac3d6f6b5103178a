"""Which entries of a timeline are shown: by kind, by who, by words; and what is pinned. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tocsin.client.shapes import TimelineEntry

GROUPS = {
    "Notes": frozenset({"note", "mentioned"}),
    "Response": frozenset(
        {
            *("opened", "acknowledged", "severity_set", "status_set", "reopened", "declined"),
            *("role_assigned", "responder_joined", "responder_left", "milestone_corrected"),
            *("merged", "took_over", "split_off", "task_added", "task_changed"),
        }
    ),
    "Findings": frozenset({"finding_added", "finding_changed", "crowd_counted", "diagnosed"}),
    "Changes": frozenset({"change_noted"}),
    "Pages": frozenset({"paged", "page_failed", "rung_again", "escalated", "suppressed"}),
    "Runbook": frozenset({"runbook_proposed", "step_set", "runbook_run"}),
    "Updates": frozenset({"update_given", "update_due", "status_published", "said"}),
}
"""Kinds of entries by what people look for."""

OTHER = "Other"
_PINNING = {"pinned": True, "unpinned": False}


def group_of(entry: TimelineEntry) -> str:
    """Return what people look for when they look for this entry."""
    kind = entry["kind"].lower()
    return next((group for group, kinds in GROUPS.items() if kind in kinds), OTHER)


def groups_in(entries: Sequence[TimelineEntry]) -> list[str]:
    """Return the groups that there are, in their order."""
    present = {group_of(entry) for entry in entries}
    return [group for group in (*GROUPS, OTHER) if group in present]


def people_in(entries: Sequence[TimelineEntry]) -> list[str]:
    """Return who has done something, in alphabetical order; the machine is one of them."""
    return sorted({entry["actor"] for entry in entries if entry["actor"]})


def matching(
    entries: Sequence[TimelineEntry],
    *,
    groups: Collection[str] = (),
    who: str | None = None,
    words: str = "",
) -> list[TimelineEntry]:
    """Return the entries that fit all that is asked, the newest first by when they were.

    Args:
        entries: In any order.
        groups: Of which groups; empty: of all.
        who: By whom; None: by anybody.
        words: That stand in their text, in either case.
    """
    found = [
        entry
        for entry in entries
        if (not groups or group_of(entry) in groups)
        and who in {None, entry["actor"]}
        and words.lower() in entry["text"].lower()
    ]
    return sorted(found, key=lambda entry: (-happened_ms(entry), -entry["seq"]))


def happened_ms(entry: TimelineEntry) -> int:
    """Return when it was: a note may be about something earlier than when it was written."""
    at_ms = entry["data"].get("at_ms")
    return at_ms if isinstance(at_ms, int) else entry["time_ms"]


def pinned(entries: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Return the entries that people keep in view, in the order in which they pinned them."""
    pins: dict[int, None] = {}
    for entry in sorted(entries, key=lambda one: one["seq"]):
        on, number = _PINNING.get(entry["kind"]), entry["data"].get("event")
        if on is None or not isinstance(number, int):
            continue
        pins.pop(number, None)
        if on:
            pins[number] = None
    by_number = {entry["seq"]: entry for entry in entries}
    return [by_number[number] for number in pins if number in by_number]
