"""``tocsin import prometheus``: a ``prometheus.yml`` as files of ours."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.terminal.answers import say, say_json
from tocsin.terminal.taken_over import out_option, tell_files, tell_lost, tell_next


@click.command("prometheus")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@out_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too.")
def command(file: Path, out: Path, as_json: bool) -> None:
    """Take scrape jobs and rule files over from FILE, a prometheus.yml.

    Writes scrape.yaml and prometheus-rules/; files that are there are left alone. What could not be
    carried over is listed: read it before you rely on the rest.

    \b
    Example: tocsin import prometheus /etc/prometheus/prometheus.yml --out ops
    """  # noqa: D301 - click's mark for lines that stay lines
    from tocsin.importing.prometheus import taken_over
    from tocsin.starting.writing import write_new

    taken = taken_over(file)
    written = [path for path, text in taken.files.items() if write_new(out / path, text)]
    kept = [path for path in taken.files if path not in written]
    if as_json:
        say_json(
            {
                "jobs": taken.jobs,
                "groups": taken.groups,
                "written": written,
                "kept": kept,
                "lost": taken.lost,
            }
        )
        return
    tell_files(out, taken.files, written)
    say(f"{len(taken.jobs)} scrape jobs and {taken.groups} groups of rules taken over")
    tell_lost(taken.lost)
    tell_next(out)
