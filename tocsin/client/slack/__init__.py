"""The local Slack server, as its preview page asks it."""
