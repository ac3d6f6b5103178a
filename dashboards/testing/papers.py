"""The made-up incident's post-mortem as the API tells it."""

from __future__ import annotations

from dashboards.testing.synthetic import INCIDENT_ID, JsonObject, World

MARKDOWN = """# Post-mortem INC-7 (synthetic)

## Impact

| What | How much | Source |
|---|---|---|
| Stream starts lost | 6,900 | [query](http://a.test/api/v1/graph?q=x) |

![Stream starts](http://a.test/api/v2/incidents/INC-7/post-mortem/charts/1.svg)

Stream starts: between 9.4/s and 42.6/s. [Graph](http://a.test/api/v1/graph?q=x)

## What went well

_To be written by people: what helped, and should be kept?_
"""
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 190" width="720" height="190">'
    '<rect width="720" height="190" fill="#ffffff"/>'
    '<path d="M76 40H400V150H708" fill="none" stroke="#1f5fa8"/></svg>'
)


def row(world: World) -> JsonObject:
    """Return the post-mortem's row of the list."""
    return {
        "incident_id": INCIDENT_ID,
        "title": "Stream starts fell in us-east-1 (synthetic)",
        "severity": "SEV1",
        "stage": "in_review",
        "next_stages": ["draft", "reviewed"],
        "moved_ms": world.at(0.5),
        "moved_by": "ana",
        "generated_ms": world.at(1),
        "blanks": 1,
        "missing": ["What went well"],
        "remarks": ["the timeline is silent for 40 min from 12:00:00 UTC: what happened then?"],
        "open_actions": 2,
        "overdue_actions": 1,
    }


def whole(world: World) -> JsonObject:
    """Return the post-mortem with everything in it."""
    return row(world) | {
        "sections": [
            {
                "name": "users",
                "title": "What users saw",
                "asks": "what did users see?",
                "text": "An error.",
                "author": "ana",
                "time_ms": world.at(0.6),
                "revision": 1,
                "evidence_changed": ["impact"],
            }
        ],
        "facts": {},
        "warnings": [
            {
                "line": 12,
                "section": "Timeline",
                "phrase": "we should have",
                "advice": "tells of what did not happen",
            }
        ],
        "actions": [
            action(1, "Test the licence client's timeout", due="2020-01-01", overdue=True),
            action(2, "Roll out to one region first", due="", overdue=False),
        ],
        "charts": [{"title": "Stream starts", "words": "between 9.4/s and 42.6/s", "svg": _SVG}],
        "markdown": MARKDOWN,
    }


def action(number: int, title: str, *, due: str, overdue: bool) -> JsonObject:
    """Return an action item."""
    return {
        "id": number,
        "incident_id": INCIDENT_ID,
        "title": title,
        "kind": "prevent",
        "owner": "ben" if due else "",
        "priority": "P1",
        "due": due,
        "ticket": "",
        "done_when": "",
        "created_ms": 0,
        "created_by": "ana",
        "done_ms": None,
        "overdue": overdue,
    }
