"""What a page means: lines, types, times, exemplars, and what is wrong with it."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.errors import DecodeError, TooLargeError
from collectors.receivers.prometheus.exposition.parser import ExpositionParser
from collectors.receivers.prometheus.exposition.words import NO_TIME_MS

Sample = tuple[str, dict[str, str], str, float, int | None]


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
            None if time_ms == NO_TIME_MS else int(time_ms),
        )
        for i, value, time_ms in zip(page.series, page.value, page.time_ms, strict=True)
    ]


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a 1", ("a", {}, 1.0, None)),
        (b"a:b_c 1e3", ("a:b_c", {}, 1_000.0, None)),
        (b"  a\t 1 ", ("a", {}, 1.0, None)),
        (b"a\t1", ("a", {}, 1.0, None)),
        (b"a 1\r", ("a", {}, 1.0, None)),
        (b"a 1 1700000000000", ("a", {}, 1.0, 1_700_000_000_000)),
        (b"a 1 -5", ("a", {}, 1.0, -5)),
        (b"a{} 1", ("a", {}, 1.0, None)),
        (b'a{x="y"} 1', ("a", {"x": "y"}, 1.0, None)),
        (b'a{x="y",} 1', ("a", {"x": "y"}, 1.0, None)),
        (b'a { x = "y" , z="w" } 1 2', ("a", {"x": "y", "z": "w"}, 1.0, 2)),
        (b'a{x="sp ace }, \\"q\\" \\\\ \\n"} 1', ("a", {"x": 'sp ace }, "q" \\ \n'}, 1.0, None)),
        (b'a{x=""} 1', ("a", {"x": ""}, 1.0, None)),
        ("a{x=\"süß\"} 1".encode(), ("a", {"x": "süß"}, 1.0, None)),
        (b'{"my.metric",x="y"} 1', ("my.metric", {"x": "y"}, 1.0, None)),
        (b'a{"x.y"="z"} 1', ("a", {"x.y": "z"}, 1.0, None)),
        (b"a +Inf", ("a", {}, math.inf, None)),
        (b"a -inf", ("a", {}, -math.inf, None)),
        (b"a Infinity", ("a", {}, math.inf, None)),
        (b"a .5", ("a", {}, 0.5, None)),
        (b"a 5.", ("a", {}, 5.0, None)),
        (b"a +1.5E-3", ("a", {}, 0.0015, None)),
        (b"a  1", ("a", {}, 1.0, None)),
        (b"a\t \t1\t\t5", ("a", {}, 1.0, 5)),
        (b"a 1 -1", ("a", {}, 1.0, -1)),
        (b"a 1  5 ", ("a", {}, 1.0, 5)),
        (b"a 1 9223372036854775807", ("a", {}, 1.0, 9_223_372_036_854_775_807)),
        (b"a 1 1700000000000000000", ("a", {}, 1.0, 1_700_000_000_000_000_000)),
        (b'a{x="y"}1', ("a", {"x": "y"}, 1.0, None)),
        (b"a+1", ("a", {}, 1.0, None)),
        (b'a{x="y" z="w"} 1', ("a", {"x": "y", "z": "w"}, 1.0, None)),
        (b'{x="y","a.b"} 1', ("a.b", {"x": "y"}, 1.0, None)),
        (b'{"q\\"uote \\\\ \\n"} 1', ('q"uote \\ \n', {}, 1.0, None)),
        (b'a{x="\\t\\q"} 1', ("a", {"x": r"\t\q"}, 1.0, None)),
        (b'a{x="# {y} 1 # 2"} 5', ("a", {"x": "# {y} 1 # 2"}, 5.0, None)),
        (b'a{x="y 1"} 5 6', ("a", {"x": "y 1"}, 5.0, 6)),
    ],
)  # fmt: skip
def test_lines(line: bytes, expected: tuple[object, ...], times: int) -> None:
    """A line of a page would be read as another name, value or time."""
    (found,) = samples(line + b"\n", times=times)
    assert (found[0], found[1], found[3], found[4]) == expected


@pytest.mark.parametrize("text", [b"NaN", b"nan", b"NAN", b"-nan", b"+NaN"])
@pytest.mark.parametrize("times", [1, 2])
def test_nan_is_read(text: bytes, times: int) -> None:
    """C writes a sign before a NaN; a page is not lost over it."""
    assert math.isnan(samples(b"a " + text + b"\n", times=times)[0][3])


def test_aligned_numbers() -> None:
    """A number that gets narrower moves away from its series."""
    parser = ExpositionParser()
    for value in (100.25, 99.75, 5.0, -273.15):
        page = parser.parse(b"room_temp %8.2f\nqueue %3d\nok 1\n" % (value, value), False)
        assert page.value.tolist() == [value, int(value), 1.0]
    assert len(parser.series) == 3


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
        ("unknown_total", "counter"),
    ]


@pytest.mark.parametrize(
    ("page", "kinds"),
    [
        # A federated page gives every series as untyped; what the name says is all there is.
        (b"# TYPE a_total untyped\na_total 1\n", ["counter"]),
        (b"# TYPE a_bucket untyped\na_bucket{le=\"1\"} 1\n", ["counter"]),
        (b"# TYPE job:a:rate5m untyped\njob:a:rate5m 1\n", ["gauge"]),
        (b"a_count 1\na_sum 2\na 3\n", ["counter", "counter", "gauge"]),
        (b"# TYPE a_total gauge\na_total 1\n", ["gauge"]),
        (b"# TYPE a gauge\na_total 1\n", ["counter"]),
        (b"# TYPE a_created counter\na_created 1\n", ["counter"]),
        # Types hold for the whole page, and words in capitals are types.
        (b"a 1\n# TYPE a counter\n", ["counter"]),
        (b"# TYPE a Counter\na 1\n", ["counter"]),
        (b'# TYPE "a.b" counter\n{"a.b"} 1\n', ["counter"]),
        (b"#\tTYPE\ta\tcounter\na 1\n", ["counter"]),
        # Of two types the first counts.
        (b"# TYPE a counter\na 1\n# TYPE a gauge\na{x=\"y\"} 1\n", ["counter", "counter"]),
        (b"# TYPE a guage\na 1\n", ["gauge"]),
        (b"# TYPE a\na 1\n", ["gauge"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("times", [1, 2, 3])
def test_kinds(page: bytes, kinds: list[str], times: int) -> None:
    """A counter taken for a gauge has no rate, a gauge taken for a counter no sense."""
    assert [kind for _, _, kind, _, _ in samples(page, times=times)] == kinds


@pytest.mark.parametrize(
    ("page", "reasons"),
    [
        (b"# TYPE a guage\na 1\n", ["invalidType"]),
        (b"# TYPE\na 1\n", ["invalidType"]),
        (b"# TYPE a counter\n# TYPE a counter\n", []),
        (b"# TYPE a counter\n# TYPE a gauge\n", ["contradictingType"]),
    ],
)
def test_types_that_are_wrong_are_told(page: bytes, reasons: list[str]) -> None:
    """They cost themselves alone, each time."""
    parser = ExpositionParser()
    for _ in range(3):
        assert [told.reason for told in parser.parse(page, False).warnings] == reasons


@pytest.mark.parametrize("before", [b"# TYPE a counter\na 1\nb 1\n", b"a_total 1\na 1\nb 1\n"])
def test_a_changed_type_is_noticed(before: bytes) -> None:
    """Series of other metrics go on as they were."""
    parser = ExpositionParser()
    first = parser.parse(before, openmetrics=False)
    page = parser.parse(b"# TYPE a gauge\n# TYPE a_total gauge\na 1\na_total 1\nb 1\n", False)
    assert [parser.series[i].kind for i in page.series] == ["gauge", "gauge", "gauge"]
    assert page.series[2] == first.series[-1]
    again = parser.parse(b"a 1\n", openmetrics=False)
    assert parser.series[again.series[0]].kind == "gauge"


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
        ("requests_created", "gauge", None),
        ("latency_bucket", "counter", None),
        ("state", "gauge", None),
    ]
    parser = ExpositionParser()
    (first, one), (second, two) = parser.parse(OPEN, openmetrics=True).exemplars
    assert (parser.series[first].name, one.labels["trace_id"]) == ("requests_total", "abc")
    assert (one.value, one.time_ms) == (0.25, 1_700_000_000_000)
    assert (parser.series[second].name, two.value, two.time_ms) == (
        "latency_bucket",
        9.0,
        NO_TIME_MS,
    )


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
        (b"a 1e999", False),
        (b"a -", False),
        (b"a 1 9223372036854775808", False),
        (b"a 1\x0b", False),
        ("a\u00a01".encode(), False),
        (b"a 1\r5", False),
        (b'{"a"b="c"} 1', False),
        (b'{"",x="y"} 1', False),
        (b'a{""="y"} 1', False),
        (b'a{x="y",,} 1', False),
        (b'a{__name__="b"} 1', False),
        (b'a{x="y" z="w"} 1\n# EOF', True),
        (b"a 1\n", True),
        (b"a 1\n# EOF\nb 1\n# EOF", True),
        (b"\n# EOF", True),
        (b"# just talk\n# EOF", True),
        (b"a 1 NaN\n# EOF", True),
        (b"a {count:1,bucket:[+Inf:1]}\n# EOF", True),
        (b"a {count:1,sum:2}\n# EOF", True),
        (b"a {count:1,sum:2,colour:3}\n# EOF", True),
        (b"a {count:1,count:1,sum:2,bucket:[+Inf:1]}\n# EOF", True),
        (b"a {count:1,sum:2,bucket:[x:1]}\n# EOF", True),
        (b"a {count:1,sum:2,bucket:1}\n# EOF", True),
        (b'a{le="1"} {count:1,sum:2,bucket:[+Inf:1]}\n# EOF', True),
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


@pytest.mark.parametrize(
    ("exemplar", "times_ms"),
    [
        (b'# {t="1"} 2', [NO_TIME_MS]),
        (b'# {t="1"} 2 3.5', [3_500]),
        (b'# {} 2 # {t="# {"} NaN 1', [NO_TIME_MS, 1_000]),
        (b"# {} 1 2 3", []),
        (b'# {t="1} 2', []),
        (b'# {"t"} 2', []),
        (b'# {t="1"}', []),
        (b'# {t="1"} 2 # {t="' + b"x" * 130 + b'"} 1', [NO_TIME_MS]),
    ],
)
@pytest.mark.parametrize("before", [b"", b"a 1\n"])
def test_exemplars(exemplar: bytes, times_ms: list[int], before: bytes) -> None:
    """A wrong one costs itself alone, and is told; the sample before it is right."""
    parser = ExpositionParser()
    page = parser.parse(before + b"a 1 5 " + exemplar + b"\n# EOF\n", True)
    assert page.time_ms[-1] == 5_000
    assert [found.time_ms for _, found in page.exemplars] == times_ms
    wrong = exemplar.count(b"# {") - exemplar.count(b'"# {"') - len(times_ms)
    assert [told.reason for told in page.rejections] == ["invalidExemplar"] * wrong


@pytest.mark.parametrize(
    ("seconds", "time_ms"),
    [
        (b"1700000000.541", 1_700_000_000_541),
        (b"1.7e9", 1_700_000_000_000),
        (b"-0.001", -1),
        (b"1e40", 2**63 - 1),
        (b"1" * 100, 2**63 - 1),
    ],
)
@pytest.mark.parametrize("before", [b"", b"a 1\n"])
def test_openmetrics_times(seconds: bytes, time_ms: int, before: bytes) -> None:
    """To the millisecond that was written; absurd ones are for the store to refuse."""
    page = ExpositionParser().parse(before + b"a 1 " + seconds + b"\n# EOF\n", True)
    assert page.time_ms[-1] == time_ms


COMPOSITE = b"""# TYPE lat histogram
lat{a="b"} {count:4,sum:2.5,bucket:[0.1:1,+Inf:4]} 10 st@5 # {trace_id="x"} 0.2 9
# TYPE size summary
size {count:4,sum:2.5,quantile:[0.5:1]}
# TYPE now gaugehistogram
now {gcount:4,gsum:2.5,bucket:[+Inf:4]}
# TYPE native histogram
native {count:4,sum:2.5,schema:0,zero_threshold:0.1,zero_count:1,positive_spans:[0:1]}
# EOF
"""


@pytest.mark.parametrize("times", [1, 2])
def test_composite_values(times: int) -> None:
    """A histogram in one value is read as the samples that it stands for."""
    found = samples(COMPOSITE, openmetrics=True, times=times)
    assert [(name, labels, kind, value) for name, labels, kind, value, _ in found] == [
        ("lat_count", {"a": "b"}, "counter", 4.0),
        ("lat_sum", {"a": "b"}, "counter", 2.5),
        ("lat_bucket", {"a": "b", "le": "0.1"}, "counter", 1.0),
        ("lat_bucket", {"a": "b", "le": "+Inf"}, "counter", 4.0),
        ("size_count", {}, "counter", 4.0),
        ("size_sum", {}, "counter", 2.5),
        ("size", {"quantile": "0.5"}, "gauge", 1.0),
        ("now_gcount", {}, "gauge", 4.0),
        ("now_gsum", {}, "gauge", 2.5),
        ("now_bucket", {"le": "+Inf"}, "gauge", 4.0),
        ("native_count", {}, "counter", 4.0),
        ("native_sum", {}, "counter", 2.5),
        ("native_bucket", {"le": "+Inf"}, "counter", 4.0),
    ]
    page = ExpositionParser().parse(COMPOSITE, openmetrics=True)
    assert set(page.time_ms[:4]) == {10_000}
    assert set(page.start_ms[:4]) == {5_000}
    assert [told.reason for told in page.rejections] == ["nativeBuckets"]


def test_errors_say_which_line() -> None:
    """A person has to find it among thousands."""
    parser = ExpositionParser()
    for _ in range(2):
        with pytest.raises(DecodeError, match=r"line 3: .*'broken here 3 4'"):
            parser.parse(b"# TYPE good gauge\ngood 1\nbroken here 3 4\ngood 2\n", False)
        parser.parse(b"# TYPE good gauge\ngood 1\n", False)


def test_a_page_that_fails_leaves_nothing_behind() -> None:
    """Or a target that never has a right page would fill the memory."""
    parser = ExpositionParser()
    parser.parse(b"a 1\n", False)
    for i in range(50):
        with pytest.raises(DecodeError):
            parser.parse(b"# TYPE a counter\nnew_%d 1\nwrong\n" % i, False)
    assert len(parser.series) == 1
    page = parser.parse(b"a 2\nb 1\n", False)
    assert [parser.series[i].kind for i in page.series] == ["gauge", "gauge"]


def test_names_that_come_and_go_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with ever new names, or ways to write them, would fill the memory."""
    where = "collectors.receivers.prometheus.exposition.memory"
    monkeypatch.setattr(f"{where}.MAX_TYPES", 10)
    monkeypatch.setattr(f"{where}.MAX_SPARE_STARTS", 20)
    parser = ExpositionParser()
    for scrape in range(50):
        passing = b"".join(b"# TYPE gone_%d_%d gauge\n" % (scrape, i) for i in range(4))
        help_text = b"# HELP hits word%d and another\n" % scrape
        blanks = b" " * (scrape + 1)
        page = parser.parse(
            passing + help_text + b"# TYPE hits counter\nhits" + blanks + b"5\n", False
        )
        assert page.value.tolist() == [5.0]
        assert parser.series[0].kind == "counter"
        assert len(parser._memory.starts) < 40
    assert len(parser.series) == 1
    with pytest.raises(TooLargeError, match="more than 10 TYPE lines"):
        parser.parse(b"".join(b"# TYPE many_%d gauge\n" % i for i in range(30)), False)
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
