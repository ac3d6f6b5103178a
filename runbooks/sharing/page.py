"""The page behind a public link: what was told, and no more. Pure.

It has no script, asks for nothing, and names nobody: of the record it shows when it came how far
and what people told those who are not in the room. Notes, evidence, traces, names and addresses
stay inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from runbooks.incidents.events import Event, EventKind
from runbooks.incidents.incident import Incident
from tocsin.client.wording import between, moment

REFRESH_S = 30
MAX_UPDATES = 50
"""Updates that the page shows; the newest."""

_UPDATE = "update: "


def page_of(incident: Incident, events: Sequence[Event], now_ms: int) -> str:
    """Return the page as HTML."""
    updates = [event for event in events if event.kind is EventKind.UPDATE_GIVEN]
    newest = sorted(updates, key=lambda event: -event.seq)[:MAX_UPDATES]
    end_ms = incident.resolved_ms
    how_long = between(incident.impact_start_ms, end_ms or now_ms)
    lasted = f"It lasted {how_long}." if end_ms else f"It has lasted {how_long} so far."
    reached = "".join(
        f"<li>{_time(one.time_ms)} {escape(name.value)}</li>"
        for name, one in incident.milestones.items()
    )
    told = "".join(f"<li>{_time(one.time_ms)}<p>{_told(one)}</p></li>" for one in newest)
    return _PAGE.format(
        refresh=REFRESH_S,
        style=_STYLE,
        title=escape(incident.title),
        severity=escape(incident.severity.value),
        status=escape(incident.status.value),
        since=moment(incident.impact_start_ms),
        lasted=escape(lasted),
        told=f"<ol>{told}</ol>" if told else "<p>Nothing has been told yet.</p>",
        reached=f"<ol>{reached}</ol>",
        now=moment(now_ms),
    )


def _told(update: Event) -> str:
    return _text(update.text.removeprefix(_UPDATE))


def _time(time_ms: int) -> str:
    return f"<time>{escape(moment(time_ms))}</time>"


def _text(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())


_STYLE = """:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:44rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem}
b{border:1px solid;border-radius:4px;padding:.1rem .5rem}ol{list-style:none;padding:0}
li{margin:.6rem 0}li p{margin:.2rem 0 0}time{font-variant-numeric:tabular-nums;opacity:.8}"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="{refresh}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex,nofollow"><title>{title}</title><style>{style}</style></head>
<body><main><p><b>{severity}</b> <b>{status}</b></p><h1>{title}</h1>
<p>Since {since}. {lasted}</p>
<h2>What was told</h2>{told}
<h2>How far it is</h2>{reached}
<p><small>As of {now}. This page only shows; it renews itself every {refresh} s.</small></p>
</main></body></html>
"""
