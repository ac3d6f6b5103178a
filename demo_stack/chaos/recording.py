"""Under ``chaos run``: tells the platform's ground truth when an experiment begins and ends.

A control of chaostoolkit's; every experiment names it. Like :mod:`demo_stack.chaos.actions` it
finds the supervisor by ``DEMO_STACK_CONTROL``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2

_TIMEOUT_S = 20.0


def before_experiment_control(context: Mapping[str, Any], **_: object) -> None:
    """Record that the experiment begins."""
    _ask("POST", "/truth", {"title": context["title"]})


def after_experiment_control(context: Mapping[str, Any], **_: object) -> None:
    """Record that the experiment has ended, its rollbacks included."""
    _ask("DELETE", f"/truth/{quote(str(context['title']), safe='')}")


def _ask(method: str, path: str, body: object = None) -> None:
    url = os.environ["DEMO_STACK_CONTROL"].rstrip("/") + path
    with httpx2.Client(trust_env=False, timeout=_TIMEOUT_S) as http:
        http.request(method, url, json=body).raise_for_status()
