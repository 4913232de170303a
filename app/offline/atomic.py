"""Text files that are either the old ones or the new ones, never half of one."""

import os
import tempfile
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write `text` beside `path` and rename it into place. Makes the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder) / path.name
        written.write_text(text, encoding="utf-8")
        os.replace(written, path)  # noqa: PTH105 - the standard name of the atomic rename
