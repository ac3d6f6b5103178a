"""Writing new files into a configuration directory, never over what is there."""

from __future__ import annotations

from pathlib import Path

from collectors.errors import ConfigError


def write_new(path: Path, text: str) -> bool:
    """Write a file that is not there yet; return whether it was not.

    Raises:
        ConfigError: It can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror or error}") from error
    return True
