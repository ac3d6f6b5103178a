"""The words of the machine sections as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from runbooks.postmortem.known import Known
from runbooks.postmortem.sections import escaped
from tocsin.client.wording import duration, moment

TEMPLATES = Path(__file__).parent / "templates"
SECTIONS = (
    "summary",
    "overview",
    "impact",
    "timeline",
    "intervals",
    "signals",
    "lines",
    "candidates",
    "pages",
    "runbook",
    "traces",
    "similar",
    "suggestions",
)
"""Names of the machine sections; each is a macro of ``machine.md.j2``."""


def machine_sections(known: Known) -> Mapping[str, str]:
    """Return the body of each machine section as Markdown."""
    macros = markdown_environment().get_template("machine.md.j2").module
    return {name: getattr(macros, name)(known).strip() for name in SECTIONS}


@cache
def markdown_environment() -> Environment:
    """Return what renders the Markdown templates."""
    # Markdown, not HTML: values go through ``md`` instead of HTML escaping.
    environment = Environment(  # noqa: S701  # see above
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"md": escaped, "moment": moment, "span": _span, "until": _until}
    return environment


def _span(duration_ms: int | None) -> str:
    return duration(None if duration_ms is None else duration_ms / 1000)


def _until(end_ms: int, start_ms: int) -> str:
    """Word the end of a period: the day only where it is another one."""
    start, end = moment(start_ms), moment(end_ms)
    return end[11:] if start[:10] == end[:10] else end
