"""Remote-write requests, 1.0 and 2.0 → :class:`~collectors.model.Batch`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.metric_kinds import MetricKinds, MetricType
from collectors.model import DSTYPE, SeriesKind, Tags
from collectors.prometheus_labels import label_flaw, prometheus_tags
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.prometheus.exemplar_labels import trace_of
from collectors.receivers.prometheus.native_histograms import NativeHistograms
from collectors.receivers.prometheus.remote_write_messages import parse
from collectors.receivers.work.budget import Budget
from collectors.remote_bodies import RemoteExtras
from collectors.tag_rules import TagBounds

_MAX_REMEMBERED = 200_000
_MAX_REFERENCES = 1_024
_KnownTags = dict[tuple[int, ...], Tags]
# Prometheus reads what a counter shows after a reset as counted since.
_sample_builder = partial(BatchBuilder, whole_resets=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A decoded request.

    Attributes:
        samples: Plain samples, and all exemplars.
        histograms: What native histograms became.
        histogram_count: How many native histograms that were.
    """

    samples: BatchBuilder = field(default_factory=_sample_builder)
    histograms: BatchBuilder = field(default_factory=BatchBuilder)
    histogram_count: int = 0


@dataclass(slots=True)
class _Decoding:
    """What a request became so far, and what it may still cost."""

    budget: Budget
    samples: BatchBuilder = field(default_factory=_sample_builder)
    histograms: BatchBuilder = field(default_factory=BatchBuilder)
    count: int = 0

    def finished(self) -> Decoded:
        return Decoded(samples=self.samples, histograms=self.histograms, histogram_count=self.count)


class RemoteWriteDecoder:
    """Decodes requests; remembers tags by raw labels, metric types and counter starts.

    What was learnt from a request is kept by :meth:`commit` and forgotten by :meth:`roll_back`.

    Args:
        limits: Bounds on what is accepted.
        kinds: What senders said of metrics; a store that takes samples itself shares its own.
    """

    def __init__(self, limits: Limits, kinds: MetricKinds | None = None) -> None:
        self._limits = limits
        self._bounds = TagBounds.of(limits)
        self._kinds = MetricKinds() if kinds is None else kinds  # empty ones are shared too
        self._kinds_version = 0
        self._tags: dict[tuple[bytes, ...], Tags] = {}
        self._starts: dict[tuple[str, ...], int] = {}
        self._started: list[tuple[str, ...]] = []
        self._native = NativeHistograms(limits)

    def decode_v1(self, body: bytes) -> Decoded:
        """Decode a ``prometheus.WriteRequest``; raise :class:`DecodeError` for other bytes."""
        request = parse("WriteRequestParts", body)
        self._kinds.learn(_types(request.metadata))
        decoded = _Decoding(Budget(self._limits))
        for series in decoded.budget.watch(request.timeseries):
            self._add_v1(decoded, series, series.samples)
        return decoded.finished()

    def decode_v2(self, body: bytes) -> Decoded:
        """Decode an ``io.prometheus.write.v2.Request``; as :meth:`decode_v1`."""
        request = parse("RequestV2Parts", body)
        symbols: Sequence[bytes] = list(request.symbols)
        if symbols and symbols[0]:
            first = symbols[0].decode(errors="replace")
            raise DecodeError(f"the first symbol must be empty, not {first[:60]!r}")
        decoded, known = _Decoding(Budget(self._limits)), _KnownTags()
        for series in decoded.budget.watch(request.timeseries):
            self._add_v2(decoded, series, series.samples, symbols, known)
        return decoded.finished()

    def decode_extras(self, extras: RemoteExtras) -> Decoded:
        """Decode native histograms and exemplars of series whose samples somebody else took.

        A message that is damaged is refused and costs none of the others.
        """
        decoded, known = _Decoding(Budget(self._limits)), _KnownTags()
        for message in decoded.budget.watch(extras.series):
            with _refusing(decoded.samples):
                if extras.symbols is None:
                    self._add_v1(decoded, parse("TimeSeriesParts", message), ())
                else:
                    series = parse("TimeSeriesV2Parts", message)
                    self._add_v2(decoded, series, (), extras.symbols, known)
        return decoded.finished()

    def _add_v1(self, decoded: _Decoding, series: Any, samples: Sequence[Any]) -> None:
        """Add a series; ``samples`` are its own, or none if somebody else has taken them."""
        if not (samples or series.histograms or series.exemplars):
            return
        try:
            tags = self._tags_v1(tuple(series.labels))
        except DecodeError as error:
            _refuse_series(decoded.samples, error, series, samples)
            return
        self._add_samples(decoded.samples, tags, samples, 0)
        histograms = decoded.budget.watch(series.histograms)
        decoded.count += self._add_histograms(decoded.histograms, tags, histograms, "", 0)
        for raw in decoded.budget.watch(series.exemplars):
            with _refusing(decoded.samples):
                exemplar = _part("Exemplar", raw)
                pairs = _labels(exemplar.labels)
                self._add_exemplar(decoded.samples, tags, exemplar, pairs, series)

    def _add_v2(
        self,
        decoded: _Decoding,
        series: Any,
        samples: Sequence[Any],
        symbols: Sequence[bytes],
        known: _KnownTags,
    ) -> None:
        """As :meth:`_add_v1`; ``known`` are the tags of the request's earlier references."""
        if not (samples or series.histograms or series.exemplars):
            return
        refs = (*series.labels_refs, -series.metadata.type)
        try:
            if refs not in known:
                pairs = _pairs(symbols, series.labels_refs)
                known[refs] = self._checked(pairs, series.metadata.type)
        except DecodeError as error:
            _refuse_series(decoded.samples, error, series, samples)
            return
        tags, created_ms = known[refs], series.created_timestamp
        unit = _symbol(symbols, series.metadata.unit_ref)
        start_ms = self._new_start(tags, samples, created_ms)
        self._add_samples(decoded.samples, tags, samples, start_ms)
        histograms = decoded.budget.watch(series.histograms)
        decoded.count += self._add_histograms(
            decoded.histograms, tags, histograms, unit, created_ms
        )
        for raw in decoded.budget.watch(series.exemplars):
            with _refusing(decoded.samples):
                exemplar = _part("ExemplarV2", raw)
                pairs = _pairs(symbols, exemplar.labels_refs)
                self._add_exemplar(decoded.samples, tags, exemplar, pairs, series)

    def commit(self) -> None:
        """Keep what was learnt: the store has the request."""
        self._native.commit()
        self._started.clear()

    def roll_back(self) -> None:
        """Forget what was learnt: the sender will send the request again."""
        self._native.roll_back()
        for key in self._started:
            self._starts.pop(key, None)
        self._started.clear()

    def _add_samples(
        self, builder: BatchBuilder, tags: Tags, samples: Sequence[Any], start_ms: int
    ) -> None:
        if samples and self._is_full(builder, tags, len(samples)):
            return
        if start_ms:
            builder.add(tags, start_ms, 0.0)
            builder.invented += 1
        for sample in samples:
            builder.add(tags, sample.timestamp, sample.value)

    def _add_histograms(
        self,
        builder: BatchBuilder,
        tags: Tags,
        histograms: Iterable[bytes],
        unit: str,
        created_ms: int,
    ) -> int:
        """Append native histograms; return how many were good."""
        good = 0
        for raw in histograms:
            if self._is_full(builder, tags, 1):
                continue
            try:
                histogram = _part("Histogram", raw)
                start_ms = histogram.start_timestamp or created_ms
                self._native.add(builder, tags, histogram, unit=unit, start_ms=start_ms)
                good += 1
            except DecodeError as error:
                _refuse(builder, error, 1)
        return good

    def _add_exemplar(
        self,
        builder: BatchBuilder,
        tags: Tags,
        exemplar: Any,
        labels: Iterable[tuple[str, str]],
        series: Any,
    ) -> None:
        """Attach an exemplar: that of a native histogram to the series that counts."""
        trace = trace_of(dict(labels))
        if trace is not None:
            target = self._native.count_tags(tags) if series.histograms else tags
            builder.exemplar(target, exemplar.timestamp, exemplar.value, *trace)

    def _is_full(self, builder: BatchBuilder, tags: Tags, more: int) -> bool:
        full = len(builder) > self._limits.max_batch_samples
        if full:
            detail = f"the request has more than {self._limits.max_batch_samples} samples"
            builder.refuse("batchTooLarge", detail, tags, more)
        return full

    def _tags_v1(self, raw: tuple[bytes, ...]) -> Tags:
        if self._kinds_version != self._kinds.version or len(self._tags) >= _MAX_REMEMBERED:
            self._tags.clear()  # they were made without knowing these kinds
            self._kinds_version = self._kinds.version
        tags = self._tags.get(raw)
        if tags is None:
            tags = self._tags[raw] = self._checked(_labels(raw), MetricType.UNKNOWN)
        return tags

    def _checked(self, pairs: Iterable[tuple[str, str]], metric_type: int) -> Tags:
        """Return the tags of labels; raise ``reason: detail`` if they are not legal."""
        pairs = list(pairs)
        flaw = label_flaw([name for name, _ in pairs])
        if flaw is not None:
            raise DecodeError(f"{flaw[0]}: {flaw[1]}")
        tags = prometheus_tags(pairs, metric_type, self._kinds)
        refusal = self._bounds.refuse(tags)
        if refusal is not None:
            raise DecodeError(f"{refusal.reason}: {refusal.detail}")
        return tags

    def _new_start(self, tags: Tags, samples: Any, created_ms: int) -> int:
        """Return the start of a counter if it was not seen yet, else 0."""
        if not samples or tags.get(DSTYPE) != SeriesKind.COUNTER:
            return 0
        start_ms = int(samples[0].start_timestamp or created_ms)
        if not 0 < start_ms < samples[0].timestamp:
            return 0
        if samples[0].timestamp - start_ms > self._limits.zero_point_ms:
            return 0
        key = tuple(f"{name}={value}" for name, value in sorted(tags.items()))
        if self._starts.get(key) == start_ms:
            return 0
        if len(self._starts) >= _MAX_REMEMBERED:
            self._starts.clear()
        self._starts[key] = start_ms
        self._started.append(key)
        return start_ms


def _part(name: str, raw: bytes) -> Any:
    """Parse what may be wrong alone; the error's message begins with a reason and a colon."""
    try:
        return parse(name, raw)
    except DecodeError as error:
        raise DecodeError(f"invalid{name.removesuffix('V2')}: {error.message}") from error


def _types(metadata: Iterable[bytes]) -> Iterator[tuple[str, int]]:
    """Yield names and types of metrics; one that is damaged or not UTF-8 tells of no series."""
    for raw in metadata:
        with suppress(DecodeError):
            told = parse("MetricMetadataParts", raw)
            yield _text(told.metric_family_name), told.type


def _labels(raw: Iterable[bytes]) -> list[tuple[str, str]]:
    # All are looked at before their texts are: damage is the reason that counts.
    messages = [parse("Label", label) for label in raw]
    return [(_text(message.name), _text(message.value)) for message in messages]


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise DecodeError(f"notUtf8: a label of the series is not UTF-8: {error}") from error


def _pairs(symbols: Sequence[bytes], refs: Sequence[int]) -> list[tuple[str, str]]:
    if len(refs) > _MAX_REFERENCES:
        raise DecodeError(f"badReferences: {len(refs)} label references to one series")
    if len(refs) % 2:
        raise DecodeError(f"badReferences: {len(refs)} label references, they come in pairs")
    if refs and max(refs) >= len(symbols):
        raise DecodeError(f"badReferences: symbol {max(refs)} of {len(symbols)}")
    texts = [_text(symbols[ref]) for ref in refs]
    return list(zip(texts[::2], texts[1::2], strict=True))


def _symbol(symbols: Sequence[bytes], ref: int) -> str:
    return symbols[ref].decode(errors="replace") if ref < len(symbols) else ""


def _refuse_series(
    builder: BatchBuilder, error: DecodeError, series: Any, samples: Sequence[Any]
) -> None:
    """Refuse all of a series; of one whose samples others took, what is left of it."""
    taken = bool(series.samples) and not samples
    if not taken:
        _refuse(builder, error, len(samples) + len(series.histograms))
    elif series.histograms:
        _refuse(builder, error, len(series.histograms))


@contextmanager
def _refusing(builder: BatchBuilder) -> Iterator[None]:
    """Note an exemplar that is wrong; what it belongs to is kept."""
    try:
        yield
    except DecodeError as error:
        _refuse(builder, error, 1)


def _refuse(builder: BatchBuilder, error: DecodeError, count: int) -> None:
    reason, _, detail = error.message.partition(": ")
    if " " in reason:
        reason, detail = "invalidLabels", error.message
    builder.refuse(reason, detail, count=max(1, count))
