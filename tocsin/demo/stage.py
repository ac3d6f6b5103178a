"""Sets the stage: local Slack, tocsin, the platform and the dashboard, in that order."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tocsin.demo.narrator import Narrator
from tocsin.demo.processes import (
    Child,
    Processes,
    wait_for_file,
    wait_for_http,
    wait_for_json_line,
)

_START_TIMEOUT_S = 90.0
_CONTROL_PORT = 7199


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Addresses of everything that runs, and the processes behind them."""

    api_url: str
    dashboard_url: str | None
    slack_url: str | None
    control_url: str
    data_dir: Path
    tocsin: Child

    def urls(self) -> dict[str, str]:
        """Return the addresses a person opens."""
        shown = {"api": self.api_url, "platform": self.control_url}
        if self.dashboard_url:
            shown |= {"war_room": f"{self.dashboard_url}/war_room", "dashboard": self.dashboard_url}
        if self.slack_url:
            shown["slack"] = self.slack_url
        return shown


def free_port(preferred: int = 0) -> int:
    """Return ``preferred`` when it is free, else any free TCP port of loopback."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


def set_stage(
    processes: Processes,
    data_dir: Path,
    narrator: Narrator,
    *,
    quick: bool,
    seed: int,
    dashboard: bool = True,
) -> Stage:
    """Start everything and wait until each part answers; the pages only with ``dashboard``.

    Raises:
        ProcessError: A part did not come up; carries the end of its log.
    """
    secret = secrets.token_hex(16)
    ports = _ports(quick=quick)
    api_url = f"http://127.0.0.1:{ports['api']}"
    dashboard_url = f"http://127.0.0.1:{ports['dashboard']}"
    slack_url, slack = _local_slack(processes, api_url, secret, quick=quick)
    run_dir = data_dir / "platform"
    control_port = free_port(0 if quick else _CONTROL_PORT)
    environment = _tocsin_environment(data_dir, ports, run_dir, dashboard_url, slack)
    # Runbooks act by it; tocsin starts first, so it must be known before it answers.
    environment["DEMO_STACK_CONTROL"] = f"http://127.0.0.1:{control_port}"
    tocsin = processes.start(
        "tocsin", [sys.executable, "-m", "tocsin", "serve", "--json"], **environment
    )
    endpoints = wait_for_json_line(tocsin, _START_TIMEOUT_S)
    narrator.say("starting", f"tocsin answers at {api_url}")
    if dashboard:
        # Before the platform: its start would slow the platform's first requests.
        _dashboard(processes, ports["dashboard"], api_url, slack_url)
    webhook = f"{api_url}/api/v2/changes"
    control_url = _platform(processes, endpoints, run_dir, seed, webhook, control_port)
    narrator.say("starting", f"the platform streams; control at {control_url}")
    return Stage(
        api_url=api_url,
        dashboard_url=dashboard_url if dashboard else None,
        slack_url=slack_url,
        control_url=control_url,
        data_dir=data_dir,
        tocsin=tocsin,
    )


def _dashboard(processes: Processes, port: int, api_url: str, slack_url: str | None) -> None:
    child = processes.start(
        "dashboard",
        [sys.executable, "-m", "tocsin", "dashboard", "--dashboard-port", str(port)],
        TOCSIN_API_URL=api_url,
        **({"TOCSIN_SLACK_PREVIEW_URL": slack_url} if slack_url else {}),
    )
    wait_for_http(child, f"http://127.0.0.1:{port}/_stcore/health", _START_TIMEOUT_S)


def _ports(*, quick: bool) -> dict[str, int]:
    """Usual ports for people who will open pages, any free ones for a quick run."""
    usual = {"api": 7101, "dashboard": 8501, "otlp_http": 4318, "otlp_grpc": 4317}
    return {
        name: int(os.environ.get(f"TOCSIN_{name.upper()}_PORT", "0"))
        or free_port(0 if quick else port)
        for name, port in usual.items()
    }


def _local_slack(
    processes: Processes, api_url: str, secret: str, *, quick: bool
) -> tuple[str | None, Mapping[str, str]]:
    # A rehearsal that answers its own page must never ring real people.
    if os.environ.get("TOCSIN_SLACK_BOT_TOKEN") and not quick:
        return None, {}
    token = f"xoxb-{secrets.token_hex(12)}"
    command = [sys.executable, "-m", "demo_stack.slack", "--port", "0", "--token", token]
    command += ["--interactivity-url", f"{api_url}/slack/interactions", "--signing-secret", secret]
    child = processes.start("slack", command)
    url = str(wait_for_json_line(child, _START_TIMEOUT_S)["url"]).rstrip("/")
    return url, {
        "TOCSIN_SLACK_BOT_TOKEN": token,
        "TOCSIN_SLACK_BASE_URL": f"{url}/api/",
        "TOCSIN_SLACK_SIGNING_SECRET": secret,
        "TOCSIN_SLACK_PREVIEW_URL": url,
    }


def _tocsin_environment(
    data_dir: Path,
    ports: Mapping[str, int],
    run_dir: Path,
    dashboard_url: str,
    slack: Mapping[str, str],
) -> dict[str, str]:
    defaults = {
        "TOCSIN_STEP": "5s",
        "TOCSIN_HOT_WINDOW": "2h",
        "TOCSIN_SPECTATOR_PORT": "0",
        "TOCSIN_CONFIG_DIR": str(files("demo_stack") / "ops"),
    }
    chosen = {name: os.environ.get(name, value) for name, value in defaults.items()}
    return {
        **chosen,
        "TOCSIN_DATA_DIR": str(data_dir / "tocsin"),
        **{f"TOCSIN_{name.upper()}_PORT": str(port) for name, port in ports.items()},
        "TOCSIN_DASHBOARD_URL": dashboard_url,
        "TOCSIN_SCRAPE_TARGETS": str(run_dir / "discovery" / "*.json"),
        **slack,
    }


def _platform(
    processes: Processes,
    endpoints: Mapping[str, object],
    run_dir: Path,
    seed: int,
    changes_webhook: str,
    control_port: int,
) -> str:
    run_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "demo_stack", "up", "--run-dir", str(run_dir)]
    command += ["--otlp-endpoint", str(endpoints["otlp_http"]), "--seed", str(seed)]
    command += ["--spectator", str(endpoints["spectator"]), "--changes-webhook", changes_webhook]
    command += ["--control-port", str(control_port)]
    child = processes.start("platform", command)
    answer = wait_for_file(child, run_dir / "platform.json", _START_TIMEOUT_S)
    return str(answer["control"]).rstrip("/")
