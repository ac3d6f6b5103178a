"""The tokens that are still to be read, and complaints about the next of them."""

from __future__ import annotations

from typing import NoReturn

from collectors.promql.language.tokens import (
    END,
    NAME,
    SIGN,
    STRING,
    Token,
    syntax_error,
    tokens_of,
    unquote,
)


class TokenStream:
    """A text, token for token.

    Args:
        text: An expression.

    Raises:
        PromqlSyntaxError: It has something that is no token.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens_of(text)
        self._at = 0

    @property
    def next(self) -> Token:
        """The next token."""
        return self._tokens[self._at]

    @property
    def last_end(self) -> int:
        """Where the token that was read last ends."""
        return self._tokens[self._at - 1].end if self._at else 0

    def ahead(self, count: int) -> Token:
        """Return the token ``count`` places after the next."""
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Read a token."""
        token = self.next
        if token.kind != END:
            self._at += 1
        return token

    def sees(self, *signs: str) -> bool:
        """Return whether the next token is one of these signs."""
        return self.next.kind == SIGN and self.next.text in signs

    def sees_word(self, *words: str) -> bool:
        """Return whether the next token is one of these words, in whatever case."""
        return self.next.kind == NAME and self.next.text.lower() in words

    def accept(self, sign: str) -> bool:
        """Read a sign if it is the next token; return whether it was."""
        if self.sees(sign):
            self.take()
            return True
        return False

    def accept_word(self, word: str) -> bool:
        """Read a word if it is the next token; return whether it was."""
        if self.sees_word(word):
            self.take()
            return True
        return False

    def expect(self, sign: str, where: str) -> Token:
        """Read a sign that must come now."""
        if not self.sees(sign):
            self.unexpected(where, f'"{sign}"')
        return self.take()

    def string(self, where: str) -> str:
        """Read a string that must come now; return what it says."""
        if self.next.kind != STRING:
            self.unexpected(where, "string")
        return unquote(self.text, self.take())

    def fail(self, offset: int, message: str) -> NoReturn:
        """Complain of what stands at an offset."""
        raise syntax_error(self.text, offset, message)

    def unexpected(self, where: str, expected: str = "") -> NoReturn:
        """Complain of the next token."""
        token = self.next
        what = f'"{token.text}"' if token.kind == SIGN else f'{token.kind} "{token.text}"'
        if token.kind == END:
            what = "end of input"
        elif token.kind == STRING:
            what = f"string {token.text}"
        elif token.kind == NAME:
            what = f'identifier "{token.text}"'
        hint = f", expected {expected}" if expected else ""
        self.fail(token.start, f"unexpected {what} in {where}{hint}")
