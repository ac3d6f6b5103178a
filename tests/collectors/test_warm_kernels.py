"""Compiling ahead reaches every kernel: what it leaves out is compiled while somebody waits."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LISTED = """
import sys
from importlib import import_module
from numba.core.dispatcher import Dispatcher
import_module(sys.argv[1]).warm()
print(*sorted(
    f"{name}.{key}"
    for name, module in sys.modules.items() if name.startswith(sys.argv[2])
    for key, found in vars(module).items()
    if isinstance(found, Dispatcher) and found.targetoptions.get("cache", True)
    and found.py_func.__module__ == name and found._cache.__class__.__name__ == "_KernelCache"
    and not found.signatures
))
"""


@pytest.mark.parametrize(
    ("warm", "room"),
    [
        ("collectors.promql.evaluation.warm", "collectors.promql."),
        ("collectors.logs.warm", "collectors.logs."),
        ("collectors.store.warm", "collectors.store."),
    ],
)
def test_compiling_ahead_reaches_every_kernel(warm: str, room: str) -> None:
    """A first query would take seconds in which nothing else is answered."""
    command = [sys.executable, "-c", _LISTED, warm, room]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split() == []
