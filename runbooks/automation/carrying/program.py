"""Running a program of the allow-list: no shell, a clean environment, an end, bounded output."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from collectors.errors import InputError
from runbooks.automation.allowing import Program, fits
from runbooks.automation.runbook import Step
from runbooks.automation.state import Outcome, StepState
from runbooks.automation.variables import Values, checked_value, in_argument, in_value

MAX_OUTPUT_BYTES = 16_384
"""Output of a program that is kept: its end, for errors stand there."""

_LOOK_S = 0.2
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
_READ_BYTES = 65_536


def argv_of(step: Step, program: Program, values: Values) -> list[str]:
    """Return the arguments of a step, each a single one whatever its values hold.

    Raises:
        InputError: A value does not match its parameter's pattern, or would be an option.
    """
    given = {}
    for name, template in step.arguments:
        value = checked_value(name, in_value(template, values))
        pattern = program.parameters.get(name)
        if pattern is None or not fits(pattern, value):
            raise InputError(f"{name} is {value[:50]!r}, which its pattern does not allow")
        given[name] = value
    return [in_argument(one, given) for one in program.argv]


@dataclass(slots=True)
class _Output:
    """The end of what a program says."""

    said: Callable[[str], None]
    kept: bytes = b""
    dropped: int = 0

    def take(self, piece: bytes) -> None:
        self.kept += piece
        if (over := len(self.kept) - MAX_OUTPUT_BYTES) > 0:
            self.kept = self.kept[over:]
            self.dropped += over
        self.said(self.text)

    @property
    def text(self) -> str:
        head = f"… {self.dropped} bytes before are dropped\n" if self.dropped else ""
        return head + self.kept.decode("utf-8", "replace").strip()


def run_program(
    argv: list[str],
    program: Program,
    *,
    timeout_s: float,
    cancelled: Event,
    said: Callable[[str], None],
) -> Outcome:
    """Run a program to its end; one that takes too long is killed with all that it started.

    A program that may have changed something and was killed leaves an unknown state.
    """
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    output = _Output(said)
    try:
        child = subprocess.Popen(  # noqa: S603 - the allow-list's program, its arguments checked
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment | dict(program.environment),
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        text = f"{argv[0]} can't be started: {error.strerror or error}"
        return Outcome(state=StepState.FAILED, text=text)
    reason = _watch(child, output, time.monotonic() + timeout_s, cancelled)
    killed = StepState.FAILED if program.read_only else StepState.UNKNOWN
    if reason:
        told = f"killed: {reason}"
        if not program.read_only:
            told += "; what it had done by then is not known"
        return Outcome(state=killed, text=_joined(told, output.text))
    code = child.returncode
    state = StepState.SUCCEEDED if code == 0 else StepState.FAILED
    told = "" if code == 0 else f"ended with {code}"
    return Outcome(state=state, text=_joined(told, output.text), data={"exit_code": code})


def _joined(told: str, output: str) -> str:
    return "\n".join(part for part in (told, output) if part) or "ended well, said nothing"


def _watch(
    child: subprocess.Popen[bytes], output: _Output, deadline_s: float, cancelled: Event
) -> str:
    """Read until it ends; return why it was killed, "" if it ended by itself."""
    pipe, reason = child.stdout, ""
    if pipe is None:
        return _wait(child, deadline_s, cancelled)
    with selectors.DefaultSelector() as waiting, pipe:
        os.set_blocking(pipe.fileno(), False)
        waiting.register(pipe, selectors.EVENT_READ)
        ended = False
        while not reason:
            if waiting.select(_LOOK_S if not ended else 0):
                piece = pipe.read(_READ_BYTES)
                if piece == b"":
                    waiting.unregister(pipe)
                    reason = _wait(child, deadline_s, cancelled)
                    break
                output.take(piece or b"")
            elif ended:
                # A child of its own holds the pipe open: the program itself has ended.
                break
            ended = child.poll() is not None
            reason = _too_long(deadline_s, cancelled)
        _kill(child)
    return reason


def _wait(child: subprocess.Popen[bytes], deadline_s: float, cancelled: Event) -> str:
    while True:
        try:
            child.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            if reason := _too_long(deadline_s, cancelled):
                return reason
        else:
            return ""


def _too_long(deadline_s: float, cancelled: Event) -> str:
    if cancelled.is_set():
        return "the run was aborted, or the server stopped"
    return "it took too long" if time.monotonic() > deadline_s else ""


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of its process group, then reap it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
