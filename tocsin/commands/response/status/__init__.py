"""``tocsin status``: the status page, what is published on it, and who is told."""

from tocsin.commands.response.status.page import command

__all__ = ["command"]
