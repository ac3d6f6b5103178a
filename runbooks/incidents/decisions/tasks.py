"""Things to do: added, done, taken up again, handed over, put off. Pure."""

from __future__ import annotations

from collectors.errors import ConflictError
from runbooks.incidents import commands as c
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import Data, EventKind, JsonValue
from runbooks.incidents.incident import Incident
from runbooks.incidents.tasks import MAX_TASKS, Task
from tocsin.client.wording import moment


def add_task(incident: Incident, command: c.AddTask) -> list[Draft]:
    """Add a task under the next free number."""
    if len(incident.tasks) >= MAX_TASKS:
        raise ConflictError(f"{incident.id} has {MAX_TASKS} tasks, which is the most it may have")
    if not command.title:
        raise ConflictError(f"{incident.id}: say what is to be done")
    task_id = f"t{len(incident.tasks) + 1}"
    data: Data = {
        "task_id": task_id,
        "title": command.title,
        "kind": command.kind.value,
        "owner": command.owner,
        "due_ms": command.due_ms,
    }
    text = f"task {task_id} ({command.kind}): {command.title}"
    text += f", for {command.owner}" if command.owner else ""
    text += f", due {moment(command.due_ms)}" if command.due_ms is not None else ""
    return [Draft(kind=EventKind.TASK_ADDED, text=text, data=data)]


def change_task(incident: Incident, command: c.ChangeTask) -> list[Draft]:
    """Change what the command names of a task."""
    task = incident.tasks.get(command.task_id)
    if task is None:
        known = ", ".join(incident.tasks) or "none"
        raise ConflictError(
            f"{incident.id} has no task {command.task_id[:20]!r}; there are: {known}"
        )
    data: dict[str, JsonValue] = {}
    words: list[str] = []
    if command.done is not None and command.done is not (task.done_ms is not None):
        data["done"] = command.done
        words.append("done" if command.done else "taken up again")
    if command.owner is not None and command.owner != task.owner:
        data["owner"] = command.owner
        words.append(_handed(task, command.owner))
    if command.due_ms is not None and command.due_ms != task.due_ms:
        data["due_ms"] = command.due_ms
        words.append(f"due {moment(command.due_ms)}")
    if not data:
        raise ConflictError(f"task {task.id} of {incident.id} is so already")
    text = f"task {task.id} {', '.join(words)}: {task.title}"
    return [Draft(kind=EventKind.TASK_CHANGED, text=text, data={"task_id": task.id, **data})]


def _handed(task: Task, owner: str) -> str:
    if not owner:
        return f"taken from {task.owner}"
    return f"handed from {task.owner} to {owner}" if task.owner else f"taken by {owner}"
