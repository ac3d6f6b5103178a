"""``scripts/fuzz``: every decoder under odd bodies for as long as it is told to.

With atheris installed, what a body reaches decides which bodies come next; without it they are
drawn by the grammars alone, which is said. Each target runs in a process of its own.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from collectors.errors import InputError
from collectors.receivers.testing.grammars import GRAMMARS, Seeded
from tests.fuzz.targets import SUBJECTS, Subject

GUIDED = importlib.util.find_spec("atheris") is not None
_COUNTED = 1_000
_MAX_BODY_BYTES = 4_096


class _Choices:
    """Choices of the fuzzing engine."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider

    def number(self, least: int, most: int) -> int:
        return int(self._provider.ConsumeIntInRange(least, most))


def main() -> int:
    """Fuzz the targets that are named, or all; 1 if one of them broke."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--seconds", type=float, default=600, help="for all of them together")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := sorted(set(given.targets) - set(SUBJECTS)):
        parser.error(f"no target is called {', '.join(unknown)}")
    if given.one:
        return _fuzz(given.one, given.seconds)
    if not GUIDED:
        print("fuzz: atheris is not installed (pip install atheris): by the grammars alone")
    names = given.targets or list(SUBJECTS)
    status = 0
    for name in names:
        arguments = ["--one", name, "--seconds", str(given.seconds / len(names))]
        done = subprocess.run([sys.executable, "-m", "tests.fuzz", *arguments], check=False)
        status = status or int(done.returncode != 0)
    return status


def _fuzz(name: str, seconds: float) -> int:
    taken = sum(_takes(SUBJECTS[name](), name, range(_COUNTED))) if name in GRAMMARS else 0
    share = (
        f", {taken / _COUNTED:.0%} of {_COUNTED} by the grammar taken" if name in GRAMMARS else ""
    )
    print(f"fuzz: {name}: {seconds:.0f} s{share}", flush=True)
    if GUIDED:
        _guided(name, seconds)
        return 0
    subject, until, number = SUBJECTS[name](), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        number += 1
        _takes(subject, name, range(number * 50, number * 50 + 50))
    return 0


def _takes(subject: Subject, name: str, seeds: range) -> list[bool]:
    """Try bodies by the grammar, each also with a byte changed; return which were taken whole."""
    found = []
    for seed in seeds:
        chooser = Seeded(seed)
        body = GRAMMARS[name](chooser) if name in GRAMMARS else subject.bodies[0]
        found.append(_one(subject, body))
        injured = bytearray(body)
        if injured:
            injured[chooser.number(0, len(injured) - 1)] = chooser.number(0, 255)
        _one(subject, bytes(injured))
    return found


def _one(subject: Subject, body: bytes) -> bool:
    with suppress(InputError):
        subject.decode(body)
        return True
    return False


def _guided(name: str, seconds: float) -> None:
    """Give the engine the choice of the grammar's bodies and of plain bytes; never returns."""
    atheris: Any = importlib.import_module("atheris")

    with atheris.instrument_imports(include=["collectors.receivers"]):
        subject = SUBJECTS[name]()
    for module in [m for n, m in sys.modules.items() if n.startswith("collectors.receivers.")]:
        for value in vars(module).values():
            if callable(value) and getattr(value, "__module__", "") == module.__name__:
                with suppress(Exception):  # what can't be instrumented guides nobody
                    atheris.instrument_func(value)

    def try_one(data: bytes) -> None:
        provider = atheris.FuzzedDataProvider(data)
        if name in GRAMMARS and provider.ConsumeBool():
            _one(subject, GRAMMARS[name](_Choices(provider)))
        else:
            _one(subject, provider.ConsumeBytes(atheris.ALL_REMAINING))

    corpus = (
        Path(os.environ.get("TOCSIN_FUZZ_CORPUS", ""))
        if "TOCSIN_FUZZ_CORPUS" in os.environ
        else None
    )
    options = [
        f"-max_total_time={seconds:.0f}",
        f"-max_len={_MAX_BODY_BYTES}",
        "-print_final_stats=1",
    ]
    if corpus is not None:
        (corpus / name).mkdir(parents=True, exist_ok=True)
        options.append(str(corpus / name))
    atheris.Setup([sys.argv[0], *options], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
