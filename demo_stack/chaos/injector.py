"""Injects faults and takes them back, plays scenarios, and records when."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from demo_stack.chaos.experiment import Action, Experiment, find_experiment
from demo_stack.chaos.truth import TruthEvent, TruthLog
from demo_stack.chassis.errors import LayoutError, PlatformError

_log = logging.getLogger(__name__)


class FaultStateError(PlatformError):
    """A fault is already injected, or is not injected, as the case may be."""


class Performer(Protocol):
    """Does what an experiment's action says."""

    async def perform(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Do the action ``name``.

        Raises:
            PlatformError: It is not possible.
        """
        ...


class Injector:
    """Keeps track of which faults are injected.

    Args:
        experiments: Faults by name.
        performer: Does the actions.
        truth: Where injections are recorded.
        scenarios: Names of those experiments that are whole stories.
    """

    def __init__(
        self,
        experiments: Mapping[str, Experiment],
        performer: Performer,
        truth: TruthLog,
        scenarios: Collection[str] = (),
    ) -> None:
        self.experiments = experiments
        self.scenarios = frozenset(scenarios)
        self.performer = performer
        self._truth = truth
        self._active: dict[str, TruthEvent] = {}
        self._playing: dict[str, asyncio.Task[None]] = {}
        self._steps: dict[str, str] = {}

    @property
    def active(self) -> Mapping[str, TruthEvent]:
        """The faults that are injected now, with their beginning."""
        return self._active

    @property
    def busy(self) -> frozenset[str]:
        """What goes on or is about to: faults injected, scenarios being played."""
        return frozenset([*self._active, *self._playing])

    def step_of(self, name: str) -> str | None:
        """Return which step of an experiment was begun last, None while nothing of it goes on."""
        return self._steps.get(name)

    async def inject(self, name: str) -> TruthEvent:
        """Inject a fault.

        Raises:
            LayoutError: There is no such fault.
            FaultStateError: It is injected already.
        """
        experiment = find_experiment(self.experiments, name)
        if name in self._active:
            raise FaultStateError(f"fault {name!r} is already injected; take it back first")
        event = self._begin(experiment)
        try:
            await self._perform(name, experiment.method)
        except PlatformError:
            await self._undo(experiment)
            raise
        return event

    def witness(self, title: str) -> TruthEvent:
        """Record that somebody else performs an experiment: ``chaos run``, from outside.

        Raises:
            LayoutError: No experiment has this title.
            FaultStateError: It is going on already.
        """
        experiment = self._titled(title)
        if experiment.name in self.busy:
            raise FaultStateError(f"{experiment.name!r} is going on already; end it first")
        return self._begin(experiment)

    def witness_end(self, title: str) -> TruthEvent:
        """Record that it is over; whoever performed it has taken it back.

        Raises:
            LayoutError: No experiment has this title.
            FaultStateError: It is not going on.
        """
        experiment = self._titled(title)
        if experiment.name not in self._active:
            raise FaultStateError(f"{experiment.name!r} is not going on")
        return self._truth.end(self._active.pop(experiment.name))

    def play(self, name: str, after_s: float = 0.0) -> None:
        """Play a scenario in the background: its whole method, pauses and all, then its rollback.

        Raises:
            LayoutError: There is no such scenario.
            FaultStateError: It is being played already.
        """
        find_experiment(self.experiments, name)
        if name in self._playing or name in self._active:
            raise FaultStateError(f"scenario {name!r} is already being played")
        self._playing[name] = asyncio.create_task(self._play(name, after_s))

    async def take_back(self, name: str) -> TruthEvent:
        """Undo a fault.

        Raises:
            LayoutError: There is no such fault.
            FaultStateError: It is not injected.
        """
        experiment = find_experiment(self.experiments, name)
        await self._stop_playing(name)
        if name not in self._active:
            raise FaultStateError(f"fault {name!r} is not injected")
        return await self._undo(experiment)

    async def halt_all(self) -> list[TruthEvent]:
        """Undo everything, whatever else fails: the big red button.

        Raises:
            PlatformError: Something could not be undone; the rest has been.
        """
        ended, failures = [], []
        for name in sorted(self.busy):
            await self._stop_playing(name)
            try:
                if name in self._active:
                    ended.append(await self._undo(self.experiments[name]))
            except PlatformError as error:
                failures.append(f"{name}: {error}")
        if failures:
            raise PlatformError("not all could be undone: " + "; ".join(failures))
        return ended

    async def abandon(self) -> None:
        """Record the end of whatever is injected: the platform itself ends."""
        for name in list(self._playing):
            await self._stop_playing(name)
        for event in self._active.values():
            self._truth.end(event)
        self._active.clear()

    def _begin(self, experiment: Experiment) -> TruthEvent:
        event = self._truth.begin(
            kind=experiment.kind,
            name=experiment.name,
            component=experiment.component,
            scope=experiment.scope,
            expected_impact=experiment.expected_impact,
            seen_as=experiment.seen_as,
            paths=experiment.paths,
            hard=experiment.hard,
        )
        self._active[experiment.name] = event
        return event

    def _titled(self, title: str) -> Experiment:
        for experiment in self.experiments.values():
            if experiment.title == title:
                return experiment
        raise LayoutError(f"no experiment is called {title!r}")

    async def _play(self, name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        try:
            await self.inject(name)
            await self._undo(self.experiments[name])
        except PlatformError as error:
            _log.warning("scenario %s ended early: %s", name, error)
        finally:
            self._playing.pop(name, None)

    async def _stop_playing(self, name: str) -> None:
        task = self._playing.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _undo(self, experiment: Experiment) -> TruthEvent:
        event = self._active.pop(experiment.name)
        try:
            await self._perform(experiment.name, experiment.rollbacks)
        finally:
            self._steps.pop(experiment.name, None)
            ended = self._truth.end(event)
        return ended

    async def _perform(self, name: str, actions: tuple[Action, ...]) -> None:
        for action in actions:
            self._steps[name] = action.title
            await self.performer.perform(action.name, action.arguments)
            if action.pause_s:
                await asyncio.sleep(action.pause_s)
