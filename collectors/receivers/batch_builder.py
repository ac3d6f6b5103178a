"""Collects samples into the columns of a :class:`~collectors.model.Batch`."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from collectors.model import Batch, Exemplar, Rejection, Tags


class BatchBuilder:
    """Grows a batch sample by sample.

    Tags are told apart by identity, which costs nothing: a receiver keeps one tags object for each
    stream that it knows and passes that same object every time.

    Attributes:
        rejections: Why samples were left out.
        warnings: What else a sender should know.
        invented: Samples that the receiver itself put in, such as a counter's zero at its start.
    """

    def __init__(self) -> None:
        self.rejections: list[Rejection] = []
        self.warnings: list[Rejection] = []
        self.invented = 0
        self._series: list[Tags] = []
        self._position: dict[int, int] = {}
        self._index: list[int] = []
        self._time_ms: list[int] = []
        self._value: list[float] = []
        self._exemplars: list[Exemplar] = []

    def __len__(self) -> int:
        return len(self._value)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to deliver, not even an exemplar."""
        return not self._value and not self._exemplars

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
        )
