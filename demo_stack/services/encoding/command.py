"""``python -m demo_stack encode`` and the hidden process behind the platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from demo_stack.chassis.errors import PlatformError
from demo_stack.chassis.lifeline import announce, be_last, bind_to_parent
from demo_stack.chassis.logs import log_warnings


@click.command(help="Encode the most popular titles now (synthetic pictures); kept for later runs.")
@click.option("--titles", default=2, show_default=True, type=click.IntRange(1, 60))
@click.option("--seed", default=1, show_default=True)
@click.option("--cache", default=None, type=click.Path(path_type=Path, file_okay=False))
@click.option("--retry", is_flag=True, help="Try jobs again that failed too often.")
@click.option("--json", "as_json", is_flag=True)
def encode(  # noqa: D103 - click prints the help above
    titles: int, seed: int, cache: Path | None, retry: bool, as_json: bool
) -> None:
    from demo_stack.services.encoding.ffmpeg import find_ffmpeg
    from demo_stack.services.encoding.process import (
        EncoderSpec,
        run_encoder,
        stop_on_signals,
    )
    from demo_stack.services.encoding.queue_file import QueueFile
    from demo_stack.services.encoding.shelf import cache_directory

    where = cache or cache_directory()
    stop = stop_on_signals()
    try:
        if retry:
            with QueueFile(where / "queue.json").changing() as queue:
                queue.retry_parked()
        spec = EncoderSpec(cache=str(where), titles=titles, seed=seed)
        report = run_encoder(spec, find_ffmpeg(), stop)
    except (PlatformError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(orjson.dumps(report) if as_json else _for_people(report))


@click.command(hidden=True, help="The process that encodes for a running platform.")
@click.argument("spec")
def encoder(spec: str) -> None:  # noqa: D103 - click prints the help above
    from demo_stack.services.encoding.ffmpeg import NoFfmpegError, find_ffmpeg
    from demo_stack.services.encoding.process import (
        EncoderSpec,
        run_encoder,
        stop_on_signals,
    )

    bind_to_parent()
    log_warnings()
    stop = stop_on_signals()
    wanted = EncoderSpec.from_json(spec)
    if wanted.last:
        be_last()
    try:
        tool = find_ffmpeg()
    except NoFfmpegError as error:
        click.echo(str(error), err=True)
        announce({"encoding": False, "reason": str(error)})
        return
    announce({"encoding": True, "encoder": tool.version})
    run_encoder(wanted, tool, stop)


def _for_people(report: dict[str, Any]) -> str:
    lines = [f"{report['encoder']}; kept in {report['cache']}"]
    if report["missing"]:
        lines.append(f"no encoder for: {', '.join(report['missing'])}")
    for title in report["titles"]:
        made = title.get("representations", [])
        rates = ", ".join(f"{one['name']} {one['bps'] // 1000} kbit/s" for one in made)
        lines.append(f"{title['title']}: {rates or 'not encoded'}")
        lines += [
            f"  dropped {one['name']}: SSIM {one['ssim']}" for one in title.get("dropped", [])
        ]
    lines += [f"parked {one['title']}: {one['error']}" for one in report["parked"]]
    return "\n".join(lines)
