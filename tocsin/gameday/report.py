"""A game day as one page that needs nothing else: no script, no network, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from collectors.errors import StorageError
from tocsin.client.wording import UNKNOWN, duration, percent
from tocsin.gameday.charts import detection_bars, timeline
from tocsin.gameday.conditions import Conditions
from tocsin.gameday.scorecard import Scorecard
from tocsin.gameday.sightings import Sighting

TEMPLATES = Path(__file__).parent / "templates"


def as_html(
    title: str, card: Scorecard, sightings: Sequence[Sighting], conditions: Conditions
) -> str:
    """Return the page; every text of it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": _seconds, "percent": _percent, "plain": _plain}
    return environment.get_template("report.html.j2").render(
        title=title,
        card=card,
        totals=card.totals,
        conditions=conditions.rows(),
        timeline=timeline(card, sightings, conditions.started_ms, conditions.ended_ms),
        bars=detection_bars(card),
        start_ms=conditions.started_ms,
    )


def write_report(path: Path, page: str) -> None:
    """Write the page to ``path``.

    Raises:
        StorageError: It can't be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the report can't be written to {path}: {error.strerror}") from error


def _seconds(value: float | None) -> str:
    return duration(value)


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else percent(value)


def _plain(value: object) -> str:
    return UNKNOWN if value is None or value == "" else str(value)
