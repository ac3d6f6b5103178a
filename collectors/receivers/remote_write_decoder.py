"""Remote-write requests, 1.0 and 2.0 → :class:`~collectors.model.Batch`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from collectors.errors import DecodeError
from collectors.model import DSTYPE, SeriesKind, Tags
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.limits import ReceiverLimits
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


class RemoteWriteDecoder:
    """Decodes requests; remembers tags by raw labels, metric types and counter starts."""

    def __init__(self, limits: ReceiverLimits) -> None:
        self._limits = limits
        self._tags: dict[tuple[bytes, ...], Tags] = {}
        self._types: dict[str, int] = {}
        self._starts: dict[tuple[str, ...], int] = {}

    def decode_v1(self, body: bytes) -> BatchBuilder:
        """Decode a ``prometheus.WriteRequest``; raise :class:`DecodeError` for other bytes."""
        request = parse("WriteRequest", body)
        before = len(self._types)
        for metadata in request.metadata[:_MAX_REMEMBERED]:
            if len(self._types) < _MAX_REMEMBERED:
                self._types[metadata.metric_family_name] = metadata.type
        if len(self._types) != before:
            self._tags.clear()  # they were made without knowing these types
        builder = BatchBuilder()
        for series in request.timeseries:
            count = len(series.samples) + len(series.histograms)
            try:
                tags = self._tags_v1(tuple(series.labels))
            except DecodeError as error:
                _refuse(builder, error, count)
                continue
            self._add(builder, tags, series, 0)
            for exemplar in series.exemplars:
                pairs = map(_label, exemplar.labels)
                _add_exemplar(builder, tags, exemplar, pairs)
        return builder

    def decode_v2(self, body: bytes) -> BatchBuilder:
        """Decode an ``io.prometheus.write.v2.Request``; raise for other bytes."""
        request = parse("RequestV2", body)
        symbols: Sequence[str] = list(request.symbols)
        if symbols and symbols[0]:
            raise DecodeError(f"the first symbol must be empty, not {symbols[0][:60]!r}")
        builder = BatchBuilder()
        known: dict[tuple[int, ...], Tags] = {}
        for series in request.timeseries:
            count = len(series.samples) + len(series.histograms)
            refs = (*series.labels_refs, -series.metadata.type)
            try:
                if refs not in known:
                    pairs = _pairs(symbols, series.labels_refs)
                    known[refs] = self._checked(pairs, series.metadata.type)
                for exemplar in series.exemplars:
                    pairs = _pairs(symbols, exemplar.labels_refs)
                    _add_exemplar(builder, known[refs], exemplar, pairs)
            except DecodeError as error:
                _refuse(builder, error, count)
                continue
            start_ms = self._new_start(known[refs], series.samples)
            self._add(builder, known[refs], series, start_ms)
        return builder

    def _add(self, builder: BatchBuilder, tags: Tags, series: Any, start_ms: int) -> None:
        if len(builder) > self._limits.max_batch_samples:
            detail = f"the request has more than {self._limits.max_batch_samples} samples"
            builder.refuse("batchTooLarge", detail, tags, len(series.samples))
            return
        if start_ms:
            builder.add(tags, start_ms, 0.0)
            builder.invented += 1
        for sample in series.samples:
            builder.add(tags, sample.timestamp, sample.value)
        if series.histograms:
            detail = "native histograms are not taken; send classic ones"
            builder.refuse("nativeHistogram", detail, tags, len(series.histograms))

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

    def _new_start(self, tags: Tags, samples: Any) -> int:
        """Return the start of a counter if it was not seen yet, else 0."""
        if not samples or tags.get(DSTYPE) != SeriesKind.COUNTER:
            return 0
        start_ms = int(samples[0].start_timestamp)
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


def _add_exemplar(
    builder: BatchBuilder, tags: Tags, exemplar: Any, pairs: Iterable[tuple[str, str]]
) -> None:
    labels = dict(pairs)
    if labels.get("trace_id"):
        builder.exemplar(
            tags,
            exemplar.timestamp,
            exemplar.value,
            labels["trace_id"],
            labels.get("span_id", ""),
        )


def _refuse(builder: BatchBuilder, error: DecodeError, count: int) -> None:
    reason, _, detail = error.message.partition(": ")
    if " " in reason:
        reason, detail = "invalidLabels", error.message
    builder.refuse(reason, detail, count=max(1, count))
