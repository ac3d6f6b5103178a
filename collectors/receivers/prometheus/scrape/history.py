"""From page to page of one target: which series it has, which are new, which are gone.

A series that was there and is not any more gets a staleness marker: a NaN sample, which ends it in
the store. Series whose samples carry their own time are left alone, as in Prometheus.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collectors.errors import DecodeError, TooLargeError
from collectors.limits import Limits
from collectors.model import DSTYPE, Batch, Exemplar, IntArray, Rejection, SeriesKind, Tags
from collectors.prometheus_labels import free_key
from collectors.receivers.prometheus.exemplar_labels import trace_of
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.exposition import ExposedSeries, ExpositionParser, Page
from collectors.receivers.prometheus.scrape.relabel import relabel
from collectors.receivers.prometheus.scrape.target import TargetAddress, join_labels
from collectors.tag_rules import TagBounds

_REPORTS = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
_MAX_FUTURE_MS = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """What one scrape gives: samples with their markers, and the counts that it reports."""

    batch: Batch
    scraped: int
    kept: int
    added: int
    rejections: Sequence[Rejection] = ()


class TargetHistory:
    """The series of one target and which of them the last page had."""

    def __init__(self, job: ScrapeJob, address: TargetAddress, limits: Limits) -> None:
        self._job = job
        self._address = address
        self._bounds = TagBounds.of(limits)
        self._parser = ExpositionParser()
        self._tags: list[Tags] = []
        self._kept = np.zeros(0, dtype=np.bool_)
        self._live = np.zeros(0, dtype=np.bool_)
        self._refused: dict[int, Rejection] = {}
        self._report_tags = [self._report(name) for name in _REPORTS]

    def take(self, body: bytes, openmetrics: bool, time_ms: int) -> Scraped:
        """Return the samples of a page; raise :class:`DecodeError` if any line is wrong.

        Nothing has changed after an error but what the parser learnt.
        """
        page = self._parser.parse(body, openmetrics)
        self._learn(self._parser.series)
        kept = self._kept[page.series]
        own_time = (page.time_ms != -1) & self._job.honor_timestamps
        times = np.where(own_time, page.time_ms, time_ms)
        kept &= times <= time_ms + _MAX_FUTURE_MS
        kept &= own_time | _first_of_each(page.series)
        if self._job.limits.samples and int(kept.sum()) > self._job.limits.samples:
            raise TooLargeError(
                f"{int(kept.sum())} samples, sample_limit is {self._job.limits.samples}"
            )
        live = np.zeros(len(self._tags), dtype=np.bool_)
        live[page.series[kept & ~own_time]] = True
        gone = np.flatnonzero(self._live & ~live)
        added = int((live & ~self._live).sum())
        batch = self._batch(page, kept, times, gone, time_ms)
        refused = self._refused
        rejections = [refused[i] for i in page.series.tolist() if i in refused] if refused else ()
        self._live = live
        self._compact(page)
        return Scraped(
            batch=batch,
            scraped=len(page.series),
            kept=int(kept.sum()),
            added=added,
            rejections=rejections,
        )

    def lose(self, time_ms: int) -> Batch:
        """Return markers for every live series: the scrape failed or the target is gone."""
        gone = np.flatnonzero(self._live)
        self._live = np.zeros(len(self._tags), dtype=np.bool_)
        return Batch(
            series=[self._tags[i] for i in gone.tolist()],
            series_index=np.arange(len(gone), dtype=np.int32),
            time_ms=np.full(len(gone), time_ms, dtype=np.int64),
            value=np.full(len(gone), math.nan),
        )

    def report(self, time_ms: int, values: Sequence[float]) -> Batch:
        """Return the report series: up, duration (s), scraped, kept and added counts."""
        return Batch(
            series=self._report_tags,
            series_index=np.arange(len(_REPORTS), dtype=np.int32),
            time_ms=np.full(len(_REPORTS), time_ms, dtype=np.int64),
            value=np.array(values, dtype=np.float64),
        )

    def _learn(self, series: Sequence[ExposedSeries]) -> None:
        first = len(self._tags)
        if len(series) == first:
            return
        fresh = [self._tags_of(found) for found in series[first:]]
        for i, tags in enumerate(fresh, start=first):
            refusal = self._bounds.refuse(tags) if tags is not None else None
            if refusal is not None:
                self._refused[i] = refusal
            self._tags.append(tags or {})
        kept = [tags is not None and i not in self._refused for i, tags in enumerate(fresh, first)]
        self._kept = np.concatenate([self._kept, np.array(kept, dtype=np.bool_)])
        self._live = np.concatenate([self._live, np.zeros(len(fresh), dtype=np.bool_)])

    def _tags_of(self, series: ExposedSeries) -> Tags | None:
        labels = join_labels(series.labels, self._address.labels, self._job.honor_labels)
        self._check_labels(series.name, labels)
        kept = relabel({**labels, "__name__": series.name}, self._job.metric_relabel)
        if kept is None:
            return None
        tags = {"name": kept.pop("__name__", "")}
        for name, value in kept.items():
            if value and not name.startswith("__"):
                tags[free_key(name, kept)] = value
        tags[DSTYPE] = series.kind.value
        return tags

    def _check_labels(self, name: str, labels: Tags) -> None:
        limits = self._job.limits
        if limits.labels and len(labels) + 1 > limits.labels:
            raise DecodeError(f"{name} has {len(labels) + 1} labels, label_limit {limits.labels}")
        for label, value in labels.items():
            if limits.label_name_length and len(label) > limits.label_name_length:
                raise DecodeError(
                    f"label {label[:60]!r} of {name} is longer than {limits.label_name_length}"
                )
            if limits.label_value_length and len(value) > limits.label_value_length:
                raise DecodeError(
                    f"the value of {label!r} of {name} is longer than {limits.label_value_length}"
                )

    def _batch(
        self,
        page: Page,
        kept: np.ndarray[tuple[int], np.dtype[np.bool_]],
        times: IntArray,
        gone: IntArray,
        time_ms: int,
    ) -> Batch:
        used, index = np.unique(np.concatenate([page.series[kept], gone]), return_inverse=True)
        place = {int(series): i for i, series in enumerate(used)} if page.exemplars else {}
        exemplars = [
            Exemplar(
                series=place[series],
                time_ms=found.time_ms if found.time_ms != -1 else time_ms,
                value=found.value,
                trace_id=trace[0],
                span_id=trace[1],
            )
            for series, found in page.exemplars
            if series in place and (trace := trace_of(found.labels)) is not None
        ]
        return Batch(
            series=[self._tags[i] for i in used.tolist()],
            series_index=index.astype(np.int32),
            time_ms=np.concatenate([times[kept], np.full(len(gone), time_ms, dtype=np.int64)]),
            value=np.concatenate([page.value[kept], np.full(len(gone), math.nan)]),
            exemplars=exemplars,
        )

    def _compact(self, page: Page) -> None:
        """Forget series that are gone for long, once they outnumber the others."""
        if len(self._tags) < 2 * len(page.series) + 10_000:
            return
        present = np.zeros(len(self._tags), dtype=np.bool_)
        present[page.series] = True
        stay = np.flatnonzero(present | self._live)
        moved = self._parser.compact(stay)
        self._tags = [self._tags[i] for i in stay.tolist()]
        self._kept, self._live = self._kept[stay], self._live[stay]
        self._refused = {int(moved[i]): r for i, r in self._refused.items() if moved[i] >= 0}

    def _report(self, name: str) -> Tags:
        given = self._address.labels
        labels = {free_key(key, given): value for key, value in given.items()}
        return {**labels, "name": name, DSTYPE: SeriesKind.GAUGE.value}


def _first_of_each(series: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return a mask that is true at the first sample of each series."""
    mask = np.zeros(len(series), dtype=np.bool_)
    mask[np.unique(series, return_index=True)[1]] = True
    return mask
