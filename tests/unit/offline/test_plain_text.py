import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.offline.plain_text import to_plain_text, to_plain_texts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("&amp;amp;", "&amp;"),
        ("L&#39;Or&eacute;al", "L'Oréal"),
        ("  a \t b\r\n c\u00a0d ", "a b c d"),
        ("a\x00b\x07c\x85d", "abc d"),
        ("e\u0301", "é"),
        ("Space Quest™", "Space Quest™"),
        ("&nbsp;", ""),
    ],
)
def test_text_is_made_plain(text: str, plain: str) -> None:
    assert to_plain_text(text) == plain


@given(st.text())
def test_plain_text_has_one_form_no_controls_and_single_blanks(text: str) -> None:
    plain = to_plain_text(text)
    assert plain == unicodedata.normalize("NFC", plain)
    assert not any(unicodedata.category(character) == "Cc" for character in plain)
    assert plain == " ".join(plain.split())


def test_what_becomes_empty_is_null() -> None:
    assert to_plain_texts(pl.Series(["a", None, " ", ""])).to_list() == ["a", None, None, None]
