"""What holds for every test.

``TOCSIN_EXAMPLES=10`` lets each property test try ten times as many examples as it does by itself.
A property that fails prints its example and a line that brings the failure back.
"""

import os

import pytest
import structlog
from hypothesis import HealthCheck, settings

# How long an example takes says more about what else the machine does than about the example.
settings.register_profile(
    "tocsin", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("tocsin")

# Where Hypothesis keeps what ``@settings`` says of a test: a profile alone would not reach it.
_SETTINGS = "_hypothesis_internal_use_settings"

# As the server logs: a traceback in colours, with all variables, takes seconds of processor time.
_plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _plain])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let property tests try more examples if that is asked for."""
    times = int(os.environ.get("TOCSIN_EXAMPLES", "1"))
    if times == 1:
        return
    for item in items:
        # A state machine has them at its class.
        for owner, name in (
            (getattr(item, "function", None), _SETTINGS),
            (_class(item), "settings"),
        ):
            if isinstance(own := getattr(owner, name, None), settings):
                setattr(owner, name, settings(own, max_examples=times * own.max_examples))


def _class(item: pytest.Item) -> object:
    return getattr(item, "cls", None)
