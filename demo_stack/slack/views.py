"""The ``views.*`` and ``apps.*`` methods."""

from __future__ import annotations

from demo_stack.slack.arguments import Arguments
from demo_stack.slack.rendering import Json
from demo_stack.slack.workspace import SlackError, Workspace

MAX_TITLE, MAX_CALLBACK, MAX_METADATA, MAX_BLOCKS, MAX_LABEL = 24, 255, 3_000, 100, 2_000


def open_view(workspace: Workspace, arguments: Arguments) -> Json:
    """``views.open``: show a form."""
    view = arguments.structure("view", "invalid_arguments")
    if not isinstance(view, dict) or view.get("type") != "modal":
        raise SlackError("invalid_arguments", ["[ERROR] a view is a modal"])
    if wrong := _wrong(view):
        raise SlackError("invalid_arguments", [f"[ERROR] {wrong}"])
    trigger = arguments.required("trigger_id")
    return {"view": workspace.open_view(trigger, view)}


def _wrong(view: Json) -> str:
    title, blocks = view.get("title"), view.get("blocks")
    if not isinstance(title, dict) or not 0 < len(str(title.get("text", ""))) <= MAX_TITLE:
        return "must provide a title of at most 24 characters"
    if len(str(view.get("callback_id", ""))) > MAX_CALLBACK:
        return "callback_id is too long"
    if len(str(view.get("private_metadata", ""))) > MAX_METADATA:
        return "private_metadata is too long"
    if not isinstance(blocks, list) or not 0 < len(blocks) <= MAX_BLOCKS:
        return "must provide 1 to 100 blocks"
    if any(block.get("type") == "input" for block in blocks) and not view.get("submit"):
        return "a view with inputs needs a submit"
    labels = [str((block.get("label") or {}).get("text", "")) for block in blocks]
    return "a label is too long" if any(len(label) > MAX_LABEL for label in labels) else ""
