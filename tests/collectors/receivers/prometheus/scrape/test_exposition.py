"""Exposition pages: the fast way and the strict way say the same."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.errors import DecodeError, TooLargeError
from collectors.receivers.prometheus.scrape.exposition import ExpositionParser

Sample = tuple[str, dict[str, str], str, float, int]


def samples(page_bytes: bytes, openmetrics: bool = False, times: int = 2) -> list[Sample]:
    """Parse a page ``times`` times, so that the last reading is from memory."""
    parser = ExpositionParser()
    for _ in range(times):
        page = parser.parse(page_bytes, openmetrics)
    return [
        (
            parser.series[i].name,
            parser.series[i].labels,
            parser.series[i].kind.value,
            float(value),
            int(time_ms),
        )
        for i, value, time_ms in zip(page.series, page.value, page.time_ms, strict=True)
    ]


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a 1", ("a", {}, 1.0, -1)),
        (b"a:b_c 1e3", ("a:b_c", {}, 1_000.0, -1)),
        (b"  a\t 1 ", ("a", {}, 1.0, -1)),
        (b"a\t1", ("a", {}, 1.0, -1)),
        (b"a 1\r", ("a", {}, 1.0, -1)),
        (b"a 1 1700000000000", ("a", {}, 1.0, 1_700_000_000_000)),
        (b"a 1 -5", ("a", {}, 1.0, -5)),
        (b"a{} 1", ("a", {}, 1.0, -1)),
        (b'a{x="y"} 1', ("a", {"x": "y"}, 1.0, -1)),
        (b'a{x="y",} 1', ("a", {"x": "y"}, 1.0, -1)),
        (b'a { x = "y" , z="w" } 1 2', ("a", {"x": "y", "z": "w"}, 1.0, 2)),
        (b'a{x="sp ace }, \\"q\\" \\\\ \\n"} 1', ("a", {"x": 'sp ace }, "q" \\ \n'}, 1.0, -1)),
        (b'a{x=""} 1', ("a", {"x": ""}, 1.0, -1)),
        ("a{x=\"süß\"} 1".encode(), ("a", {"x": "süß"}, 1.0, -1)),
        (b'{"my.metric",x="y"} 1', ("my.metric", {"x": "y"}, 1.0, -1)),
        (b'a{"x.y"="z"} 1', ("a", {"x.y": "z"}, 1.0, -1)),
        (b"a +Inf", ("a", {}, math.inf, -1)),
        (b"a -inf", ("a", {}, -math.inf, -1)),
    ],
)  # fmt: skip
def test_lines(line: bytes, expected: tuple[object, ...], times: int) -> None:
    """A line of a page would be read as another name, value or time."""
    (found,) = samples(line + b"\n", times=times)
    assert (found[0], found[1], found[3], found[4]) == expected


def test_nan_is_read() -> None:
    """A value that is not a number would refuse the page."""
    assert math.isnan(samples(b"a NaN\n")[0][3])


TYPED = b"""# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200"} 5
# TYPE temperature gauge
temperature 21
# TYPE latency histogram
latency_bucket{le="1"} 2
latency_sum 3
latency_count 4
# TYPE size summary
size{quantile="0.5"} 1
size_sum 2
size_count 3
# a mere comment
unknown_total 9
"""


@pytest.mark.parametrize("times", [1, 2])
def test_types_give_kinds(times: int) -> None:
    """Counters would be stored as gauges, so that rates are wrong."""
    assert [(name, kind) for name, _, kind, _, _ in samples(TYPED, times=times)] == [
        ("requests_total", "counter"),
        ("temperature", "gauge"),
        ("latency_bucket", "counter"),
        ("latency_sum", "counter"),
        ("latency_count", "counter"),
        ("size", "gauge"),
        ("size_sum", "counter"),
        ("size_count", "counter"),
        ("unknown_total", "gauge"),
    ]


def test_a_changed_type_is_noticed() -> None:
    """A name that became a gauge would go on as a counter."""
    parser = ExpositionParser()
    parser.parse(b"# TYPE a counter\na 1\n", openmetrics=False)
    page = parser.parse(b"# TYPE a gauge\na 1\n", openmetrics=False)
    assert parser.series[page.series[0]].kind == "gauge"


OPEN = b"""# TYPE requests counter
# HELP requests Requests.
# UNIT requests seconds
requests_total{code="200"} 5 1700000000.5 # {trace_id="abc",span_id="def"} 0.25 1700000000
requests_created 1700000000
# TYPE latency histogram
latency_bucket{le="+Inf"} 2 # {trace_id="x"} 9
# TYPE state stateset
state{state="on"} 1
# EOF
"""


@pytest.mark.parametrize("times", [1, 2])
def test_openmetrics(times: int) -> None:
    """Pages in the newer format would be misread, their times above all."""
    found = samples(OPEN, openmetrics=True, times=times)
    assert [(name, kind, time_ms) for name, _, kind, _, time_ms in found] == [
        ("requests_total", "counter", 1_700_000_000_500),
        ("requests_created", "gauge", -1),
        ("latency_bucket", "counter", -1),
        ("state", "gauge", -1),
    ]
    parser = ExpositionParser()
    (first, one), (second, two) = parser.parse(OPEN, openmetrics=True).exemplars
    assert (parser.series[first].name, one.labels["trace_id"]) == ("requests_total", "abc")
    assert (one.value, one.time_ms) == (0.25, 1_700_000_000_000)
    assert (parser.series[second].name, two.value, two.time_ms) == ("latency_bucket", 9.0, -1)


@pytest.mark.parametrize(
    ("page", "openmetrics"),
    [
        (b"a", False),
        (b"a b", False),
        (b"a 1_000", False),
        (b"a 0x1p3", False),
        (b"a 1 2 3", False),
        (b"a 1 2.5", False),
        (b"1a 1", False),
        (b'a{x="y" 1', False),
        (b"a{x=y} 1", False),
        (b"a{x} 1", False),
        (b'a{x="1",x="2"} 1', False),
        (b'a{"b","c"} 1', False),
        (b'{x="y"} 1', False),
        (b'a{x="y"} 1 # {t="1"} 2', False),
        (b'a{x="\xff"} 1', False),
        (b"# TYPE\n", False),
        (b"# TYPE a counter\n# TYPE a gauge\n", False),
        (b"a 1\n", True),
        (b"a 1\n# EOF\nb 1\n# EOF", True),
        (b"\n# EOF", True),
        (b"# just talk\n# EOF", True),
        (b"a 1 # {} 1 2 3\n# EOF", True),
        (b'a 1 # {t="' + b"x" * 130 + b'"} 1\n# EOF', True),
        (b"a 1 1e40\n# EOF", True),
    ],
)
def test_wrong_pages(page: bytes, openmetrics: bool) -> None:
    """A wrong line fails the page, also after a good reading of the line before."""
    parser = ExpositionParser()
    end = b"# EOF\n" if openmetrics else b""
    parser.parse(b"a 1\n" + end, openmetrics)
    with pytest.raises(DecodeError):
        parser.parse(page, openmetrics)
    assert len(parser.parse(b"a 1\n" + end, openmetrics).series) == 1


def test_names_that_come_and_go_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with ever new names would fill the memory."""
    monkeypatch.setattr("collectors.receivers.prometheus.scrape.exposition.MAX_METADATA", 10)
    parser = ExpositionParser()
    for scrape in range(50):
        passing = b"".join(b"# TYPE gone_%d_%d gauge\n" % (scrape, i) for i in range(4))
        page = parser.parse(passing + b"# TYPE hits counter\nhits 5\n", False)
        assert page.value.tolist() == [5.0]
        assert parser.series[0].kind == "counter"
    assert len(parser._known) < 30
    with pytest.raises(TooLargeError, match="more than 10 HELP and TYPE lines"):
        parser.parse(b"".join(b"# HELP many_%d text\n" % i for i in range(30)), False)
    assert len(parser.parse(b"hits 6\n", False).value) == 1


def test_compaction_keeps_what_lives() -> None:
    """After tidying up, values would go to other series."""
    parser = ExpositionParser()
    parser.parse(b"a 1\nb 2\nc 3\n", openmetrics=False)
    page = parser.parse(b"c 3\n", openmetrics=False)
    moved = parser.compact(page.series)
    assert moved.tolist() == [-1, -1, 0]
    again = parser.parse(b"c 4\na 5\n", openmetrics=False)
    assert [parser.series[i].name for i in again.series] == ["c", "a"]
    assert again.value.tolist() == [4.0, 5.0]


_names = st.sampled_from(["a", "b:c", "http_requests_total"])
_labels = st.dictionaries(
    st.sampled_from(["x", "y", "le"]), st.text(max_size=8).filter(lambda t: "\r" not in t)
)
_values = st.floats(allow_nan=False)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(_names, _labels, _values), max_size=12))
def test_what_is_written_is_read(rows: list[tuple[str, dict[str, str], float]]) -> None:
    """Any labels and values come back, cold and warm alike."""
    lines = []
    for name, labels, value in rows:
        parts = []
        for key, text in labels.items():
            escaped = text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
            parts.append(f'{key}="{escaped}"')
        lines.append(f"{name}{{{','.join(parts)}}} {value!r}\n")
    page = "".join(lines).encode("utf-8", "surrogatepass")
    for times in (1, 2):
        found = [(name, labels, value) for name, labels, _, value, _ in samples(page, times=times)]
        assert found == rows


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=120), st.booleans())
def test_any_bytes_are_read_or_refused(junk: bytes, openmetrics: bool) -> None:
    """A target's bytes would be an internal error."""
    parser = ExpositionParser()
    for page in (junk, b'a{b="' + junk, b"# TYPE a " + junk + b"\n# EOF", b"a 1\n" + junk):
        try:
            found = parser.parse(page, openmetrics)
        except DecodeError:
            continue
        assert len(found.series) == len(found.value) == len(found.time_ms)
