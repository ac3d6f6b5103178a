"""From page to page of one target: which series it has, which are new, which are gone.

A series that was there and is not any more gets a staleness marker: a NaN sample, which ends it in
the store. Series whose samples carry their own time are left alone, as in Prometheus. Of samples
that stand for one moment of one series the first counts, and the others are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collectors.errors import DecodeError, TooLargeError
from collectors.limits import Limits
from collectors.model import (
    DSTYPE,
    Batch,
    Exemplar,
    FloatArray,
    IntArray,
    Rejection,
    SeriesKind,
    Tags,
)
from collectors.prometheus_labels import RESERVED_KEYS, free_key
from collectors.receivers.prometheus.exemplar_labels import trace_of
from collectors.receivers.prometheus.exposition.memory import MAX_SERIES, ExposedSeries
from collectors.receivers.prometheus.exposition.parser import ExpositionParser
from collectors.receivers.prometheus.exposition.reading import Page
from collectors.receivers.prometheus.exposition.words import NO_TIME_MS
from collectors.receivers.prometheus.scrape.claims import SeriesClaims, tags_key
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.relabel import relabel
from collectors.receivers.prometheus.scrape.series import Mask, TargetSeries
from collectors.receivers.prometheus.scrape.target import TargetAddress, join_labels
from collectors.tag_rules import TagBounds

_REPORTS = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
# The bits of the NaN that ends a series, as Prometheus has them.
_STALE_BITS = 0x7FF0000000000002


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """What one scrape gives: samples with their markers, and the counts that it reports.

    ``rejections`` tell what of the page was refused, ``warnings`` what was kept but may not be what
    was meant.
    """

    batch: Batch
    scraped: int
    kept: int
    added: int
    rejections: Sequence[Rejection] = ()
    warnings: Sequence[Rejection] = ()


class TargetHistory:
    """The series of one target and which of them the last page had.

    Args:
        job: How the target is scraped.
        address: Where it is, and the labels that its series get.
        limits: Bounds on tags.
        claims: Shared by all targets whose samples go to one store.
    """

    def __init__(
        self,
        job: ScrapeJob,
        address: TargetAddress,
        limits: Limits,
        claims: SeriesClaims | None = None,
    ) -> None:
        self._job = job
        self._address = address
        self._bounds = TagBounds.of(limits)
        self._claims = SeriesClaims() if claims is None else claims
        self._name = f"{address.url} of job {job.name}"
        self._holder = self._claims.enter(self._name)
        self._parser = ExpositionParser()
        self._series = TargetSeries(self._claims, self._holder)
        self._report_tags = [self._report(name) for name in _REPORTS]
        self._report_keys = [tags_key(tags) for tags in self._report_tags]
        self._report_claims = [0] * len(_REPORTS)

    def take(self, body: bytes, openmetrics: bool, time_ms: int) -> Scraped:
        """Return the samples of a page; raise :class:`DecodeError` if any line is wrong.

        After an error nothing has changed.
        """
        page = self._parser.parse(body, openmetrics)
        series = self._series
        series.learn(self._parser.series, self._named)
        self._check_count(int(series.relabelled[page.series].sum()))
        own_time = (page.time_ms != NO_TIME_MS) & self._job.honor_timestamps
        times = np.where(own_time, page.time_ms, time_ms)
        wanted = series.kept[page.series]
        held = series.hold(page.series)[page.series]
        repeated = held & _repeats(page.series, times)
        kept = held & ~repeated
        live = np.zeros(len(series), dtype=np.bool_)
        live[page.series[kept & ~own_time]] = True
        gone, added = series.replace_live(live)
        scraped = Scraped(
            batch=self._batch(page, kept, times, gone, time_ms),
            scraped=len(page.series),
            kept=int(series.relabelled[page.series].sum()),
            added=added,
            rejections=[
                *page.rejections,
                *series.refusals(page.series),
                *self._twice(page.series[repeated]),
                *self._contested(page.series[wanted & ~held]),
            ],
            warnings=page.warnings,
        )
        self._compact(page)
        return scraped

    def lose(self, time_ms: int) -> Batch:
        """Return markers for every live series: the scrape failed."""
        gone = self._series.lose()
        tags = self._series.tags
        batch = Batch(
            series=[tags[i] for i in gone.tolist()],
            series_index=np.arange(len(gone), dtype=np.int32),
            time_ms=np.full(len(gone), time_ms, dtype=np.int64),
            value=_ends(len(gone)),
            whole_resets=True,
        )
        if len(self._series) > MAX_SERIES // 2:
            # None of them is needed any more, and the next page may need the room.
            self._parser = ExpositionParser()
            self._series = TargetSeries(self._claims, self._holder)
        return batch

    def end(self, time_ms: int) -> Batch:
        """Return markers for every live series: the target is gone, nothing follows."""
        batch = self.lose(time_ms)
        self._claims.release(self._report_keys, self._report_claims)
        self._claims.leave(self._holder)
        return batch

    def report(self, time_ms: int, values: Sequence[float]) -> tuple[Batch, list[Rejection]]:
        """Return the report series: up, duration (s), scraped, kept and added counts.

        They are refused where another target has the same labels.
        """
        for at, claim in enumerate(self._report_claims):
            if not claim:
                (self._report_claims[at],) = self._claims.take(
                    self._holder, self._report_keys[at : at + 1]
                )
        held = [at for at, claim in enumerate(self._report_claims) if claim]
        batch = Batch(
            series=[self._report_tags[at] for at in held],
            series_index=np.arange(len(held), dtype=np.int32),
            time_ms=np.full(len(held), time_ms, dtype=np.int64),
            value=np.array([values[at] for at in held], dtype=np.float64),
        )
        if len(held) == len(_REPORTS):
            return batch, []
        other = self._claims.holder_name(self._report_keys[0])
        detail = f"'up' and its companions come from {other} with the same labels"
        lacking = len(_REPORTS) - len(held)
        return batch, [Rejection(reason="duplicateSeries", detail=detail, count=lacking)]

    def _check_count(self, count: int) -> None:
        limit = self._job.limits.samples
        if limit and count > limit:
            raise TooLargeError(f"{count} samples, sample_limit is {limit}")

    def _named(self, series: ExposedSeries) -> Tags | Rejection | None:
        labels = join_labels(series.labels, self._address.labels, self._job.honor_labels)
        self._check_labels(series.name, labels)
        labels["__name__"] = series.name
        rules = self._job.metric_relabel
        kept = relabel(labels, rules) if rules else labels
        if kept is None:
            return None
        tags = {"name": kept.pop("__name__", "")}
        for name, value in kept.items():
            if value and not name.startswith("__"):
                tags[name if name not in RESERVED_KEYS else free_key(name, kept)] = value
        tags[DSTYPE] = series.kind.value
        return self._bounds.refuse(tags) or tags

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

    def _twice(self, refused: IntArray) -> list[Rejection]:
        """Tell of samples that stand on the page once more."""
        if not len(refused):
            return []
        detail = f"{self._shown(refused[0])} stands on the page more than once"
        return [Rejection(reason="duplicateSample", detail=detail, count=len(refused))]

    def _contested(self, refused: IntArray) -> list[Rejection]:
        """Tell of samples that would be written into a series that somebody else has."""
        if not len(refused):
            return []
        other = self._series.other_holder(int(refused[0]))
        whose = "another series of the page" if other == self._name else f"a series of {other}"
        detail = f"{self._shown(refused[0])} is also the name of {whose}"
        return [Rejection(reason="duplicateSeries", detail=detail, count=len(refused))]

    def _shown(self, index: int) -> str:
        tags = self._series.tags[index]
        return ", ".join(f"{key}={value}" for key, value in tags.items())[:300]

    def _batch(
        self, page: Page, kept: Mask, times: IntArray, gone: IntArray, time_ms: int
    ) -> Batch:
        used, index = np.unique(np.concatenate([page.series[kept], gone]), return_inverse=True)
        place = {int(series): i for i, series in enumerate(used)} if page.exemplars else {}
        exemplars = [
            Exemplar(
                series=place[series],
                time_ms=found.time_ms if found.time_ms != NO_TIME_MS else time_ms,
                value=found.value,
                trace_id=trace[0],
                span_id=trace[1],
            )
            for series, found in page.exemplars
            if series in place and (trace := trace_of(found.labels)) is not None
        ]
        tags = self._series.tags
        return Batch(
            series=[tags[i] for i in used.tolist()],
            series_index=index.astype(np.int32),
            time_ms=np.concatenate([times[kept], np.full(len(gone), time_ms, dtype=np.int64)]),
            value=np.concatenate([page.value[kept], _ends(len(gone))]),
            exemplars=exemplars,
            whole_resets=True,
        )

    def _compact(self, page: Page) -> None:
        """Forget series that are gone for long, once they outnumber the others."""
        series = self._series
        if len(series) < min(2 * len(page.series) + 10_000, MAX_SERIES // 2):
            return
        present = series.live.copy()
        present[page.series] = True
        stay = np.flatnonzero(present)
        if len(stay) < len(series):
            series.compact(stay, self._parser.compact(stay))

    def _report(self, name: str) -> Tags:
        given = self._address.labels
        labels = {free_key(key, given): value for key, value in given.items()}
        return {**labels, "name": name, DSTYPE: SeriesKind.GAUGE.value}


def _repeats(series: IntArray, times: IntArray) -> Mask:
    """Return which samples have the series and the time of one before them."""
    mask = np.zeros(len(series), dtype=np.bool_)
    if len(series) and int(np.bincount(series).max()) > 1:
        order = np.lexsort((times, series))
        same = (np.diff(series[order]) == 0) & (np.diff(times[order]) == 0)
        mask[order[1:][same]] = True
    return mask


def _ends(count: int) -> FloatArray:
    """Return markers that series ended: NaNs with the bits by which PromQL knows them."""
    return np.full(count, _STALE_BITS, dtype=np.int64).view(np.float64)
