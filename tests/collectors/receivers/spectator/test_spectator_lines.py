"""The line protocol: each type, its extras, and what is refused."""

import base64
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.limits import Limits
from collectors.model import Batch, Tags
from collectors.receivers.spectator.registry import MeterRegistry
from collectors.receivers.stats import ReceiverStats

T0 = 1_700_000_000_000


def new_registry(limits: Limits | None = None) -> MeterRegistry:
    return MeterRegistry(limits or Limits(), ReceiverStats(), T0)


def rows(batch: Batch) -> list[tuple[str, str, int, float]]:
    """Return (kind and statistic, name, seconds after T0, value) of each sample."""
    return [
        (
            f"{tags['atlas.dstype']} {tags['statistic']}{_bucket(tags)}",
            tags["name"],
            (int(time_ms) - T0) // 1_000,
            float(value),
        )
        for tags, time_ms, value in (
            (batch.series[i], t, v)
            for i, t, v in zip(batch.series_index, batch.time_ms, batch.value, strict=True)
        )
    ]


def _bucket(tags: Tags) -> str:
    label = tags.get("percentile", tags.get("distinct", ""))
    return f" {label}" if label else ""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"c:n:2\nc:n:3.5", [("counter count", 0, 0.0), ("counter count", 5, 5.5)]),
        (b"g:n:1\ng:n:-42.5", [("gauge gauge", 5, -42.5)]),
        (b"g,120:n:7", [("gauge gauge", 5, 7.0)]),
        (b"m:n:3\nm:n:9\nm:n:4", [("gauge max", 5, 9.0)]),
        (b"A:n:0", [("gauge gauge", 5, 4.0)]),
        (b"A:n:1699999990", [("gauge gauge", 5, 15.0)]),
        (b"C:n:100", [("counter count", 1, 100.0)]),
        (b"U:n:18446744073709551615", [("counter count", 1, 2.0**64)]),
        (b"X,1700000002000:n:7", [("counter count", 2, 7.0)]),
        (
            b"t:n:0.5\nt:n:1.5",
            [
                ("counter count", 0, 0.0),
                ("counter count", 5, 2.0),
                ("counter totalTime", 0, 0.0),
                ("counter totalTime", 5, 2.0),
                ("counter totalOfSquares", 0, 0.0),
                ("counter totalOfSquares", 5, 2.5),
                ("gauge max", 5, 1.5),
            ],
        ),
        (
            b"d:n:10",
            [
                ("counter count", 0, 0.0),
                ("counter count", 5, 1.0),
                ("counter totalAmount", 0, 0.0),
                ("counter totalAmount", 5, 10.0),
                ("counter totalOfSquares", 0, 0.0),
                ("counter totalOfSquares", 5, 100.0),
                ("gauge max", 5, 10.0),
            ],
        ),
    ],
)
def test_each_type(lines: bytes, expected: list[tuple[str, int, float]]) -> None:
    """Lines recorded one second after the start, flushed at five."""
    registry = new_registry()
    assert registry.receive(lines, T0 + 1_000) == []
    assert [(kind, s, v) for kind, _, s, v in rows(registry.flush(T0 + 5_000))] == expected


@pytest.mark.parametrize(
    ("line", "bucket"),
    [
        (b"T:n:0.001", "T0056"),
        (b"T:n:1", "T0083"),
        (b"T:n:0", "T0000"),
        (b"D:n:87", "D0019"),
        (b"D:n:1e300", "D0113"),
    ],
)
def test_percentile_buckets(line: bytes, bucket: str) -> None:
    """Percentiles of timers would be asked of buckets that nobody counts in."""
    registry = new_registry()
    registry.receive(line, T0)
    kinds = [kind for kind, _, _, _ in rows(registry.flush(T0 + 5_000))]
    assert f"counter percentile {bucket}" in kinds
    assert "counter count" in kinds


def test_totals_go_on_across_flushes() -> None:
    """A second flush carries the total, not the increment, and the maximum starts again."""
    registry = new_registry()
    registry.receive(b"c:n:2\nm:x:5", T0)
    registry.flush(T0 + 5_000)
    registry.receive(b"c:n:1", T0 + 6_000)
    assert rows(registry.flush(T0 + 10_000)) == [("counter count", "n", 10, 3.0)]


def test_a_wrapped_uint64_goes_on() -> None:
    """A counter that starts over at 2^64 would look like a huge rate."""
    registry = new_registry()
    registry.receive(b"U:n:18446744073709551615", T0 + 1_000)
    registry.receive(b"U:n:4", T0 + 2_000)
    values = [v for _, _, _, v in rows(registry.flush(T0 + 5_000))]
    assert values[1] - values[0] in (5.0, 0.0)  # a double near 2^64 has steps of 2,048


def test_distinct_counts_are_registers() -> None:
    """The registers estimate how many different values there were (64 registers: ± 13 %)."""
    registry = new_registry()
    for i in range(1_000):
        registry.receive(b"S:users:" + base64.b64encode(b"user-%d" % i), T0)
        registry.receive(b"S:users:" + base64.b64encode(b"user-%d" % i), T0)
    found = rows(registry.flush(T0 + 5_000))
    assert {kind for kind, _, _, _ in found} <= {
        f"gauge distinct R{register:02X}" for register in range(64)
    }
    estimate = 0.709 * 64**2 / sum(2.0**-v for _, _, _, v in found)
    assert estimate == pytest.approx(1_000, rel=0.4)


@pytest.mark.parametrize(
    ("data", "register", "rho"),
    [
        (b"", 0x19, 1),  # hashes to EF46DB3751D8E999
        (b"a", 0x1B, 1),  # D24EC4F1A98C6E5B
        (b"abc", 0x19, 2),  # 44BC2CF5AD770999
        (b"Nobody inspects the spammish repetition", 0x31, 1),  # FBCEA83C8A378BF1
    ],
)
def test_a_sketch_sorts_values_as_every_other_client_does(
    data: bytes, register: int, rho: int
) -> None:
    """Registers of two clients add up only if both take xxHash64, its low bits first."""
    registry = new_registry()
    registry.receive(b"S:users:" + base64.b64encode(data), T0)
    found = rows(registry.flush(T0 + 5_000))

    assert found == [(f"gauge distinct R{register:02X}", *found[0][1:3], float(rho))]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hello", "badLine"),
        (b"c:1", "badLine"),
        (b"c::1", "badLine"),
        (b"q:n:1", "unknownType"),
        (b":n:1", "unknownType"),
        (b"g,0:n:1", "badExtra"),
        (b"g,-5:n:1", "badExtra"),
        (b"g,x:n:1", "badExtra"),
        (b"X:n:1", "timestampMissing"),
        (b"c:n:one", "badValue"),
        (b"c:n:", "badValue"),
        (b"g:n:nan", "badValue"),
        (b"g:n:inf", "badValue"),
        (b"c:n:1e999", "badValue"),
        (b"c:n:-1", "negativeValue"),
        (b"t:n:-0.1", "negativeValue"),
        (b"c:n,a:1", "badTag"),
        (b"c:n,a=:1", "badTag"),
        (b"c:n,=b:1", "badTag"),
        (b"c:n,name=x:1", "badTag"),
        (b"c:\xff\xfe:1", "invalidUtf8"),
        (b"S:n:%%%", "badValue"),
        (b"c:" + b"n" * 9_000 + b":1", "lineTooLong"),
        (b"c:n,a=" + b"v" * 300 + b":1", "valueTooLong"),
    ],
)
def test_refusals_name_their_reason(line: bytes, reason: str) -> None:
    """A bad line is refused with its reason; the good ones around it are kept."""
    registry = new_registry()
    rejected = registry.receive(b"c:good:1\n" + line + b"\nc:good:1\n", T0)
    assert [r.reason for r in rejected] == [reason]
    assert rejected[0].detail
    assert len(registry) == 1
    assert rows(registry.flush(T0 + 5_000))[-1] == ("counter count", "good", 5, 2.0)


@pytest.mark.parametrize(
    ("line", "ttl_s"), [(b"g:n:1", 900), (b"g,20:n:1", 20), (b"g,1:n:1", 5), (b"c:n:1", 900)]
)
def test_meters_expire(line: bytes, ttl_s: int) -> None:
    """A gauge lives as long as its TTL (at least 5 s), everything else 15 minutes."""
    registry = new_registry()
    registry.receive(line, T0)
    assert len(registry.flush(T0 + ttl_s * 1_000 - 1))
    assert not len(registry.flush(T0 + ttl_s * 1_000))
    assert len(registry) == 0


def test_meters_are_bounded() -> None:
    """A sender with endless names would fill the memory."""
    registry = new_registry(Limits(max_meter_series=2))
    rejected = registry.receive(b"c:a:1\nc:b:1\nc:c:1\nc:a:1", T0)
    assert [r.reason for r in rejected] == ["metersTooMany"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.sampled_from(["", "c:n:", "T:a,b=c:", "S:n:", "U:n:", "X,5:n:"]))
def test_any_bytes_leave_the_registry_working(junk: bytes, prefix: str) -> None:
    """A stranger's datagram would stop everybody's meters."""
    registry = new_registry()
    registry.receive(prefix.encode() + junk, T0)
    registry.flush(T0 + 1_000)
    registry.receive(b"c:after:1", T0 + 1_000)
    assert ("counter count", "after", 5, 1.0) in rows(registry.flush(T0 + 5_000))


def test_pieces_say_what_a_flush_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushing in pieces would lose samples, or send some twice."""
    monkeypatch.setattr("collectors.receivers.spectator.registry.PIECE_SAMPLES", 4)
    whole, parts = new_registry(), new_registry()
    lines = b"\n".join(b"c:n%d:%d" % (i, i) for i in range(7))
    for registry in (whole, parts):
        registry.receive(lines, T0 + 100)
    pieces = []
    for piece in parts.pieces(T0 + 1_000):
        pieces.append(rows(piece))
        parts.receive(b"c:meanwhile:1", T0 + 1_000)  # as datagrams do between two pieces
    assert [len(piece) for piece in pieces] == [4, 4, 4, 2]
    assert [row for piece in pieces for row in piece] == rows(whole.flush(T0 + 1_000))
    assert ("counter count", "meanwhile", 2, 4.0) in rows(parts.flush(T0 + 2_000))


def samples(batch: Batch, **tags: str) -> list[tuple[int, float]]:
    """Return (seconds after T0, value) of the samples whose series has these tags."""
    return [
        ((int(time_ms) - T0) // 1_000, float(value))
        for i, time_ms, value in zip(batch.series_index, batch.time_ms, batch.value, strict=True)
        if tags.items() <= dict(batch.series[i]).items()
    ]


@pytest.mark.parametrize(
    ("lines", "statistic", "total"),
    [
        (b"c:n,a=1,b=2:2\nc:n,b=2,a=1:3", "count", 5.0),
        (b"c:n,a=1,b=2:4\nt:n,b=2,a=1:0.5", "count", 5.0),
        (b"t:n:0.5\nT:n:1.5", "totalTime", 2.0),
        (b"d:n:5\nD:n:7\nc:n:1", "count", 3.0),
        (b"c:n,statistic=totalAmount:4\nd:n:5", "totalAmount", 9.0),
    ],
)
def test_meters_that_count_into_one_series_are_summed(
    lines: bytes, statistic: str, total: float
) -> None:
    """Tags in another order, or two types of one name, would deliver two totals in turn."""
    registry = new_registry()
    for i in (1, 2):
        assert registry.receive(lines, T0 + 1_000 * i) == []
        batch = registry.flush(T0 + 5_000 * i)
        values = samples(batch, statistic=statistic)
        assert values[-1] == (5 * i, i * total)
        assert len(values) == (2 if i == 1 else 1)


def test_of_a_gauge_in_two_orders_the_newest_counts() -> None:
    """Two meters would be delivered at one moment, and the larger shown."""
    registry = new_registry()
    registry.receive(b"g:n,a=1,b=2:9\ng:n,b=2,a=1:3", T0)
    assert samples(registry.flush(T0 + 5_000), statistic="gauge") == [(5, 3.0)]


def test_a_timers_series_stay_apart_whatever_its_tags_say() -> None:
    """Count, total and squares of a timer with a tag ``statistic`` would be one series."""
    registry = new_registry()
    registry.receive(b"t:n,statistic=mine:0.5", T0)
    batch = registry.flush(T0 + 5_000)
    assert samples(batch, statistic="count", exported_statistic="mine")[-1] == (5, 1.0)
    assert samples(batch, statistic="totalTime", exported_statistic="mine")[-1] == (5, 0.5)


def test_orders_of_tags_are_forgotten_with_their_meter() -> None:
    """A client whose tags come in random order would fill the memory."""
    registry = new_registry()
    tags = [f"k{i}=v" for i in range(5)]
    for order in itertools.permutations(tags):
        registry.receive(f"c:n,{','.join(order)}:1".encode(), T0)
    assert len(registry) == 1
    assert samples(registry.flush(T0 + 1_000))[-1] == (1, 120.0)
    registry.flush(T0 + 3_600_000)
    assert len(registry) == 0
    registry.receive(f"c:n,{','.join(tags)}:1".encode(), T0 + 3_600_000)
    assert samples(registry.flush(T0 + 3_601_000))[-1] == (3_601, 1.0)
