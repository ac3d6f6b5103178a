"""Starting the dashboard: its configuration is in force wherever it is started from."""

from __future__ import annotations

import gc

from streamlit import config

from dashboards.serve import configuration, free_port, load


def test_every_option_is_one_that_streamlit_knows() -> None:
    """A misspelt option would be refused at the start."""
    known = config.get_config_options()
    assert [name for name in configuration() if name not in known] == []


def test_the_safe_settings_are_in_force() -> None:
    """Loopback only, nothing reported, no traces of errors, both themes."""
    options = configuration()
    assert options["server.address"] == "127.0.0.1"
    assert options["browser.gatherUsageStats"] is False
    assert options["client.showErrorDetails"] == "none"
    assert {"theme.light.primaryColor", "theme.dark.primaryColor"} <= set(options)


def test_a_free_port_is_a_port() -> None:
    """Port 0 becomes one that can be said to people."""
    assert 1024 <= free_port() <= 65535


def test_what_it_starts_with_is_no_garbage() -> None:
    """Streamlit searches for garbage after each tick: all libraries each time were 80 ms."""
    load()
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 50_000
