"""What the notifiers are told: the operator's ``notifiers.yaml``, and settings before it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import create_model

from collectors.documents.composing import compose
from collectors.documents.reading import load_section, validated
from collectors.documents.section import PLAIN, Context, Section
from runbooks.notifiers.delivery import Notifier
from runbooks.notifiers.registry import notifiers

Parameters = Mapping[str, Section]
"""By the name of the notifier; one that is not here can't be set up."""


class NotifiersFile(Section):
    """`notifiers.yaml`: what each notifier is told, under its name."""

    def parameters(self) -> Parameters:
        """Return what the file says, and what else needs nothing said."""
        told = {name: getattr(self, name) for name in notifiers()}
        return unsettled() | {name: found for name, found in told.items() if found is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyNotifiers:
    """The notifiers that are set up.

    Attributes:
        notifiers: In the order of their names.
        told: What each notifier of the registry was told at last.
        default: Notifier and channel that incidents go to where no routes are given.
    """

    notifiers: tuple[Notifier, ...]
    told: Parameters
    default: tuple[tuple[str, str], ...]


def notifiers_file() -> type[NotifiersFile]:
    """Return the shape of ``notifiers.yaml``, with a field for each notifier."""
    fields: dict[str, Any] = {
        kind.name: (kind.parameters | None, None) for kind in notifiers().values()
    }
    return create_model(
        "NotifiersFile", __base__=NotifiersFile, __doc__=NotifiersFile.__doc__, **fields
    )


def load_notifiers(
    path: Path, context: Context = PLAIN, *, environment: Mapping[str, str] | None = None
) -> Parameters:
    """Read ``notifiers.yaml``.

    Args:
        path: The file.
        context: What validation may want to know beyond the document.
        environment: Where ``${NAME}`` is looked up; the process's own by default.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    known = os.environ if environment is None else environment
    return load_section(path, notifiers_file(), context, environment=known).parameters()


def unsettled() -> dict[str, Section]:
    """Return what the notifiers are told where nobody says anything."""
    (nothing,) = compose("{}", "").nodes
    return {
        kind.name: validated(nothing, kind.parameters)
        for kind in notifiers().values()
        if not any(field.is_required() for field in kind.parameters.model_fields.values())
    }


def ready(
    parameters: Parameters, settings: Callable[[str], Mapping[str, object]] | None = None
) -> ReadyNotifiers:
    """Make the notifiers that have what they need.

    Args:
        parameters: What files say.
        settings: Returns what the settings say to a notifier of this name; they come first.

    Raises:
        ConfigError: One is set up by half.
    """
    made: list[Notifier] = []
    told: dict[str, Section] = {}
    default: list[tuple[str, str]] = []
    for kind in notifiers().values():
        if kind.name not in parameters:
            continue
        known = kind.parameters.model_fields
        said = settings(kind.name) if settings else {}
        told[kind.name] = settled = parameters[kind.name].model_copy(
            update={name: value for name, value in said.items() if name in known}
        )
        notifier = kind.make(settled)
        if notifier is None:
            continue
        made.append(notifier)
        if channel := kind.default_channel(settled):
            default.append((kind.name, channel))
    return ReadyNotifiers(notifiers=tuple(made), told=told, default=tuple(default))
