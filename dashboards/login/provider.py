"""What the pages' process is told of a provider of OpenID Connect."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

METADATA_URL = "TOCSIN_OIDC_METADATA_URL"
CLIENT_ID = "TOCSIN_OIDC_CLIENT_ID"
CLIENT_SECRET = "TOCSIN_OIDC_CLIENT_SECRET"  # noqa: S105 - the name of the variable that holds it
DASHBOARD_URL = "TOCSIN_DASHBOARD_URL"
CALLBACK = "/oauth2callback"


def secrets_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what Streamlit has to know of the provider.

    The secret that signs its cookie is made anew by each start, which signs everybody out.
    """
    return {
        "auth": {
            "redirect_uri": environment[DASHBOARD_URL].rstrip("/") + CALLBACK,
            "cookie_secret": secrets.token_urlsafe(32),
            "client_id": environment[CLIENT_ID],
            "client_secret": environment[CLIENT_SECRET],
            "server_metadata_url": environment[METADATA_URL],
        }
    }
