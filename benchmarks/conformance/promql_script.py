"""Reads test files of the Prometheus project's own format into commands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from collectors.promql.language.durations import parse_duration

_INSTANT = re.compile(
    r"eval(?:_(?P<mode>fail|warn|ordered|info))?\s+instant\s+(?:at\s+(?P<at>\S+)\s+)?(?P<expr>.*)"
)
_RANGE = re.compile(
    r"eval(?:_(?P<mode>fail|warn|ordered|info))?\s+range\s+from\s+(?P<first>\S+)\s+to\s+(?P<last>\S+)\s+"
    r"step\s+(?P<step>\S+?)\s+(?P<expr>.*)"
)
_LOAD = re.compile(r"load(?P<nhcb>_with_nhcb)?\s+(?P<step>\S+)")
_EXPECT_RANGE = re.compile(
    r"expect range vector from (?P<first>\S+) to (?P<last>\S+) step (?P<step>\S+)"
)


@dataclass(slots=True, kw_only=True)
class Load:
    """Series to be loaded, a value every ``step_ms``; ``native`` also as native histograms."""

    step_ms: int
    native: bool
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Evaluation:
    """An expression and what is expected of it.

    ``step_ms`` is 0 for an instant. ``expects`` are lines that begin with ``expect``, ``lines`` the
    expected series.
    """

    line: int
    expr: str
    first_ms: int
    last_ms: int
    step_ms: int
    expects: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def expected(self, what: str) -> list[str]:
        """Return what follows ``expect what`` in each such line."""
        start = f"expect {what}"
        return [line.removeprefix(start).strip() for line in self.expects if _begins(line, start)]

    @property
    def samples_window(self) -> tuple[int, int, int] | None:
        """First, last and step of an expected range vector."""
        for line in self.expects:
            if found := _EXPECT_RANGE.fullmatch(line):
                return _ms(found["first"]), _ms(found["last"]), _ms(found["step"])
        return None


Command = Load | Evaluation | None
"""None clears what was loaded."""


def _begins(line: str, start: str) -> bool:
    return line == start or line.startswith((f"{start} ", f"{start}:"))


def _ms(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    bare = text.lstrip("+-")
    if re.fullmatch(r"[\d.]+", bare):
        return sign * round(float(bare) * 1000)
    return sign * parse_duration(bare)


def read_script(text: str) -> list[Command]:
    """Return the commands of a file.

    Raises:
        ValueError: A line is no command.
    """
    lines = ["" if line.strip().startswith("#") else line.strip() for line in text.splitlines()]
    commands: list[Command] = []
    at = 0
    while at < len(lines):
        line, number = lines[at], at + 1
        at += 1
        if not line:
            continue
        end = at
        while end < len(lines) and lines[end]:
            end += 1
        command, block = _command(line, number), lines[at:end]
        if command is None:
            commands.append(None)
            continue
        at = end
        commands.append(_with_block(command, block))
    return commands


def _with_block(command: Load | Evaluation, block: list[str]) -> Load | Evaluation:
    if isinstance(command, Evaluation):
        command.expects += [line for line in block if line.startswith("expect ")]
        block = [line for line in block if not line.startswith("expect ")]
    command.lines += block
    return command


def _command(line: str, number: int) -> Command:
    if line == "clear":
        return None
    if found := _LOAD.fullmatch(line):
        return Load(step_ms=_ms(found["step"]), native=bool(found["nhcb"]))
    if found := _RANGE.fullmatch(line):
        first, last, step = (_ms(found[part]) for part in ("first", "last", "step"))
    elif found := _INSTANT.fullmatch(line):
        first = last = _ms(found["at"] or "0")
        step = 0
    else:
        raise ValueError(f"line {number}: {line!r} is no command")
    evaluation = Evaluation(
        line=number, expr=found["expr"], first_ms=first, last_ms=last, step_ms=step
    )
    if found["mode"]:
        evaluation.expects.append(f"expect {found['mode']}")
    return evaluation
