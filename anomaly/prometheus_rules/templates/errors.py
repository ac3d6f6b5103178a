"""What is wrong with a template."""

from __future__ import annotations

from collectors.errors import InputError


class TemplateError(InputError):
    """A text is no template, or it can't be filled in."""
