"""``tocsin status incident``, ``update`` and ``maintenance``: what people publish."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

import click

from tocsin.client.response.status_shapes import DraftRow, NoticeRow
from tocsin.client.wording import moment
from tocsin.terminal.answers import asking, asks, say, say_json
from tocsin.terminal.options import Command

_PROGRESS = ("investigating", "identified", "monitoring", "resolved")


def _who(function: Command) -> Command:
    text = "Who publishes. [your login]"
    return click.option("--actor", default=None, help=text)(function)


def _component(function: Command) -> Command:
    text = "NAME=STATE, such as playback=degraded; several times for several."
    return click.option("--component", "components", multiple=True, help=text)(function)


@click.group("incident")
def incident() -> None:
    """Publish incidents in users' words."""


@incident.command("publish")
@click.argument("title", default="")
@click.argument("text", default="")
@click.option("--progress", type=click.Choice(_PROGRESS), default="investigating")
@click.option("--incident", "incident_id", default="", help="Of which incident it tells.")
@click.option(
    "--draft", is_flag=True, help="Take what is proposed for --incident where you give nothing."
)
@_component
@_who
@asks(fail_empty=False)
def publish(
    title: str,
    text: str,
    progress: str,
    incident_id: str,
    draft: bool,
    components: tuple[str, ...],
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Publish TITLE with TEXT on the status page.

    \b
    Examples:
      tocsin status incident publish "Videos do not start" "We are looking into it." \\
        --component playback=partial_outage
      tocsin status incident publish --incident inc-0001 --draft
    """  # noqa: D301 - click's mark for lines that stay lines
    given = _states(components)
    with asking(api_url) as api:
        if draft:
            found = _draft(api.status_page.state()["drafts"], incident_id)
            title, text = title or found["title"], text or found["text"]
            given = given or found["components"]
            progress = found["progress"] if progress == "investigating" else progress
        notice = api.status_page.publish(
            title=title,
            text=text,
            progress=progress,
            components=given,
            incident_id=incident_id,
            actor=actor or getpass.getuser(),
        )
    _tell(notice, as_json=as_json)


def _draft(found: list[DraftRow], incident_id: str) -> DraftRow:
    fitting = [one for one in found if one["notice_id"] is None]
    for one in fitting:
        if one["incident_id"] == incident_id:
            return one
    known = ", ".join(one["incident_id"] for one in fitting) or "none"
    raise click.UsageError(f"nothing is proposed for incident {incident_id!r}; there are: {known}")


@click.command("update")
@click.argument("number", type=int)
@click.argument("progress")
@click.argument("text")
@_component
@_who
@asks(fail_empty=False)
def update(
    number: int,
    progress: str,
    text: str,
    components: tuple[str, ...],
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Say more of notice NUMBER.

    PROGRESS is investigating, identified, monitoring or resolved; for maintenance completed.

    \b
    Example: tocsin status update 3 resolved "Videos start again since 15:07 UTC."
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        notice = api.status_page.update(
            number,
            progress=progress,
            text=text,
            components=_states(components) or None,
            actor=actor or getpass.getuser(),
        )
    _tell(notice, as_json=as_json)


@click.command("maintenance")
@click.argument("title")
@click.argument("text")
@click.option("--from", "starts", required=True, help="Such as 2026-12-31T02:00Z.")
@click.option("--until", "ends", required=True, help="Such as 2026-12-31T04:00Z.")
@click.option("--component", "names", multiple=True, help="Whom it concerns; several times.")
@_who
@asks(fail_empty=False)
def maintenance(
    title: str,
    text: str,
    starts: str,
    ends: str,
    names: tuple[str, ...],
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Announce a maintenance; it begins and ends by the clock, or sooner with `update`.

    \b
    Example: tocsin status maintenance "Database move" "Sign-in may fail for a minute." \\
               --from 2026-12-31T02:00Z --until 2026-12-31T04:00Z --component accounts
    """  # noqa: D301 - click's mark for lines that stay lines
    window = {"starts_ms": _epoch_ms(starts, "--from"), "ends_ms": _epoch_ms(ends, "--until")}
    with asking(api_url) as api:
        notice = api.status_page.schedule(
            title=title,
            text=text,
            components=names,
            actor=actor or getpass.getuser(),
            **window,
        )
    _tell(notice, as_json=as_json)


def _epoch_ms(text: str, option: str) -> int:
    """Return a moment; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        told = f"{text!r} is no moment; write 2026-12-31T02:00Z"
        raise click.BadParameter(told, param_hint=option) from None
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1_000)


def _states(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        name, equals, state = one.partition("=")
        if not equals:
            told = f"{one!r} says no state; write {one}=degraded"
            raise click.BadParameter(told, param_hint="--component")
        found[name.strip()] = state.strip()
    return found


def _tell(notice: NoticeRow, *, as_json: bool) -> None:
    if as_json:
        say_json(notice)
        return
    when = f", from {moment(notice['starts_ms'])}" if notice["kind"] == "maintenance" else ""
    progress = notice["progress"].replace("_", " ")
    say(f"notice {notice['id']} is published: {notice['title']} ({progress}{when})")
