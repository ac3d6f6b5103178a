"""Where rules stand, in one file: written whole after each look, read once at a start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import structlog

from collectors.host.machine import Machine

FILE = "prometheus-rules.json"
_WHAT = "state of Prometheus rules"
_LOST = "after a restart, since when alerts are pending; those that fire begin anew"
_log = structlog.get_logger(__name__)


class MemoryFile:
    """A :class:`~anomaly.rules.ground.Memory` in a file; one thread at a time uses it.

    Args:
        path: The file.
        machine: Its disk takes the bytes; its faults tell when that fails.
    """

    def __init__(self, path: Path, machine: Machine) -> None:
        self._path = path
        self._machine = machine
        self._before = self._read()
        self._rows: dict[str, bytes] = {}
        self._changed = False

    def take(self, name: str) -> Mapping[str, Any] | None:
        """Return what was put under a name, now or before a restart."""
        row = self._rows.get(name)
        if row is not None:
            found: Mapping[str, Any] = orjson.loads(row)
            return found
        kept = self._before.get(name)
        return kept if isinstance(kept, Mapping) else None

    def put(self, name: str, row: Mapping[str, Any]) -> None:
        """Remember a row under a name."""
        self._rows[name] = orjson.dumps(row)
        self._changed = True

    def drop(self, name: str) -> None:
        """Forget a row."""
        self._before.pop(name, None)
        self._changed |= self._rows.pop(name, None) is not None

    def flush(self) -> None:
        """Write the file if anything has changed; a disk that refuses is told of."""
        if not self._changed:
            return
        parts = [orjson.dumps(name) + b":" + row for name, row in self._rows.items()]
        try:
            self._machine.disk.replace(self._path, b"{" + b",\n".join(parts) + b"}")
        except OSError as error:
            reason = error.strerror or str(error)
            place = str(self._path)
            self._machine.faults.failed(_WHAT, place=place, reason=reason, lost=_LOST)
            return
        self._changed = False
        self._machine.faults.over(_WHAT)

    def _read(self) -> dict[str, Any]:
        try:
            found = orjson.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, orjson.JSONDecodeError) as error:
            _log.error("state of rules can't be read: they begin anew", reason=str(error))
            return {}
        return found if isinstance(found, dict) else {}
