"""The reference page of the language, made of what the words say of themselves."""

from __future__ import annotations

from collectors.stacklang.program.word import Vocabulary, Word

_TITLES = {"std": "Stack"}
_INTRODUCTION = """\
# Stack language reference

A program is a list of tokens separated by commas. A token that starts with a colon is a word and is
executed; anything else is put on the stack. `(` and `)` enclose a list, `/* */` a comment, and
`\\u002c` stands for a comma. A query alone means its `:sum`, a number alone a constant line.

Signatures show what a word takes from the stack, deepest first, and what it leaves.
"""


def render_reference(vocabularies: tuple[Vocabulary, ...] | None = None) -> str:
    """Return the reference as Markdown.

    Args:
        vocabularies: What to describe; all of them by default.
    """
    parts = [_INTRODUCTION]
    for vocabulary in vocabularies or _all_vocabularies():
        title = _TITLES.get(vocabulary.name, vocabulary.name.capitalize())
        parts.append(f"## {title} (`{vocabulary.name}`)\n")
        parts.extend(_describe(word) for word in vocabulary.words)
    return "\n".join(parts)


def _all_vocabularies() -> tuple[Vocabulary, ...]:
    from collectors.stacklang.words.vocabularies import vocabularies

    return tuple(vocabularies().values())


def _describe(word: Word) -> str:
    notes = []
    if word.deprecated:
        notes.append("**Deprecated.**")
    if not word.stable:
        notes.append("**Unstable:** needs `features=unstable`.")
    lines = [f"### `:{word.name}`\n", f"`{word.signature.strip()}`\n"]
    lines.append(" ".join([*notes, word.summary]) + "\n")
    lines += [
        f"- `{parameter.name}`: {parameter.summary}"
        for parameter in word.parameters
        if parameter.summary and parameter.name
    ]
    examples = [text for text in word.examples if not text.startswith("ERROR:")]
    if examples:
        shown = "\n".join(f"{text},:{word.name}" if text else f":{word.name}" for text in examples)
        lines.append(f"\n```\n{shown}\n```\n")
    return "\n".join(lines)
