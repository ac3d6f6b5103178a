"""``tocsin runbook``: see what runbooks there are, run them, and decide at their steps."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from tocsin.client.errors import MissingError
from tocsin.client.response.run_shapes import Rehearsal, Run, RunSummary
from tocsin.client.shapes import Runbook
from tocsin.client.wording import moment
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list
from tocsin.terminal.options import Command

_PROBLEMS = 3


@click.group("runbook")
def command() -> None:
    r"""See what runbooks there are, run them, and decide at their steps.

    \b
    tocsin runbook run restart-instance --incident inc-0007 --dry-run
    tocsin runbook run restart-instance --incident inc-0007 --set instance=pay-3
    tocsin runbook approve run-3fa29c01de restart --reason "agreed on the call"
    """


@command.command("list")
@asks()
def list_runbooks(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List the runbooks of the library."""
    with asking(api_url) as api:
        found = api.runbooks()
    tell_list(
        found,
        lambda: table(["name", "steps", "title"], [_runbook_row(one) for one in found]),
        empty="no runbooks",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _runbook_row(runbook: Runbook) -> list[str]:
    return [runbook["name"], str(len(runbook["steps"])), runbook["title"]]


@command.command("show")
@click.argument("name")
@asks(fail_empty=False)
def show(name: str, api_url: str | None, as_json: bool) -> None:
    """Print the steps of the runbook NAME."""
    with asking(api_url) as api:
        found = next((one for one in api.runbooks() if one["name"] == name), None)
    if found is None:
        raise MissingError(f"there is no runbook {name!r}; see tocsin runbook list", status=404)
    if as_json:
        say_json(found)
        return
    lines = [f"{found['name']}: {found['title']}", f"  {found['summary']}"]
    for number, step in enumerate(found["steps"], 1):
        lines.append(f"  {number}. {step['title']} ({step['kind']}, {step['id']})")
        lines += [
            f"     {text}" for text in (step["detail"], step["query"], step["command"]) if text
        ]
    say("\n".join(lines))


@command.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def validate(ctx: click.Context, files: Sequence[Path], as_json: bool) -> None:
    """Check runbooks by themselves; exit 3 when something is wrong.

    Whether their hosts and commands are allowed is said by tocsin check-config, which reads
    automation.yaml too.
    """
    from collectors.errors import ConfigError
    from tocsin.configuration.reloading import problem_row

    found: list[ConfigError] = []
    for path in files:
        try:
            _read(path)
        except ConfigError as error:
            found += error.each()
    if as_json:
        say_json({"ok": not found, "problems": [problem_row(one) for one in found]})
    else:
        say("\n".join(one.message for one in found) or "fine")
    if found:
        ctx.exit(_PROBLEMS)


def _read(path: Path) -> None:
    from collectors.documents.section import Context
    from collectors.stacklang.evaluation.batch import parse
    from runbooks.automation.loading import load_runbook

    load_runbook(path, Context(check_expression=parse))


@command.command("run")
@click.argument("name")
@click.option("--incident", "incident_id", required=True, metavar="ID", help="For which incident.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="A value; repeat it.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; touch nothing.")
@click.option("--reason", default="", help="Why.")
@click.option("--actor", default=None, help="Who asks for it. [your login]")
@asks(fail_empty=False)
def run(
    name: str,
    incident_id: str,
    values: Sequence[str],
    dry_run: bool,
    reason: str,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Run the runbook NAME for an incident; steps that change something wait for an approval."""
    said = dict(_value(one) for one in values)
    with asking(api_url) as api:
        if dry_run:
            rehearsed = api.rehearse_run(name, incident_id, values=said)
            if as_json:
                say_json(rehearsed)
            else:
                say("\n".join(_rehearsal_lines(rehearsed)))
            return
        who = actor or getpass.getuser()
        found = api.begin_run(name, incident_id, actor=who, values=said, reason=reason)
    _tell(found, as_json=as_json)


def _value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
    return name, value


@command.command("runs")
@click.option("--incident", "incident_id", default="", metavar="ID", help="Only of this incident.")
@asks()
def runs(incident_id: str, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List runs, the newest first."""
    with asking(api_url) as api:
        found = api.runs(incident_id=incident_id)
    head = ["id", "incident", "state", "begun", "by", "waits at", "runbook"]
    tell_list(
        found,
        lambda: table(head, [_run_row(one) for one in found]),
        empty="no runs",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _run_row(found: RunSummary) -> list[str]:
    return [
        found["id"],
        found["incident_id"],
        found["state"],
        moment(found["created_ms"]),
        found["requested_by"],
        ", ".join(found["waits_at"]) or "-",
        found["runbook"],
    ]


@command.command("status")
@click.argument("run_id", metavar="RUN")
@asks(fail_empty=False)
def status(run_id: str, api_url: str | None, as_json: bool) -> None:
    """Print how far a run is."""
    with asking(api_url) as api:
        _tell(api.run(run_id), as_json=as_json)


def _decides(*, of_step: bool) -> Command:
    """Return a decorator with what every decision takes."""

    def decorate(function: Command) -> Command:
        function = click.option("--actor", default=None, help="Who decides. [your login]")(function)
        function = click.option("--reason", default="", help="Why.")(function)
        function = asks(fail_empty=False)(function)
        if of_step:
            function = click.argument("step")(function)
        return click.argument("run_id", metavar="RUN")(function)

    return decorate


@command.command("approve")
@_decides(of_step=True)
def approve(run_id: str, step: str, **told: str | None) -> None:
    """Consent to STEP of RUN, which changes something; the consent expires when it is not used."""
    _decide(run_id, "approve", step, **told)


@command.command("retry")
@_decides(of_step=True)
def retry(run_id: str, step: str, **told: str | None) -> None:
    """Have STEP of RUN, which failed or is unknown, done again."""
    _decide(run_id, "retry", step, **told)


@command.command("skip")
@_decides(of_step=True)
def skip(run_id: str, step: str, **told: str | None) -> None:
    """Go on without STEP of RUN."""
    _decide(run_id, "skip", step, **told)


@command.command("done")
@_decides(of_step=True)
def done(run_id: str, step: str, **told: str | None) -> None:
    """Say that STEP of RUN is done: by you, or by an attempt whose end is unknown."""
    _decide(run_id, "done", step, **told)


@command.command("abort")
@_decides(of_step=False)
def abort(run_id: str, **told: str | None) -> None:
    """End RUN: what runs is told to end, what has not begun never does."""
    _decide(run_id, "abort", "", **told)


@command.command("rollback")
@_decides(of_step=False)
def rollback(run_id: str, **told: str | None) -> None:
    """Take back what RUN did, the last first, as far as its steps say how."""
    _decide(run_id, "roll_back", "", **told)


def _decide(
    run_id: str,
    decision: str,
    step: str,
    *,
    reason: str | None = "",
    actor: str | None = None,
    api_url: str | None = None,
    as_json: str | bool | None = False,
) -> None:
    with asking(api_url) as api:
        who = actor or getpass.getuser()
        found = api.decide_run(run_id, decision, actor=who, step=step, reason=reason or "")
    _tell(found, as_json=bool(as_json))


def _tell(found: Run, *, as_json: bool) -> None:
    if as_json:
        say_json(found)
    else:
        say("\n".join(_run_lines(found)))


def _run_lines(found: Run) -> Iterator[str]:
    told = f": {found['text']}" if found["text"] else ""
    yield f"{found['id']}  {found['runbook']} for {found['incident_id']} is {found['state']}{told}"
    yield f"  asked for by {found['requested_by']} at {moment(found['created_ms'])}"
    for number, step in enumerate(found["steps"], 1):
        head = f"  {number}. {step['id']} [{step['state']}] {step['title']}"
        yield head + (f" (attempt {step['attempt']})" if step["attempt"] > 1 else "")
        yield from (f"     {line}" for line in step["text"].splitlines())
        if step["decisions"]:
            yield f"     you may: {', '.join(step['decisions'])}"


def _rehearsal_lines(found: Rehearsal) -> Iterator[str]:
    yield f"{found['runbook']} for {found['incident_id']} would do this; nothing was touched:"
    for number, step in enumerate(found["steps"], 1):
        gate = ", after an approval" if step["needs_approval"] else ""
        yield f"  {number}. {step['title']} ({step['kind']}{gate})"
        if step["would"]:
            yield f"     {step['would']}"
        if step["problem"]:
            yield f"     can't: {step['problem']}"
