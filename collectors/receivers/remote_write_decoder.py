"""Remote-write requests, 1.0 and 2.0 → :class:`~collectors.model.Batch`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from collectors.errors import DecodeError
from collectors.model import DSTYPE, SeriesKind, Tags
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.exemplar_labels import trace_of
from collectors.receivers.limits import ReceiverLimits
from collectors.receivers.native_histograms import NativeHistograms
from collectors.receivers.remote_write_messages import parse
from collectors.receivers.tag_limits import refuse_tags
from collectors.store.wire.prometheus_labels import prometheus_tags

_COUNTER, _HISTOGRAM, _SUMMARY = 1, 3, 5
_UNKNOWN = 0
_COUNTED_PARTS = {
    _HISTOGRAM: ("_bucket", "_count", "_sum"),
    _SUMMARY: ("_count", "_sum"),
}
_MAX_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A decoded request.

    Attributes:
        samples: Plain samples, and all exemplars.
        histograms: What native histograms became.
        histogram_count: How many native histograms that were.
    """

    samples: BatchBuilder = field(default_factory=BatchBuilder)
    histograms: BatchBuilder = field(default_factory=BatchBuilder)
    histogram_count: int = 0


class RemoteWriteDecoder:
    """Decodes requests; remembers tags by raw labels, metric types and counter starts.

    What was learnt from a request is kept by :meth:`commit` and forgotten by :meth:`roll_back`.
    """

    def __init__(self, limits: ReceiverLimits) -> None:
        self._limits = limits
        self._tags: dict[tuple[bytes, ...], Tags] = {}
        self._types: dict[str, int] = {}
        self._starts: dict[tuple[str, ...], int] = {}
        self._started: list[tuple[str, ...]] = []
        self._native = NativeHistograms(limits)

    def decode_v1(self, body: bytes, *, extras_only: bool = False) -> Decoded:
        """Decode a ``prometheus.WriteRequest``; raise :class:`DecodeError` for other bytes.

        Args:
            body: The message.
            extras_only: Leave plain samples out, as somebody else has taken them: only native
                histograms and exemplars are decoded.
        """
        request = parse("WriteRequest", body)
        if not extras_only:  # whoever took the samples judged by their names alone
            self._learn_types(request.metadata)
        builder, histograms, count = BatchBuilder(), BatchBuilder(), 0
        for series in request.timeseries:
            extras = len(series.histograms) + len(series.exemplars)
            if extras_only and not extras:
                continue
            samples = () if extras_only else series.samples
            try:
                tags = self._tags_v1(tuple(series.labels))
                exemplars = [
                    (exemplar, list(map(_label, exemplar.labels))) for exemplar in series.exemplars
                ]
            except DecodeError as error:
                _refuse(builder, error, len(samples) + len(series.histograms))
                continue
            self._add_samples(builder, tags, samples, 0)
            count += self._add_histograms(histograms, tags, series.histograms, "", 0)
            self._add_exemplars(builder, tags, exemplars, counted=bool(series.histograms))
        return Decoded(samples=builder, histograms=histograms, histogram_count=count)

    def decode_v2(self, body: bytes) -> Decoded:
        """Decode an ``io.prometheus.write.v2.Request``; raise for other bytes."""
        request = parse("RequestV2", body)
        symbols: Sequence[str] = list(request.symbols)
        if symbols and symbols[0]:
            raise DecodeError(f"the first symbol must be empty, not {symbols[0][:60]!r}")
        builder, histograms, count = BatchBuilder(), BatchBuilder(), 0
        known: dict[tuple[int, ...], Tags] = {}
        for series in request.timeseries:
            refs = (*series.labels_refs, -series.metadata.type)
            try:
                if refs not in known:
                    pairs = _pairs(symbols, series.labels_refs)
                    known[refs] = self._checked(pairs, series.metadata.type)
                exemplars = [(e, _pairs(symbols, e.labels_refs)) for e in series.exemplars]
                unit = _symbol(symbols, series.metadata.unit_ref)
            except DecodeError as error:
                _refuse(builder, error, len(series.samples) + len(series.histograms))
                continue
            tags, created_ms = known[refs], series.created_timestamp
            start_ms = self._new_start(tags, series.samples, created_ms)
            self._add_samples(builder, tags, series.samples, start_ms)
            count += self._add_histograms(histograms, tags, series.histograms, unit, created_ms)
            self._add_exemplars(builder, tags, exemplars, counted=bool(series.histograms))
        return Decoded(samples=builder, histograms=histograms, histogram_count=count)

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

    def _learn_types(self, metadata: Iterable[Any]) -> None:
        before = len(self._types)
        for each in islice(metadata, _MAX_REMEMBERED):
            if len(self._types) < _MAX_REMEMBERED:
                self._types[each.metric_family_name] = each.type
        if len(self._types) != before:
            self._tags.clear()  # they were made without knowing these types

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
        histograms: Sequence[Any],
        unit: str,
        created_ms: int,
    ) -> int:
        """Append native histograms; return how many were good."""
        if histograms and self._is_full(builder, tags, len(histograms)):
            return 0
        good = 0
        for histogram in histograms:
            start_ms = histogram.start_timestamp or created_ms
            try:
                self._native.add(builder, tags, histogram, unit=unit, start_ms=start_ms)
                good += 1
            except DecodeError as error:
                _refuse(builder, error, 1)
        return good

    def _add_exemplars(
        self,
        builder: BatchBuilder,
        tags: Tags,
        exemplars: Iterable[tuple[Any, Iterable[tuple[str, str]]]],
        *,
        counted: bool,
    ) -> None:
        """Attach exemplars: those of a native histogram to the series that counts."""
        for exemplar, pairs in exemplars:
            trace = trace_of(dict(pairs))
            if trace is not None:
                target = self._native.count_tags(tags) if counted else tags
                builder.exemplar(target, exemplar.timestamp, exemplar.value, *trace)

    def _is_full(self, builder: BatchBuilder, tags: Tags, more: int) -> bool:
        full = len(builder) > self._limits.max_batch_samples
        if full:
            detail = f"the request has more than {self._limits.max_batch_samples} samples"
            builder.refuse("batchTooLarge", detail, tags, more)
        return full

    def _tags_v1(self, raw: tuple[bytes, ...]) -> Tags:
        tags = self._tags.get(raw)
        if tags is None:
            pairs = list(map(_label, raw))
            name = next((value for key, value in pairs if key == "__name__"), "")
            tags = self._checked(pairs, self._type_of(name))
            if len(self._tags) >= _MAX_REMEMBERED:
                self._tags.clear()
            self._tags[raw] = tags
        return tags

    def _type_of(self, name: str) -> int:
        found = self._types.get(name)
        if found is not None:
            return found
        for suffix in ("_total", "_bucket", "_count", "_sum"):
            found = self._types.get(name.removesuffix(suffix))
            if found is not None and name.endswith(suffix):
                return found
        return _UNKNOWN

    def _checked(self, pairs: Iterable[tuple[str, str]], metric_type: int) -> Tags:
        """Return the tags of labels; raise ``reason: detail`` if they are not legal."""
        pairs = list(pairs)
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise DecodeError(f"duplicateLabel: a label is given twice in {names[:20]}")
        if "" in names:
            raise DecodeError(f"emptyLabel: a label without a name in {names[:20]}")
        tags = prometheus_tags(pairs)
        refusal = refuse_tags(tags, self._limits)
        if refusal is not None:
            raise DecodeError(f"{refusal.reason}: {refusal.detail}")
        if metric_type != _UNKNOWN:
            tags[DSTYPE] = _kind(tags["name"], metric_type).value
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


def _kind(name: str, metric_type: int) -> SeriesKind:
    counted = metric_type == _COUNTER or name.endswith(_COUNTED_PARTS.get(metric_type, ("\0",)))
    return SeriesKind.COUNTER if counted else SeriesKind.GAUGE


def _label(raw: bytes) -> tuple[str, str]:
    message = parse("Label", raw)
    return message.name, message.value


def _pairs(symbols: Sequence[str], refs: Sequence[int]) -> list[tuple[str, str]]:
    if len(refs) % 2:
        raise DecodeError(f"badReferences: {len(refs)} label references, they come in pairs")
    if refs and max(refs) >= len(symbols):
        raise DecodeError(f"badReferences: symbol {max(refs)} of {len(symbols)}")
    texts = [symbols[ref] for ref in refs]
    return list(zip(texts[::2], texts[1::2], strict=True))


def _symbol(symbols: Sequence[str], ref: int) -> str:
    return symbols[ref] if ref < len(symbols) else ""


def _refuse(builder: BatchBuilder, error: DecodeError, count: int) -> None:
    reason, _, detail = error.message.partition(": ")
    if " " in reason:
        reason, detail = "invalidLabels", error.message
    builder.refuse(reason, detail, count=max(1, count))
