"""A first configuration from what a server has seen: recognised, counted, written, never over."""

import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import orjson
import pytest

from collectors.model import Batch, Tags
from dashboards.telemetry.instruments import instrument_of
from tocsin import cli
from tocsin.commands.slo.new import share
from tocsin.configuration.checks import checked_configuration
from tocsin.duration import Duration
from tocsin.settings import Settings
from tocsin.starting.availability import availability
from tocsin.starting.current import Current, current
from tocsin.starting.documents import objective, slug
from tocsin.starting.latency import latency
from tocsin.starting.seen import look
from tocsin.testing import LocalTocsin, local_tocsin

OTEL = {"service.name": "shop"}
PROM = {"job": "shop", "instance": "127.0.0.1:8000"}
HTTP = {**OTEL, "name": "http.server.request.duration", "statistic": "count"}
Rows = list[tuple[Tags, float]]


def by(tags: Tags, key: str, rates: dict[str, float]) -> Rows:
    """Return a series for each value of a tag."""
    return [({**tags, key: value}, rate) for value, rate in rates.items()]


# One row a way to tell failures: series with their rates, the metric, the good share.
SIGNALS: list[tuple[Rows, str, float]] = [
    (
        [
            *by(HTTP, "http.response.status_code", {"200": 6, "404": 1, "503": 3}),
            ({**HTTP, "statistic": "totalTime", "http.response.status_code": "200"}, 0.6),
        ],
        "http.server.request.duration",
        0.7,
    ),
    (by(HTTP, "http.response.status_code", {"200": 6}), "http.server.request.duration", 1.0),
    (
        by({**HTTP, "name": "http.server.duration"}, "http.status_code", {"200": 9, "500": 1}),
        "http.server.duration",
        0.9,
    ),
    (
        by(
            {**HTTP, "name": "rpc.server.duration"},
            "rpc.grpc.status_code",
            {"0": 5, "5": 3, "14": 2},
        ),
        "rpc.server.duration",
        0.8,
    ),
    (
        [
            ({**HTTP, "name": "messaging.process.duration"}, 3),
            ({**HTTP, "name": "messaging.process.duration", "error.type": "timeout"}, 1),
        ],
        "messaging.process.duration",
        0.75,
    ),
    (
        [
            ({**PROM, "name": "python_gc_objects_collected_total", "generation": "0"}, 100),
            *by({**PROM, "name": "http_requests_total"}, "code", {"200": 3, "500": 1}),
        ],
        "http_requests_total",
        0.75,
    ),
    (
        by({**PROM, "name": "http_requests_total"}, "status", {"2xx": 4, "5xx": 1}),
        "http_requests_total",
        0.8,
    ),
    (
        by({**PROM, "name": "http_requests_total"}, "status", {"ok": 4, "Error": 1}),
        "http_requests_total",
        0.8,
    ),
    (
        by({**PROM, "name": "http_requests_total"}, "response_code", {"200": 3, "502": 1}),
        "http_requests_total",
        0.75,
    ),
    (
        by(
            {**HTTP, "name": "rpc.server.call.duration"},
            "rpc.response.status_code",
            {"OK": 5, "NOT_FOUND": 3, "UNAVAILABLE": 2},
        ),
        "rpc.server.call.duration",
        0.8,
    ),
    (
        by(
            {**PROM, "name": "grpc_server_handled_total"},
            "grpc_code",
            {"OK": 5, "NotFound": 4, "Internal": 1},
        ),
        "grpc_server_handled_total",
        0.9,
    ),
    (by({**OTEL, "name": "orders"}, "outcome", {"success": 9, "failure": 1}), "orders", 0.9),
    (
        [
            ({**PROM, "name": "orders_total"}, 10),
            ({**PROM, "name": "order_errors_total"}, 2),
            ({**PROM, "name": "process_cpu_seconds_total"}, 1),
        ],
        "orders_total",
        0.8,
    ),
]


def settings(directory: Path) -> Settings:
    """Return settings of a server without rules."""
    return Settings(data_dir=directory / "data", history="off", step=Duration(10_000))


def traffic(rows: Sequence[tuple[Tags, float]]) -> Callable[[int], Batch]:
    """Return steady rates."""

    def at(time_ms: int) -> Batch:
        return Batch(
            series=[{"atlas.dstype": "gauge", **tags} for tags, _ in rows],
            series_index=np.arange(len(rows), dtype=np.int32),
            time_ms=np.full(len(rows), time_ms, dtype=np.int64),
            value=np.array([rate for _, rate in rows], dtype=np.float64),
        )

    return at


@pytest.mark.parametrize(("rows", "metric", "good"), SIGNALS, ids=[row[1] for row in SIGNALS])
def test_failures_are_told_apart_properly(
    rows: Rows, metric: str, good: float, tmp_path: Path
) -> None:
    """A 404 that burnt the budget, or a failure that counted as good, would mislead for months."""
    with local_tocsin(settings(tmp_path)) as tocsin:
        tocsin.run(6, traffic(rows))
        seen = look(tocsin.api, "shop")
        found = availability(tocsin.api, seen)
        assert found is not None
        now = current(tocsin.api, found)
        shown = instrument_of(metric, tocsin.api.metric_tags(f"name,{metric},:eq"))
        if shown is not None and shown.tells_failures:
            drawn = tocsin.api.graph(shown.error_ratio("shop"), start="e-1m")
            bad = [line.values[-1] for line in drawn.lines] or [0.0]
            assert np.nan_to_num(bad) == pytest.approx([1 - good])

    assert found.metric == metric
    assert now.ratio == pytest.approx(good)
    text = objective(seen, found, name="shop", target=Fraction(999, 1000), window="30d")
    (tmp_path / "ops/slos").mkdir(parents=True)
    (tmp_path / "ops/slos/shop.yaml").write_text(text)
    (written,) = checked_configuration(tmp_path / "ops").definitions["slos"]
    assert (written.service, written.target) == ("shop", Fraction(999, 1000))
    assert (written.bad_expr, written.total_expr) == (found.part, found.total)


def timer(buckets: dict[str, float], mean_s: float) -> Rows:
    """Return the series of an OpenTelemetry histogram of times."""
    count = sum(buckets.values())
    return [
        ({**HTTP, "http.response.status_code": "200"}, count),
        ({**HTTP, "statistic": "totalTime", "http.response.status_code": "200"}, count * mean_s),
        *by({**HTTP, "statistic": "percentile"}, "percentile", buckets),
    ]


def test_a_latency_objective_counts_what_is_fast_and_doubts_default_buckets(tmp_path: Path) -> None:
    """Buckets from the SDK's default on seconds give a number that looks like an answer."""
    fine = timer({"T006D": 9.0, "T008D": 1.0}, 0.9)
    wide = timer({"T0080": 5.0, "T008D": 5.0}, 0.012)
    with local_tocsin(settings(tmp_path / "fine")) as tocsin:
        tocsin.run(6, traffic(fine))
        found = latency(tocsin.api, look(tocsin.api, None), 2.0)
        assert found is not None
        assert current(tocsin.api, found).ratio == pytest.approx(0.9, abs=0.01)
        assert found.doubts == ()
    with local_tocsin(settings(tmp_path / "wide")) as tocsin:
        tocsin.run(6, traffic(wide))
        doubted = latency(tocsin.api, look(tocsin.api, None), 2.0)
    assert doubted is not None
    assert "too wide" in doubted.doubts[0]
    assert "explicit_bucket_boundaries_advisory" in doubted.doubts[0]


def test_a_classic_histogram_is_cut_at_the_nearest_bound(tmp_path: Path) -> None:
    """A bound that is not there would match no series: nothing would ever be good."""
    name = "http_request_duration_seconds"
    rows = by({**PROM, "name": f"{name}_bucket"}, "le", {"0.1": 5, "0.5": 9, "+Inf": 10})
    rows.append(({**PROM, "name": f"{name}_count"}, 10))
    with local_tocsin(settings(tmp_path)) as tocsin:
        tocsin.run(6, traffic(rows))
        found = latency(tocsin.api, look(tocsin.api, "shop"), 0.4)
        assert found is not None
        assert current(tocsin.api, found).ratio == pytest.approx(0.9)
    assert "the bound nearest to 400 ms" in found.why


@pytest.fixture(name="tocsin")
def _tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTocsin]:
    """A server that has seen two services, one of them without failures."""
    depot = {**PROM, "job": "depot", "name": "http_requests_total", "code": "200"}
    with local_tocsin(settings(tmp_path)) as running:
        running.run(6, traffic([*SIGNALS[0][0], (depot, 2)]))
        monkeypatch.setenv("TOCSIN_API_URL", running.api.base_url)
        monkeypatch.chdir(tmp_path)
        yield running


Tell = Callable[..., tuple[object, str]]


@pytest.fixture(name="tell")
def _tell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Run the command line; return exit code and everything it printed."""

    def run(*words: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["tocsin", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        told = capsys.readouterr()
        return stop.value.code, told.out + told.err

    return run


def test_init_writes_what_serve_takes_and_never_overwrites(
    tocsin: LocalTocsin, tmp_path: Path, tell: Tell
) -> None:
    """A second run must not undo what somebody has changed in the first one's files."""
    code, said = tell("init", "ops", "--service", "shop")
    assert code == 0
    assert "now 70 %" in said
    found = checked_configuration(tmp_path / "ops")
    assert [o.name for o in found.definitions["slos"]] == ["shop-availability"]
    assert [d.name for d in found.definitions["detectors"]] == ["shop-requests"]

    changed = tmp_path / "ops/slos/shop-availability.yaml"
    changed.write_text(f"# mine\n{changed.read_text()}")
    code, said = tell("init", "ops", "--service", "depot")
    assert code == 0
    assert "routes.yaml is there already and is left alone" in said
    tell("init", "ops", "--service", "shop")
    assert changed.read_text().startswith("# mine\n")
    assert len(checked_configuration(tmp_path / "ops").definitions["slos"]) == 2


def test_slo_new_says_the_present_value_and_leaves_files_alone(
    tocsin: LocalTocsin, tmp_path: Path, tell: Tell
) -> None:
    """Who promises 99.9 % of what stands at 70 % should know before the first page."""
    words = ("slo", "new", "shop", "--config-dir", "ops", "--target", "99.5", "--window", "7d")
    code, said = tell(*words)
    assert code == 0
    assert "now 70 %: 180 of 600 events bad in 1 min, 60 times what 99.5 % allows" in said
    (written,) = checked_configuration(tmp_path / "ops").definitions["slos"]
    assert (written.target, written.period_s) == (Fraction(995, 1000), 7 * 86_400)
    assert tell(*words)[0] == 2

    answer = orjson.loads(tell(*words, "--name", "other", "--json")[1])
    assert answer["file"] == "ops/slos/other.yaml"
    assert answer["now"].startswith("now 70 %")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["slo", "new", "--config-dir", "ops"], "Name one with --service: depot, shop"),
        (["slo", "new", "sop", "--config-dir", "ops"], "no service 'sop' has been seen"),
        (["slo", "new", "shop"], "no configuration directory"),
        (["slo", "new", "depot", "--indicator", "latency", "--print"], "none of depot's metrics"),
        (["slo", "new", "shop", "--print", "--target", "999"], "at least 50 and below 100"),
        (["slo", "new", "shop", "--print", "--window", "soon"], "is not a duration"),
    ],
)
def test_what_is_missing_is_said(
    words: list[str], said: str, tocsin: LocalTocsin, tell: Tell
) -> None:
    """A newcomer's first mistakes end with what to do, not with a file that watches nothing."""
    code, told = tell(*words)
    assert code == 2
    assert said in told


def test_words_of_nothing_and_of_good() -> None:
    """Not measured is never a number."""
    assert "no value yet" in Current(good=0, total=0, measured_s=0).words(0.99)
    assert Current(good=50, total=50, measured_s=60).words(0.99) == (
        "now 100 %: 0 of 50 events bad in 1 min"
    )
    assert share("99.9 %") == Fraction(999, 1000)
    assert slug("Ümläut/Shop") == "ml-ut-shop"
