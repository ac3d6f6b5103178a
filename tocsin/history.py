"""What outlives the hot window: opened as the settings ask, set aside when it is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.errors import StorageError
from collectors.history.engine import HistoryEngine
from collectors.history.losses import losses
from collectors.host.faults import Faults
from collectors.host.setting_aside import set_aside
from collectors.logs.history.log_history import LogHistory
from collectors.store.history.keeper import FAULT
from collectors.store.history.metric_history import MetricHistory
from collectors.store.history.rollups import RollupPolicy
from collectors.traces.history.span_history import SpanHistory
from tocsin.settings import Settings, Shape

HISTORY = "history (damage)"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What outlives the hot window: metrics, spans and log records in one database."""

    engine: HistoryEngine
    metrics: MetricHistory
    spans: SpanHistory
    logs: LogHistory

    def check(self) -> list[str]:
        """Have every part verified; return a sentence for each damaged one."""
        return [*self.metrics.check(), *self.spans.check(), *self.logs.check()]

    def close(self) -> None:
        """Release the database."""
        self.engine.close()


def open_history(
    settings: Settings, rollups: Sequence[RollupPolicy] = (), faults: Faults | None = None
) -> History | None:
    """Open the long-term store that the settings ask for; None when it is off.

    An embedded one that can't be opened is set aside, told, and begun again. A server that can't be
    reached is told and waited for: what is due to it stays in the logs and the hot window.

    Raises:
        ConfigError: The address or the step does not fit, or the server's tables don't.
    """
    if settings.history == "off":
        return None
    if settings.history != "embedded":
        return _of_server(settings, rollups, faults or Faults())
    directory = embedded_directory(settings)
    faults = faults or Faults()
    try:
        history = _history(HistoryEngine.open(f"chdb://{directory}"), settings, rollups)
    except StorageError as error:
        aside = set_aside(directory)
        lost = "what is older than the hot window, until it is repaired"
        faults.failed(
            HISTORY, place=str(aside or directory), reason=error.message, lost=lost, lasting=True
        )
        try:
            return _history(HistoryEngine.open(f"chdb://{directory}"), settings, rollups)
        except StorageError:
            return None
    _tell_losses(history, directory, faults)
    return history


def _of_server(settings: Settings, rollups: Sequence[RollupPolicy], faults: Faults) -> History:
    engine = HistoryEngine.open(settings.history, patient=True)
    if not engine.reached:
        lost = "nothing while the hot window reaches: blocks wait there and in the log"
        faults.failed(FAULT, place=settings.history, reason=engine.failure, lost=lost)
    return _history(engine, settings, rollups)


def embedded_directory(settings: Settings) -> Path:
    """Return where the embedded history is."""
    return (settings.data_dir / "history").absolute()


def _tell_losses(history: History, directory: Path, faults: Faults) -> None:
    try:
        found = losses(history.engine, directory)
    except StorageError as error:
        found = [error.message]
    if found:
        reason = "; ".join(found[:3]) + (f"; {len(found)} in all" if len(found) > 3 else "")
        lost = "what these parts hold; `tocsin doctor --repair` tries to attach them again"
        faults.failed(HISTORY, place=str(directory), reason=reason, lost=lost, lasting=True)


def _history(engine: HistoryEngine, settings: Settings, rollups: Sequence[RollupPolicy]) -> History:
    return History(
        engine=engine,
        metrics=MetricHistory(engine, step_ms=settings.step.ms, policies=rollups),
        spans=SpanHistory(engine, copies=settings.cluster is Shape.PAIR),
        logs=LogHistory(engine),
    )
