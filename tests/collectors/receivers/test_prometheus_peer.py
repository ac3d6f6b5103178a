"""A real Prometheus writes its own metrics to the receiver, and both agree on what there is."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from collectors.clock import SystemClock
from collectors.receivers.remote_write import remote_write_routes
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing import serve
from collectors.stacklang.query import AnyOf
from collectors.store.metric_store import MetricStore
from collectors.store.wire.encoder import write_request

PROMETHEUS = shutil.which("prometheus")
RECEIVER = "prometheus.remote_write"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def prometheus(directory: Path, write_url: str) -> Iterator[str]:
    port = free_port()
    config = directory / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"remote_write: [{{url: '{write_url}', queue_config: {{batch_send_deadline: 200ms}}}}]\n"
        "scrape_configs:\n- job_name: self\n  static_configs:\n"
        f"  - targets: ['127.0.0.1:{port}']\n"
    )
    assert PROMETHEUS is not None
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                PROMETHEUS,
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def eventually(check: Callable[[], Any], timeout_s: float = 40) -> Any:
    """Return the first true answer of ``check``."""
    pause = threading.Event()
    for _ in range(int(timeout_s / 0.2)):
        try:
            found = check()
        except httpx2.TransportError:
            found = None
        if found:
            return found
        pause.wait(0.2)
    raise AssertionError(f"nothing within {timeout_s} s")


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed (apt: prometheus)")
@pytest.mark.processes
@pytest.mark.slow
def test_prometheus_and_tocsin_agree(tmp_path: Path) -> None:
    """Every sample that Prometheus says it sent was taken; the names of metrics are the same."""
    stats = ReceiverStats()
    store = MetricStore.open(
        tmp_path / "store", step_ms=1_000, hot_window_ms=600_000, clock=SystemClock()
    )
    store.write_remote(write_request([]))  # compiles or loads the kernels
    app = Starlette(routes=remote_write_routes(store, stats=stats))
    with (
        serve(app) as url,
        prometheus(tmp_path, f"{url}/api/v1/write") as peer,
        httpx2.Client(trust_env=False) as http,
    ):

        def total(name: str) -> float:
            page = http.get(f"{peer}/metrics").text.splitlines()
            lines = [line for line in page if line.startswith(f"{name}{{")]
            return sum(float(line.rpartition(" ")[2]) for line in lines)

        eventually(lambda: stats.accepted(RECEIVER) > 1_500)
        sent = total("prometheus_remote_storage_samples_total")
        assert sent > 1_000
        eventually(lambda: stats.accepted(RECEIVER) >= sent)
        assert total("prometheus_remote_storage_samples_failed_total") == 0
        assert stats.refusals(RECEIVER) == {}
        known = http.get(f"{peer}/api/v1/label/__name__/values").json()["data"]
        theirs = {name.replace(":", "_") for name in known}
        eventually(lambda: theirs <= set(store.values("name", AnyOf())))
        assert set(store.values("name", AnyOf())) - theirs == set()
    store.close()
