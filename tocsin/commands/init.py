"""``tocsin init``: a commented starter configuration for a service that a server has seen."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import click

from collectors.errors import ConfigError
from tocsin.client.client import ApiClient
from tocsin.client.errors import UnreachableError
from tocsin.configuration.reading import FILES
from tocsin.settings import load_settings
from tocsin.starting.availability import availability
from tocsin.starting.current import current
from tocsin.starting.documents import dashboard, detector, objective, routes, slug
from tocsin.starting.latency import latency
from tocsin.starting.seen import Seen, look, service_names
from tocsin.starting.writing import write_new
from tocsin.terminal.answers import asking, asks, say_json

_DEFAULT_DIRECTORY = Path("ops")
_THRESHOLD_S = 0.5
_WINDOW = "30d"


@click.command("init")
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--service", help="Which service. [the only one that has been seen]")
@asks(fail_empty=False)
def command(
    directory: Path | None, service: str | None, api_url: str | None, as_json: bool
) -> None:
    """Write objectives, a detector and routes into DIRECTORY, with comments.

    They are for a service that the server at --api-url has seen; without one only the routes are
    written, which is enough to start `tocsin serve --config-dir DIRECTORY`. Files that are there
    are never overwritten: run it again for the next service.
    """
    settings = load_settings({"api_url": api_url})
    directory = directory or settings.config_dir or _DEFAULT_DIRECTORY
    files = {"routes.yaml": routes(settings.slack_channel)}
    notes: list[str] = []
    try:
        with asking(api_url) as api:
            if service is not None or service_names(api):
                seen = look(api, service)
                for name, text, note in _for_service(api, seen):
                    files[name] = text
                    notes.append(note)
            else:
                notes.append("no service has been seen yet: run this again when one has")
    except UnreachableError as error:
        if service is not None:
            raise
        notes.append(f"no server was asked ({error.message}): run this again when one has data")
    written = [name for name, text in files.items() if write_new(directory / name, text)]
    _tell(directory, files, written, notes, as_json=as_json)


def _for_service(api: ApiClient, seen: Seen) -> Iterator[tuple[str, str, str]]:
    """Yield name, text and a remark of each file for a service."""
    name = slug(seen.service)
    reached = availability(api, seen)
    if reached is not None:
        target = Fraction(999, 1_000)
        text = objective(seen, reached, name=f"{name}-availability", target=target, window=_WINDOW)
        remark = f"{seen.service}, {reached.title}: {current(api, reached).words(float(target))}"
        yield f"slos/{name}-availability.yaml", text, remark
        remark = f"{seen.service}: a fall of its requests opens a ticket"
        yield f"detectors/{name}-requests.yaml", detector(seen, reached), remark
        if any(file.kind == "dashboard" for file in FILES):
            remark = f"{seen.service}: its requests are charted"
            yield f"dashboards/{name}.yaml", dashboard(seen, reached), remark
    fast = latency(api, seen, _THRESHOLD_S)
    if fast is not None:
        target = Fraction(99, 100)
        text = objective(seen, fast, name=f"{name}-latency", target=target, window=_WINDOW)
        now = current(api, fast).words(float(target))
        remark = "; careful: ".join([f"{seen.service}, {fast.title}: {now}", *fast.doubts])
        yield f"slos/{name}-latency.yaml", text, remark
    if reached is None and fast is None:
        raise ConfigError(
            f"nothing among {seen.service}'s metrics counts or measures requests: it has "
            f"{', '.join(seen.metrics[:15])}; docs/how-to/objectives.md shows how one is written"
        )


def _tell(
    directory: Path, files: dict[str, str], written: list[str], notes: list[str], *, as_json: bool
) -> None:
    if as_json:
        kept = [name for name in files if name not in written]
        body = {"directory": str(directory), "written": written, "kept": kept, "notes": notes}
        say_json(body)
        return
    for name in files:
        done = "written" if name in written else "is there already and is left alone"
        click.echo(f"{directory / name} {done}")
    for note in notes:
        click.echo(note)
    click.echo(f"next: `tocsin reload`, or `tocsin serve --config-dir {directory}`")
