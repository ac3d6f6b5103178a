"""The static site: pages that need no script, feeds, ``status.json``. Each file in one go."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from collectors.errors import StorageError
from runbooks.status_page.component import State, worst
from runbooks.status_page.feeds import atom, rss
from runbooks.status_page.history import History, day_of
from runbooks.status_page.notices import Notice, NoticeKind
from runbooks.status_page.page import Shown, View
from tocsin.client.wording import moment

TEMPLATES = Path(__file__).parent / "templates"
PAST_DAYS = 14
_BAR, _GAP, _TALL = 6, 2, 32
_HEIGHTS = {State.UNKNOWN: 10, State.OPERATIONAL: 22, State.MAINTENANCE: 22}
_OVERALL: Mapping[State, str] = {
    State.OPERATIONAL: "All systems are operational",
    State.UNKNOWN: "Not everything is measured just now",
    State.MAINTENANCE: "Maintenance is under way",
    State.DEGRADED: "Some systems are degraded",
    State.PARTIAL_OUTAGE: "There is a partial outage",
    State.MAJOR_OUTAGE: "There is a major outage",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice with what a page says of it now."""

    notice: Notice
    progress: str
    names: tuple[str, ...]
    over: bool


def files(view: View) -> dict[str, bytes]:
    """Return every file of the site by its path."""
    told = [_told(notice, view) for notice in view.notices]
    overall = _overall(view)
    common: dict[str, Any] = {"view": view, "overall": overall, "headline": headline(view)}
    found = {
        "style.css": (TEMPLATES / "style.css").read_bytes(),
        "status.json": orjson.dumps(as_json(view), option=orjson.OPT_INDENT_2),
        "feed.rss": rss(view).encode(),
        "feed.atom": atom(view).encode(),
        "incidents/index.html": page_of("archive.html.j2", told=told, root="../", **common),
    }
    for one in told:
        path = f"incidents/{one.notice.id}.html"
        found[path] = page_of("notice.html.j2", one=one, root="../", **common)
    since_ms = view.now_ms - PAST_DAYS * 86_400_000
    past = [one for one in told if one.over and _ended_ms(one.notice) >= since_ms]
    found["index.html"] = page_of(
        "index.html.j2",
        root="",
        groups=[(name, list(rows)) for name, rows in _grouped(view.components)],
        current=[one for one in told if not one.over and _has_begun(one, view)],
        scheduled=[one for one in told if not one.over and not _has_begun(one, view)],
        past=past,
        **common,
    )
    return found


def headline(view: View) -> str:
    """Return what users read first."""
    return _OVERALL[_overall(view)]


def _overall(view: View) -> State:
    return worst(one.standing.state for one in view.components)


def as_json(view: View) -> dict[str, Any]:
    """Return what programs read: no internal name or reason is in it."""
    return {
        "title": view.title,
        "as_of_ms": view.now_ms,
        "state": _overall(view).value,
        "components": [
            {
                "name": one.component.name,
                "title": one.component.title,
                "description": one.component.description,
                "group": one.component.group,
                "state": one.standing.state.value,
                "source": one.standing.source.value,
                "uptime": one.history.uptime,
                "measured": one.history.measured,
                "days": {day.day: day.state.value for day in one.history.days},
            }
            for one in view.components
        ],
        "notices": [notice_json(notice, view.now_ms) for notice in view.notices],
    }


def notice_json(notice: Notice, now_ms: int) -> dict[str, Any]:
    """Return a notice as users may know it."""
    return {
        "id": notice.id,
        "kind": notice.kind.value,
        "title": notice.title,
        "progress": notice.progress(now_ms).value,
        "components": {name: state.value for name, state in notice.components.items()},
        "starts_ms": notice.starts_ms,
        "ends_ms": notice.ends_ms,
        "ended_ms": notice.ended_ms,
        "updates": [
            {"time_ms": one.time_ms, "progress": one.progress.value, "text": one.text}
            for one in notice.updates
        ],
    }


def write_site(directory: Path, made: Mapping[str, bytes]) -> None:
    """Put the files below ``directory``, the front page last; remove those that are gone.

    Each file is the old one or the new one at any time, never half of it.

    Raises:
        StorageError: The directory can't be written.
    """
    try:
        for name in sorted(made, key=lambda name: name == "index.html"):
            _replace(directory / name, made[name])
        for old in (directory / "incidents").glob("*.html"):
            if f"incidents/{old.name}" not in made:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"status page {directory} can't be written: {error}") from error


def digest(made: Mapping[str, bytes]) -> str:
    """Return what differs when any file does."""
    whole = hashlib.sha256()
    for name in sorted(made):
        whole.update(name.encode() + b"\0" + made[name] + b"\0")
    return whole.hexdigest()


def bars(history: History) -> str:
    """Return ninety days as SVG: height and colour say the same, each day has its words."""
    width = len(history.days) * (_BAR + _GAP)
    parts = []
    for index, day in enumerate(history.days):
        height = _HEIGHTS.get(day.state, _TALL)
        x, y = index * (_BAR + _GAP), _TALL - height
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_BAR}" height="{height}" class="{day.state.value}">'
            f"<title>{day.day}: {day.words}</title></rect>"
        )
    bad = [day for day in history.days if day.state not in _HEIGHTS]
    grey = sum(day.state is State.UNKNOWN for day in history.days)
    label = f"{len(history.days)} days: {len(bad)} with problems, {grey} not measured"
    return (
        f'<svg class="days" viewBox="0 0 {width} {_TALL}" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def _told(notice: Notice, view: View) -> Told:
    titles = {one.component.name: one.component.title for one in view.components}
    return Told(
        notice=notice,
        progress=notice.progress(view.now_ms).words,
        names=tuple(titles[name] for name in notice.components if name in titles),
        over=notice.is_over(view.now_ms),
    )


def _has_begun(one: Told, view: View) -> bool:
    return one.notice.kind is NoticeKind.INCIDENT or one.notice.starts_ms <= view.now_ms


def _ended_ms(notice: Notice) -> int:
    return notice.ended_ms or notice.ends_ms or notice.starts_ms


def _grouped(shown: Sequence[Shown]) -> list[tuple[str, list[Shown]]]:
    """Return components under their headings, which stand where each comes first."""
    order = list(dict.fromkeys(one.component.group for one in shown))
    ranked = sorted(shown, key=lambda one: order.index(one.component.group))
    return [(name, list(rows)) for name, rows in groupby(ranked, lambda one: one.component.group)]


def page_of(template: str, **values: Any) -> bytes:
    """Return a page of the site's look."""
    return _environment().get_template(template).render(**values).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "bars": bars, "iso": _iso, "day": day_of}
    return environment


def _iso(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1_000, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_bytes() == content:
        return
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
