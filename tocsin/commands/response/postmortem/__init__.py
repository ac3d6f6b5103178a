"""``tocsin postmortem``: documents, their stages, and action items."""

from tocsin.commands.response.postmortem.documents import command

__all__ = ["command"]
