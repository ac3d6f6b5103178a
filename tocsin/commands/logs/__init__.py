"""``tocsin logs``: search the lines of logs, and follow them as they come."""

from __future__ import annotations

from tocsin.commands.logs.lines import command

__all__ = ["command"]
