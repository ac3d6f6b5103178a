"""Collects samples into the columns of a :class:`~collectors.model.Batch`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from collectors.model import Batch, Exemplar, Parts, Rejection, Tags
from collectors.receivers.work.refusals import Refusals


class BatchBuilder:
    """Grows a batch sample by sample.

    Tags are told apart by identity, which costs nothing: a receiver keeps one tags object for each
    stream that it knows and passes that same object every time.

    Attributes:
        rejections: Why samples were left out.
        warnings: What else a sender should know.
        invented: Samples that the receiver itself put in, such as a counter's zero at its start.

    Args:
        whole_resets: Whether counters that fall count whole; see :class:`Batch`.
    """

    def __init__(self, *, whole_resets: bool = False) -> None:
        self.whole_resets = whole_resets
        self.rejections: list[Rejection] = Refusals()
        self.warnings: list[Rejection] = Refusals()
        self.invented = 0
        self._series: list[Tags] = []
        self._position: dict[int, int] = {}
        self._index: list[int] = []
        self._time_ms: list[int] = []
        self._value: list[float] = []
        self._exemplars: list[Exemplar] = []
        self._parts: list[tuple[int, int, int, float]] = []

    def __len__(self) -> int:
        return len(self._value) + len(self._parts)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to deliver, not even an exemplar."""
        return not len(self) and not self._exemplars

    def series(self, tags: Tags) -> int:
        """Return the index of ``tags`` in the batch, adding it when new."""
        position = self._position.get(id(tags))
        if position is None:
            position = self._position[id(tags)] = len(self._series)
            self._series.append(tags)
        return position

    def add(self, tags: Tags, time_ms: int, value: float) -> None:
        """Append one sample."""
        self._index.append(self.series(tags))
        self._time_ms.append(time_ms)
        self._value.append(value)

    def add_column(self, tags: Iterable[Tags], time_ms: int, values: Iterable[float]) -> None:
        """Append one sample for each of ``tags``, all at one time."""
        before = len(self._value)
        positions, series, index = self._position, self._series, self._index
        for one in tags:
            position = positions.get(id(one))
            if position is None:
                position = positions[id(one)] = len(series)
                series.append(one)
            index.append(position)
        self._value.extend(values)
        self._time_ms.extend([time_ms] * (len(self._value) - before))

    def add_part(self, tags: Tags, start_ms: int, time_ms: int, value: float) -> None:
        """Append what one of several streams adds to a series; see :class:`Parts`."""
        self._parts.append((self.series(tags), start_ms, time_ms, value))

    def exemplar(self, tags: Tags, time_ms: int, value: float, trace_id: str, span_id: str) -> None:
        """Attach an exemplar to the series ``tags``."""
        series = self.series(tags)
        self._exemplars.append(
            Exemplar(
                series=series, time_ms=time_ms, value=value, trace_id=trace_id, span_id=span_id
            )
        )

    def refuse(self, reason: str, detail: str, tags: Tags | None = None, count: int = 1) -> None:
        """Note that ``count`` samples are left out."""
        rejection = Rejection(reason=reason, detail=detail, tags=tags or {}, count=count)
        self.rejections.append(rejection)

    def warn(self, reason: str, detail: str, tags: Tags | None = None) -> None:
        """Note something that costs no sample."""
        self.warnings.append(Rejection(reason=reason, detail=detail, tags=tags or {}))

    def build(self) -> Batch:
        """Return what was collected."""
        return Batch(
            series=self._series,
            series_index=np.array(self._index, dtype=np.int32),
            time_ms=np.array(self._time_ms, dtype=np.int64),
            value=np.array(self._value, dtype=np.float64),
            exemplars=self._exemplars,
            parts=_in_columns(self._parts) if self._parts else None,
            whole_resets=self.whole_resets,
        )


def _in_columns(parts: Sequence[tuple[int, int, int, float]]) -> Parts:
    series, start_ms, time_ms, value = zip(*parts, strict=True)
    return Parts(
        series_index=np.array(series, dtype=np.int32),
        start_ms=np.array(start_ms, dtype=np.int64),
        time_ms=np.array(time_ms, dtype=np.int64),
        value=np.array(value, dtype=np.float64),
    )
