"""``tocsin serve`` as a process: addresses, real clients, bad input, kill -9, the docs' curl."""

import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

pytestmark = [pytest.mark.processes, pytest.mark.slow]
DOCS = Path(__file__).parents[2] / "docs"
PORTS = ("API", "OTLP_HTTP", "OTLP_GRPC", "SPECTATOR")


class Server:
    """A running server and its addresses."""

    def __init__(self, directory: Path, **environment: str) -> None:
        ports = {f"TOCSIN_{name}_PORT": "0" for name in PORTS}
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tocsin", "serve", "--json"],
            env={**inherited, **ports, "TOCSIN_DATA_DIR": str(directory), **environment},
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addresses: dict[str, str] = {}
        self.complaint = ""

    def wait(self) -> None:
        """Return once the addresses are announced."""
        assert self.process.stdout is not None
        self.addresses = orjson.loads(self.process.stdout.readline())

    def get(self, path: str) -> Any:
        """Return the JSON that the API answers."""
        return httpx2.get(self.addresses["api"] + path, trust_env=False, timeout=10).json()


@contextmanager
def server(directory: Path, **environment: str) -> Iterator[Server]:
    """Start a server; it is gone afterwards."""
    running = Server(directory, **environment)
    try:
        running.wait()
        yield running
    finally:
        running.process.terminate()
        running.complaint = running.process.communicate(timeout=30)[1].decode()


def eventually(reached: Callable[[], bool], timeout_s: float = 30) -> None:
    """Poll until ``reached``; fail after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not reached():  # every look is an HTTP request, so this does not spin
        assert time.monotonic() < deadline, "not reached in time"


def publish(running: Server, name: str, value: float) -> int:
    """Publish one gauge now and return the status."""
    body = {
        "metrics": [
            {
                "tags": {"name": name, "atlas.dstype": "gauge"},
                "timestamp": time.time_ns() // 1_000_000,
                "value": value,
            }
        ]
    }
    url = running.addresses["api"] + "/api/v1/publish"
    return httpx2.post(url, json=body, trust_env=False).status_code


def total(running: Server, name: str) -> float:
    """Return the largest value of a metric within the last minutes; NaN when there is none."""
    graph = running.get(f"/api/v1/graph?q=name,{name},:eq,:max&s=e-5m&e=now%2B1m&format=std.json")
    values = [float(v) for row in graph["values"] for v in row]
    return max((v for v in values if v == v), default=float("nan"))


def log(running: Server, text: str) -> None:
    """Export one log record by the official exporter."""
    provider = LoggerProvider(Resource.create({"service.name": "shop"}))
    exporter = OTLPLogExporter(running.addresses["otlp_http"] + "/v1/logs")
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("t").emit(timestamp=time.time_ns(), severity_text="ERROR", body=text)
    provider.shutdown()


def test_what_was_acknowledged_survives_kill_nine(tmp_path: Path) -> None:
    """What was answered 200 is there again after kill -9 and a restart on the same directory."""
    with server(tmp_path) as first:
        assert publish(first, "survivor", 42.0) == 200
        log(first, "no stock left")
        assert len(first.get("/api/v1/logs?text=stock")["lines"]) == 1
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()

    with server(tmp_path) as second:
        assert total(second, "survivor") == 42.0
        eventually(lambda: len(second.get("/api/v1/logs?text=stock")["lines"]) == 1)


def test_bad_input_is_refused_and_nothing_else_is_lost(tmp_path: Path) -> None:
    """Junk, bombs and forgeries get a clear error; what is good is still taken afterwards."""
    bomb = gzip.compress(b"\0" * 4_000_000)
    proto = {"Content-Type": "application/x-protobuf"}
    snappy = {"Content-Encoding": "snappy"}
    with server(tmp_path, TOCSIN_MAX_BODY_BYTES="1000000") as running:
        otlp, api = running.addresses["otlp_http"], running.addresses["api"]
        refusals = [
            (f"{otlp}/v1/metrics", b"\xff\xff\xff", proto, 400),
            (f"{otlp}/v1/traces", b"\xff\xff\xff", proto, 400),
            (f"{otlp}/v1/traces", bomb, proto | {"Content-Encoding": "gzip"}, 413),
            (f"{otlp}/v1/metrics", b"x" * 2_000_000, proto, 413),
            (f"{otlp}/v1/metrics", b"{}", {"Content-Type": "text/plain"}, 415),
            (f"{api}/api/v1/publish", b"{", {"Content-Type": "application/json"}, 400),
            (f"{api}/api/v1/write", b"junk", proto | snappy, 400),
            (f"{api}/api/v1/write", b"junk", {"Content-Type": "text/plain"}, 415),
            (f"{api}/slack/interactions", b"payload={}", {"X-Slack-Signature": "v0=0"}, 401),
        ]
        for url, body, headers, status in refusals:
            answer = httpx2.post(url, content=body, headers=headers, trust_env=False)
            assert (url, answer.status_code) == (url, status)
            assert answer.content
        host, port = running.addresses["spectator"].removeprefix("udp://").split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(b"not a line\n\xff\xfe\nc:good.lines:1", (host, int(port)))
        assert publish(running, "afterwards", 7.0) == 200
        assert total(running, "afterwards") == 7.0
        eventually(lambda: "good.lines" in running.get("/api/v1/tags/name"))
        assert running.process.poll() is None


def test_an_official_exporter_is_heard(tmp_path: Path) -> None:
    """OpenTelemetry's own metric exporter reaches a graph, resource attributes as tags."""
    with server(tmp_path, TOCSIN_STEP="1s") as running:
        exporter = OTLPMetricExporter(endpoint=running.addresses["otlp_http"] + "/v1/metrics")
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=200)
        resource = Resource.create({"service.name": "checkout"})
        provider = MeterProvider([reader], resource=resource)
        orders = provider.get_meter("shop").create_counter("orders")
        orders.add(3, {"country": "nz"})
        provider.force_flush()
        path = "/api/v1/tags/country?q=service.name,checkout,:eq"
        eventually(lambda: running.get(path) == ["nz"])
        provider.shutdown()


def test_doctor_knows_a_running_tocsin_and_asks_it(tmp_path: Path) -> None:
    """The ports are tocsin's own, and whoever sends is shown with what was refused of it."""
    doctor = [sys.executable, "-m", "tocsin", "doctor", "--json"]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}
    environment = {**inherited, "TOCSIN_DATA_DIR": str(tmp_path / "other")}
    with server(tmp_path) as running:
        refused = httpx2.post(running.addresses["otlp_http"] + "/v1/metrics", trust_env=False)
        assert refused.status_code == 415
        port = running.addresses["api"].rpartition(":")[2]
        here = subprocess.run(
            [*doctor, "--api-port", port], env=environment, capture_output=True, check=False
        )
        url = running.addresses["api"]
        live = subprocess.run(
            [*doctor, "--live", "--api-url", url], env=environment, capture_output=True, check=False
        )
        pid = running.process.pid
    gone = subprocess.run(
        [*doctor, "--live", "--api-url", url], env=environment, capture_output=True, check=False
    )

    own = {one["name"]: one for one in orjson.loads(here.stdout)["checks"]}["api_port"]
    assert (own["health"], own["detail"]) == (
        "fine",
        f"{port} is tocsin's own: process {pid} is running",
    )
    checks = {one["name"]: one for one in orjson.loads(live.stdout)["checks"]}
    assert checks["server"]["health"] == "fine"
    assert "refused 1, UnsupportedError: content type" in checks["from 127.0.0.1"]["detail"]
    assert live.returncode == 0
    (away,) = orjson.loads(gone.stdout)["checks"]
    assert (gone.returncode, away["health"]) == (3, "problem")


def test_a_busy_port_ends_with_a_clear_error(tmp_path: Path) -> None:
    """Exit code 2; the message names the setting."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        running = Server(tmp_path, TOCSIN_API_PORT=port)
        said, complaint = running.process.communicate(timeout=60)

    assert running.process.returncode == 2
    assert f"TOCSIN_API_PORT = {port}" in str(orjson.loads(said))
    assert "Traceback" not in complaint.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_how_tos_curl_works(tmp_path: Path) -> None:
    """The command that the documentation shows is answered 200."""
    page = (DOCS / "how-to" / "point-your-services-here.md").read_text()
    commands = [c for c in re.findall(r"```bash\n(.*?)```", page, re.DOTALL) if "curl" in c]
    assert commands
    with server(tmp_path) as running:
        for command in commands:
            local = command.replace("http://127.0.0.1:7101", running.addresses["api"])
            loud = local.replace("curl -s", "curl -s --noproxy '*' -o /dev/null -w '%{http_code}'")
            done = subprocess.run(["bash", "-c", loud], capture_output=True, text=True, check=True)
            assert done.stdout == "200"


def test_ctrl_c_ends_it_within_three_seconds(tmp_path: Path) -> None:
    """An idle connection and a body that never ends must not keep a terminal, or a deployment.

    A slow machine is measured first, by an end that nobody holds up: that takes a second at most
    where the three are promised.
    """
    for name in ("quiet", "held"):
        (tmp_path / name).mkdir()
    with server(tmp_path / "quiet") as quiet:
        began = time.monotonic()
        quiet.process.send_signal(signal.SIGINT)
        assert quiet.process.wait(timeout=20) == 0
    slowness = max(1.0, time.monotonic() - began)
    with server(tmp_path / "held") as running:
        host, _, port = running.addresses["api"].removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
            assert b"200 OK" in idle.recv(65_536)
            with socket.create_connection((host, int(port))) as stuck:
                stuck.sendall(
                    b"POST /api/v1/publish HTTP/1.1\r\nHost: here\r\n"
                    b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
                )
                began = time.monotonic()
                running.process.send_signal(signal.SIGINT)
                assert running.process.wait(timeout=20) == 0
    assert time.monotonic() - began <= 3 * slowness


def test_every_printed_address_answers_a_person(tmp_path: Path) -> None:
    """Who opens what was printed must not stand before a 404."""
    with server(tmp_path) as running:
        for name in ("api", "otlp_http"):
            front = httpx2.get(running.addresses[name] + "/", trust_env=False)
            assert (name, front.status_code) == (name, 200)
            assert len(front.text) > 50
