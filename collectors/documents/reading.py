"""Files into models; the mistakes of all files together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from collectors.documents.composing import Bounds, Composed, compose
from collectors.documents.nodes import Items, Node, Place
from collectors.documents.section import PLAIN, Context, Section, errors_of
from collectors.errors import DocumentError, DocumentErrors

Result = TypeVar("Result")
Instead = TypeVar("Instead")
Model = TypeVar("Model", bound=Section)

SUFFIXES = (".yaml", ".yml", ".json")
_BOUNDS = Bounds()


class Mistakes:
    """Gathers mistakes, so that the first one hides no other."""

    def __init__(self, errors: Sequence[DocumentError] = ()) -> None:
        self.errors = list(errors)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what is raised inside and go on after it."""
        try:
            yield
        except DocumentError as error:
            self.errors.extend(error.each())

    def attempt(self, read: Callable[[], Result], instead: Instead) -> Result | Instead:
        """Return what ``read`` returns, or ``instead`` when it raises mistakes, which are kept."""
        with self.kept():
            return read()
        return instead

    def raise_any(self) -> None:
        """Raise what was gathered.

        Raises:
            DocumentError: The only mistake, or all as :class:`DocumentErrors`.
        """
        if self.errors:
            raise as_one(self.errors)


def load_section(
    path: Path,
    model: type[Model],
    context: Context = PLAIN,
    *,
    environment: Mapping[str, str] | None = None,
) -> Model:
    """Read a file that holds one document.

    Args:
        path: The YAML or JSON file.
        model: Its shape.
        context: What validation may want to know beyond the document.
        environment: Where ``${NAME}`` is looked up; None leaves such texts as they are.

    Raises:
        DocumentError: All mistakes, each a ``DocumentError`` with file, line and field.
    """
    composed = compose(text_of(path), str(path), environment=environment)
    if len(composed.nodes) != 1:
        message = "holds several documents: keep one" if composed.nodes else "is empty"
        raise Place(file=str(path), line=1).error(message)
    return read_all(composed, lambda node: validated(node, model, context))[0]


def files_of(directory: Path) -> list[Path]:
    """Return the documents' files in a directory, in order; none if it does not exist."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.suffix in SUFFIXES)


def text_of(path: Path, bounds: Bounds = _BOUNDS) -> str:
    """Return the text of a file that is not too large.

    Raises:
        DocumentError: It can't be read, is too large or is not UTF-8.
    """
    most = 4 * bounds.max_characters
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise _unreadable(path, f"is larger than {most} bytes: split the file")
        return content.decode("utf-8")
    except OSError as error:
        raise _unreadable(path, f"can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"can't be read as UTF-8 text: {error.reason}") from error


def read_all(composed: Composed, read: Callable[[Node], Result]) -> list[Result]:
    """Return what ``read`` makes of each document.

    Raises:
        DocumentError: All mistakes of the text and of every document.
    """
    mistakes = Mistakes()
    results: list[Result] = []
    for node in composed.nodes:
        with mistakes.kept():
            results.append(read(node))
    wrong_text = {(error.line, error.field) for error in composed.errors}
    others = [error for error in mistakes.errors if (error.line, error.field) not in wrong_text]
    Mistakes([*composed.errors, *others]).raise_any()
    return results


def flattened(composed: Composed) -> Composed:
    """Return each item of a list at the top as a document of its own."""
    nodes = [
        below for node in composed.nodes for below in (node if isinstance(node, Items) else [node])
    ]
    return Composed(nodes=nodes, errors=composed.errors)


def validated(node: Node, model: type[Model], context: Context = PLAIN) -> Model:
    """Return a document as ``model``.

    Raises:
        DocumentError: All its mistakes.
    """
    try:
        return model.model_validate(node, context=context)
    except ValidationError as error:
        raise as_one(errors_of(error)) from None


def as_one(errors: Sequence[DocumentError]) -> DocumentError:
    """Return one or more mistakes as one error."""
    return errors[0] if len(errors) == 1 else DocumentErrors(errors)


def _unreadable(path: Path, message: str) -> DocumentError:
    return DocumentError(message, file=str(path), line=0, field="(file)")
