"""An incident in a few lines that can be pasted into a chat, and its tables as CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from tocsin.client.shapes import Incident
from tocsin.client.wording import between, moment

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MAX_EVENTS = 5


def in_markdown(incident: Incident, address: str = "") -> str:
    """Return what somebody has to know who joins, for a chat.

    Args:
        incident: Which.
        address: That leads to it; empty: none is known.
    """
    impact_ms, over_ms = incident["impact_start_ms"], incident["resolved_ms"]
    lines = [
        f"*{incident['severity']} · {incident['status']}* {incident['title']}",
        f"Since {moment(impact_ms)}"
        + (f", over after {between(impact_ms, over_ms)}" if over_ms else ""),
        f"On it: {_who(incident)}",
    ]
    lines += [incident["summary"]] if incident["summary"] else []
    lines += [f"• {one['text']}" for one in incident["near_changes"][:1]]
    newest = sorted(incident["timeline"], key=lambda one: -one["seq"])[:_MAX_EVENTS]
    lines += [f"`{moment(one['time_ms'])}` {one['text']}" for one in reversed(newest)]
    return "\n".join([*lines, *([address] if address else [])])


def _who(incident: Incident) -> str:
    roles = [f"{person} ({role})" for role, person in incident["roles"].items()]
    return ", ".join(roles) or incident["acknowledged_by"] or "nobody yet"


def timeline_rows(incident: Incident) -> list[dict[str, object]]:
    """Return the timeline, the oldest first, a row an entry."""
    return [
        {
            "number": one["seq"],
            "time": moment(one["time_ms"]),
            "kind": one["kind"],
            "who": one["actor"],
            "text": one["text"],
        }
        for one in sorted(incident["timeline"], key=lambda one: one["seq"])
    ]


def as_csv(rows: Sequence[Mapping[str, object]]) -> str:
    r"""Return rows as CSV (RFC 4180); nothing in it is a formula to a spreadsheet.

    >>> as_csv([{"who": "=cmd()", "n": 1}])
    "who,n\r\n'=cmd(),1\r\n"
    """
    if not rows:
        return ""
    written = io.StringIO()
    table = csv.DictWriter(written, fieldnames=[*rows[0]])
    table.writeheader()
    table.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return written.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
