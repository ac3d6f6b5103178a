"""What tests of the dashboards need: a small real API with synthetic data, and a browser.

The data are made up, and say so in their titles; no page imports this package.
"""

from dashboards.testing.browser import browser_missing, browser_page, dashboard_process
from dashboards.testing.fake_api import FakeApi
from dashboards.testing.pages import OpenPage, answered, button, charts, open_page, words
from dashboards.testing.synthetic import World

__all__ = [
    "FakeApi",
    "OpenPage",
    "World",
    "answered",
    "browser_missing",
    "browser_page",
    "button",
    "charts",
    "dashboard_process",
    "open_page",
    "words",
]
