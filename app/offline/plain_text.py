"""Text as an item carries it: entities resolved, one Unicode form, no control characters, single blanks."""

import html
import re
import unicodedata

import polars as pl

CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
"""Unicode category Cc without the characters that are white space."""


def to_plain_text(text: str) -> str:
    """Entities are resolved once: "&amp;amp;" is the text "&amp;"."""
    resolved = CONTROL.sub("", html.unescape(text))
    return " ".join(unicodedata.normalize("NFC", resolved).split())


def to_plain_texts(texts: pl.Series) -> pl.Series:
    """The same for a column; null and what becomes empty are null."""
    return pl.Series(texts.name, [to_plain_text(text or "") or None for text in texts], pl.String)
