"""What operators write, read in one way: every complaint names file, line and field.

What flows in: YAML or JSON text. What flows out: :class:`~collectors.documents.section.Section`
models, or all mistakes of all files at once::

    text ── composing ──▶ nodes with places ── section, values ──▶ models
                                └────────────── reading ─────────▶ errors

A field's type decides what its text means, never the look of the text: ``NO``, ``2026-01-01``,
``1:30`` and ``1.10`` stay what was written wherever text is wanted, and 99.9 is exactly 999/10.
"""
