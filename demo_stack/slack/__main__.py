"""``python -m demo_stack.slack``: a local Slack as its own process."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from demo_stack.slack.app import CHANNELS, slack_app
from demo_stack.slack.server import SlackServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; prints one line of JSON, ``{"url": …}``, when ready."""
    parser = argparse.ArgumentParser(prog="python -m demo_stack.slack", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 takes any free one")
    parser.add_argument("--interactivity-url", default="", help="where button presses are sent")
    parser.add_argument("--signing-secret", required=True, help="signs what is sent there")
    parser.add_argument("--token", required=True, help="the bot token that clients must use")
    parser.add_argument("--app-token", default="", help="lets an app connect in Socket Mode")
    parser.add_argument("--channel", action="append", help="a channel that exists from the start")
    chosen = parser.parse_args(arguments)
    server = SlackServer(
        lambda hangup: slack_app(
            token=chosen.token,
            signing_secret=chosen.signing_secret,
            interactivity_url=chosen.interactivity_url,
            channels=tuple(chosen.channel or CHANNELS),
            hangup=hangup,
            app_token=chosen.app_token,
        ),
        port=chosen.port,
        on_ready=_announce,
    )
    server.run()
    return 0


def _announce(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
