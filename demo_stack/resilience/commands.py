"""All commands of one instance, and their metrics under the very names that Hystrix publishes.

They leave by spectator's line protocol, as at Netflix; OpenTelemetry would write the names in small
letters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from spectator.registry import Registry

from demo_stack.resilience.command import Command
from demo_stack.resilience.events import CommandSettings, Event

GAUGE_EVERY_MS = 2_000
"""An unchanged circuit is reported this often, not with every call."""


class Commands:
    """Commands by key.

    Args:
        registry: Where ``countX`` and ``isCircuitBreakerOpen`` are reported.
        timeouts_ms: Timeout by key; other settings are Hystrix's defaults.
        max_concurrent: Executions of one key at once.
        say: Told in words that a circuit has opened or closed; nobody by default.
    """

    def __init__(
        self,
        registry: Registry,
        timeouts_ms: Mapping[str, int],
        max_concurrent: int = 100,
        say: Callable[[str, bool], None] | None = None,
    ) -> None:
        self._registry = registry
        self._say = say
        self._shown: dict[str, tuple[bool, int]] = {}
        defaults = CommandSettings(max_concurrent=max_concurrent)
        self._commands = {
            key: Command(key, replace(defaults, timeout_ms=timeout_ms), _monotonic_ms, self._report)
            for key, timeout_ms in timeouts_ms.items()
        }

    def __getitem__(self, key: str) -> Command:
        return self._commands[key]

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def _report(self, command: Command, event: Event) -> None:
        tags = {"type": "HystrixCommand", "instance": command.key}
        self._registry.counter(f"count{event.value}", tags).increment()
        shown = (command.is_open, _monotonic_ms() // GAUGE_EVERY_MS)
        if self._shown.get(command.key) != shown:
            before = self._shown.get(command.key, (False, 0))[0]
            if self._say is not None and before != command.is_open:
                self._say(command.key, command.is_open)
            self._shown[command.key] = shown
            self._registry.gauge("isCircuitBreakerOpen", tags).set(float(command.is_open))
            health = command.breaker.health(command.now_ms)
            self._registry.gauge("errorPercentage", tags).set(float(health.error_percentage))


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
