"""An incident in lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from tocsin.client.response.incident_shapes import IncidentReport, PageLoad, Spread, Task
from tocsin.client.shapes import Incident
from tocsin.client.wording import duration, moment, scope
from tocsin.terminal.answers import table

_MAX_TIMELINE = 20


def described(incident: Incident) -> Iterator[str]:
    """Yield the lines that tell an incident."""
    yield f"{incident['id']}  [{incident['severity']}] {incident['title']}"
    yield f"  status    {incident['status']}, for {duration(incident['elapsed_s'])}"
    yield from _relatives(incident)
    if incident["on_call"] and not incident["resolved_ms"]:
        yield f"  {incident['on_call']}"
    if (run := incident["escalation"]) and run["next_step_ms"]:
        yield f"  next step of the escalation {run['title']}: {moment(run['next_step_ms'])}"
    if incident["scope"]:
        yield f"  where     {scope(incident['scope'])}"
    yield f"  impact    since {moment(incident['impact_start_ms'])}"
    yield f"  paged     {moment(incident['paged_ms'])}"
    answered = f" by {incident['acknowledged_by']}" if incident["acknowledged_by"] else ""
    yield f"  answered  {moment(incident['acknowledged_ms'])}{answered}"
    yield f"  resolved  {moment(incident['resolved_ms'])}"
    yield from _people(incident)
    yield f"  {incident['summary']}"
    for found in incident["diagnosis"]:
        yield f"  diagnosis {found['line']}"
    for line in incident["lines"]:
        yield f"  log lines {line['words']}"
    for change in incident["near_changes"]:
        yield f"  {change['text']}"
    if incident["runbook"]:
        yield f"  runbook   {incident['runbook']['title']} ({incident['runbook']['why']})"
    for finding in incident["findings"]:
        yield f"  finding   {finding['id']}  {finding['state']}  {finding['title']}"
    for task in incident["tasks"]:
        yield _task(task)
    yield from _milestones(incident)
    for past in incident["similar"]:
        yield f"  similar   {past['id']} {past['title']} ({past['why']})"
    yield from _timeline(incident)


def reported(report: IncidentReport) -> Iterator[str]:
    """Yield the lines that tell how some days went."""
    yield f"incidents: {report['incidents']}, since {moment(report['since_ms'])}"
    found = [f"{n} {severity}" for severity, n in report["by_severity"].items() if n]
    others = f"{report['declined']} declined, {report['merged']} merged"
    yield f"  {', '.join(found) or 'none'}; {others}"
    head = ["", "of", "mean", "median", "longest"]
    spreads = [
        ("to detect", report["detect"]),
        ("to acknowledge", report["acknowledge"]),
        ("to mitigate", report["mitigate"]),
        ("to resolve", report["resolve"]),
    ]
    yield from table(head, [_spread(name, one) for name, one in spreads])
    if report["loads"]:
        yield from table(
            ["  rung", "pages", "at night", "nights"], [_load(one) for one in report["loads"]]
        )
    cost = "" if report["cost"] is None else f", which cost {report['cost']:,.0f}"
    yield f"  work: {report['person_hours']:.1f} h of one person{cost}"
    yield f"  tasks: {report['open_tasks']} open, {report['overdue_tasks']} overdue"


def _load(load: PageLoad) -> list[str]:
    who = load["person"] or "nobody in particular"
    return [f"  {who}", str(load["pages"]), str(load["night_pages"]), str(load["nights"])]


def _spread(name: str, spread: Spread) -> list[str]:
    told = (spread["mean_ms"], spread["median_ms"], spread["longest_ms"])
    words = [duration(None if ms is None else ms / 1_000) for ms in told]
    return [f"  {name}", str(spread["count"]), *words]


def _relatives(incident: Incident) -> Iterator[str]:
    if incident["merged_into"]:
        yield f"  goes on   in {incident['merged_into']}"
    for one in incident["merged_from"]:
        yield f"  took over {one}"
    if incident["split_from"]:
        yield f"  split     out of {incident['split_from']}"
    for one in incident["split_into"]:
        yield f"  gave off  {one}"
    if incident["declared_by"]:
        yield f"  declared  by {incident['declared_by']}"


def _people(incident: Incident) -> Iterator[str]:
    for role, person in incident["roles"].items():
        yield f"  {role:<9} {person}"
    present = [one["person"] for one in incident["responders"] if one["present"]]
    if present:
        yield f"  people    {', '.join(present)}"
    if incident["update_due_ms"]:
        yield f"  update    due {moment(incident['update_due_ms'])}"


def _task(task: Task) -> str:
    state = "done" if task["done_ms"] else "OVERDUE" if task["overdue"] else "open"
    due = f", due {moment(task['due_ms'])}" if task["due_ms"] else ""
    owner = task["owner"] or "nobody"
    return f"  task {task['id']:<4} {state}: {task['title']} ({task['kind']}, {owner}{due})"


def _milestones(incident: Incident) -> Iterator[str]:
    for one in incident["milestones"]:
        if one["corrected_by"] is None:
            continue
        was = moment(one["logged_ms"])
        yield (
            f"  corrected {one['name']} {moment(one['time_ms'])}, by the log {was}: "
            f"{one['reason']} ({one['corrected_by']})"
        )


def _timeline(incident: Incident) -> Iterator[str]:
    timeline = incident["timeline"][-_MAX_TIMELINE:]
    if len(incident["timeline"]) > len(timeline):
        yield f"  … {len(incident['timeline']) - len(timeline)} earlier events"
    for entry in timeline:
        yield f"  {moment(entry['time_ms'])}  {entry['actor']}: {entry['text']}"
