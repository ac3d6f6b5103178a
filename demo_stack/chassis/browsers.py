"""What pages of other origins may do: call the platform's public doors (CORS)."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

PREFLIGHT_S = 600


def open_to_browsers(app: ASGIApp) -> ASGIApp:
    """Return an application that a player on any page may call; it costs others nothing."""
    return CORSMiddleware(
        app,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=["x-cache"],
        max_age=PREFLIGHT_S,
    )
