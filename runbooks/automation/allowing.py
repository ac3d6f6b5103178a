"""``automation.yaml``: what the steps of runbooks may reach. What it does not name is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from collectors.documents.nodes import Place
from collectors.documents.reading import load_section
from collectors.documents.section import PLAIN, Context, Section, WrongValueError, close_to
from collectors.documents.values import (
    DurationMs,
    Flag,
    OneOrMore,
    Secret,
    Words,
    at_least_one,
    one_of,
)
from collectors.errors import DocumentError
from runbooks.automation.runbook import MINUTE_MS, READING_METHODS, Runbook, Step, StepKind
from runbooks.automation.shapes import METHODS, Pattern, named_wrongly
from runbooks.automation.variables import SECRET, names_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host that may be asked: ``url`` is scheme, host and port."""

    url: str
    methods: tuple[str, ...] = ("GET", "HEAD")
    paths: tuple[str, ...] = ("/*",)

    def takes(self, method: str, path: str) -> bool:
        """Whether it may be asked so."""
        bare = path.partition("?")[0]
        return method in self.methods and any(fnmatchcase(bare, one) for one in self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command that may run: ``argv`` with ``{parameter}``, each parameter's pattern."""

    argv: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """All that steps may reach; nothing by default.

    Attributes:
        two_persons: Nobody may approve a step of a run that they asked for.
        approval_expires_ms: For so long an approval holds that was not used yet.
    """

    hosts: Mapping[str, Host] = field(default_factory=dict)
    commands: Mapping[str, Program] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    two_persons: bool = False
    approval_expires_ms: int = 15 * MINUTE_MS

    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show."""
        told = (value for one in self.commands.values() for value in one.environment.values())
        return (*self.secrets.values(), *told)

    def classed(self, step: Step) -> Step:
        """Return a step that knows whether it, or its rollback, changes something."""
        changes = False
        if step.request is not None:
            changes = step.request.method not in READING_METHODS
        elif step.run:
            program = self.commands.get(step.run)
            changes = program is None or not program.read_only
        back = step.rollback and self.classed(step.rollback)
        return replace(step, changes=changes, rollback=back)

    def mistakes(self, library: tuple[Runbook, ...]) -> Iterator[DocumentError]:
        """Yield what runbooks name and this does not allow."""
        for runbook in library:
            nowhere = Place(file=runbook.file, line=0)
            for step in (*runbook.diagnose, *runbook.steps):
                place = runbook.places.get(step.id, nowhere)
                for one in (step, *([step.rollback] if step.rollback else [])):
                    yield from self._step_mistakes(one, place)
            for step in runbook.diagnose:
                if self.classed(step).changes:
                    place = runbook.places.get(step.id, nowhere)
                    yield place.error("a diagnosing step must not change anything")

    def _step_mistakes(self, step: Step, place: Place) -> Iterator[DocumentError]:
        if step.kind is StepKind.HTTP and step.request is not None:
            host = self.hosts.get(step.request.host)
            if host is None:
                yield place.below("host").error(_absent("host", step.request.host, self.hosts))
            elif step.request.method not in host.methods:
                known = ", ".join(host.methods)
                message = f"automation.yaml allows {known} for host {step.request.host}"
                yield place.below("method").error(message)
            told = names_in(step.request.body, *(value for _, value in step.request.headers))
            for name in sorted(told):
                if name.startswith(SECRET) and name.removeprefix(SECRET) not in self.secrets:
                    message = _absent("secret", name.removeprefix(SECRET), self.secrets)
                    yield place.below("headers").error(message)
        if step.run:
            program = self.commands.get(step.run)
            if program is None:
                yield place.below("run").error(_absent("command", step.run, self.commands))
                return
            given, wanted = {name for name, _ in step.arguments}, {*program.parameters}
            if given != wanted:
                takes = ", ".join(sorted(wanted)) or "none"
                message = f"command {step.run} takes the parameters {takes}"
                yield place.below("arguments").error(message)


def _absent(what: str, name: str, known: Mapping[str, object]) -> str:
    meant = close_to(name, known)
    remedy = f"did you mean {meant!r}?" if meant else "add it there to allow it"
    return f"automation.yaml names no {what} {name!r}; {remedy}"


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise WrongValueError("an address such as http://127.0.0.1:7300", str(error)) from error
    bare = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not bare or port == 0:
        raise WrongValueError("scheme, host and port, such as http://127.0.0.1:7300")
    return url.rstrip("/")


class HostShape(Section):
    """A host that steps may ask."""

    url: Annotated[Words, AfterValidator(_origin)]
    """Scheme, host and port; never any variable of an incident."""
    methods: Annotated[
        tuple[Annotated[str, one_of(METHODS)], ...], OneOrMore, at_least_one("allows no method")
    ] = ("GET", "HEAD")
    """What may be asked; whatever is neither GET nor HEAD changes something."""
    paths: Annotated[tuple[Words, ...], OneOrMore, at_least_one("allows no path")] = ("/*",)
    """Patterns of paths, with `*` as in file names."""


class CommandShape(Section):
    """A program that steps may run, without a shell and with this environment only."""

    argv: Annotated[tuple[Words, ...], OneOrMore, at_least_one("names no program")]
    """The program's absolute path and its arguments; `{name}` stands for a parameter."""
    parameters: dict[str, Pattern] = {}
    """For each parameter the regular expression that its whole value must match."""
    environment: dict[str, Secret] = {}
    """Variables of its environment; nothing else is passed on but PATH and LANG."""
    read_only: Flag = False
    """It changes nothing: no approval is needed, and a diagnosis may run it."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield parameters that are not declared, and a program without its path."""
        del context
        yield from named_wrongly(self, "parameters", self.parameters)
        for index, argument in enumerate(self.argv):
            for name in sorted(names_in(argument) - {*self.parameters}):
                yield self.at("argv", index).error(f"{{{name}}} is not among the parameters")
        if not Path(self.argv[0]).is_absolute() or names_in(self.argv[0]):
            yield self.at("argv", 0).error("must be the absolute path of a program")


class AutomationFile(Section):
    """`automation.yaml`: what steps of runbooks may reach."""

    hosts: dict[str, HostShape] = {}
    """Hosts by the name that steps use."""
    commands: dict[str, CommandShape] = {}
    """Programs by the name that steps use."""
    secrets: dict[str, Secret] = {}
    """Texts for headers and bodies, `{secret.NAME}` there: neither shown nor stored."""
    two_persons: Flag = False
    """Nobody may approve a step of a run that they asked for."""
    approval_expires: DurationMs = 15 * MINUTE_MS
    """For so long an approval holds that was not used yet."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what is named so that no step can name it."""
        del context
        for name in ("hosts", "commands", "secrets"):
            yield from named_wrongly(self, name, getattr(self, name))


def load_allowed(path: Path, context: Context = PLAIN) -> Allowed:
    """Read what steps may reach.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shape = load_section(path, AutomationFile, context, environment=os.environ)
    return Allowed(
        hosts={
            name: Host(url=one.url, methods=one.methods, paths=one.paths)
            for name, one in shape.hosts.items()
        },
        commands={name: _program(one) for name, one in shape.commands.items()},
        secrets={name: one.get_secret_value() for name, one in shape.secrets.items()},
        two_persons=shape.two_persons,
        approval_expires_ms=shape.approval_expires,
    )


def _program(shape: CommandShape) -> Program:
    return Program(
        argv=shape.argv,
        parameters=dict(shape.parameters),
        environment={name: one.get_secret_value() for name, one in shape.environment.items()},
        read_only=shape.read_only,
    )


def fits(pattern: str, value: str) -> bool:
    """Whether a parameter's whole value matches its pattern."""
    return re.fullmatch(pattern, value) is not None
