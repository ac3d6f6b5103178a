"""``tocsin incidents``: another name of ``tocsin incident``, by which it was known first."""

from __future__ import annotations

from tocsin.commands.response.incident import command

__all__ = ["command"]
