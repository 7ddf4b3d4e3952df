"""Messages as files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from monitor.channels.letter import Letter, Passing
from monitor.config.models import FileChannel


def write_files(channel: FileChannel, letter: Letter) -> None:
    """``FOLDER/STEM.FORMAT`` and what is attached, each replaced whole, so that nobody ever reads half a digest."""
    contents = {f"{letter.stem}.{form}": letter.render(form).encode() for form in channel.formats}
    contents |= {one.name: one.content for one in letter.attachments()}
    try:
        channel.folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            _replace(channel.folder / name, content, letter.key)
    except OSError as error:
        remedy = f"give the right to write it, free some space, or change channels.{channel.name}.folder"
        raise Passing(f"{channel.folder}: cannot be written ({error.strerror}); {remedy}") from error


def _replace(path: Path, content: bytes, key: str) -> None:
    partial = path.with_name(f".{path.name}.{key[:8]}.part")  # what a crash leaves, the next try takes over
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
