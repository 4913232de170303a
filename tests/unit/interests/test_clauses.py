import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interests.clauses import MAX_CLAUSES, Clauses, read_clauses


@pytest.mark.parametrize(
    ("sentence", "wanted", "unwanted"),
    [
        ("shorter, less crime", ("shorter",), ("crime",)),
        ("slow-burn science fiction, no gore", ("slow-burn science fiction",), ("gore",)),
        ("something light for tonight", ("something light for tonight",), ()),
        ("science fiction without violence or gore", ("science fiction",), ("violence", "gore")),
        ("more comedy but not too silly", ("comedy",), ("silly",)),
        ("less horror and more romance", ("romance",), ("horror",)),
        ("less crime less horror", (), ("crime", "horror")),
        ("rock and roll", ("rock and roll",), ()),
        ("+slow -crime", ("slow",), ("crime",)),
        ("恐怖, -犯罪", ("恐怖",), ("犯罪",)),
        ("drama, drama", ("drama",), ()),
    ],
)
def test_a_sentence_pulls_and_buries(sentence: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> None:
    assert read_clauses(sentence) == Clauses(wanted, unwanted)


@pytest.mark.parametrize("sentence", ["", " ", "...", "no", "less, more", "- +", "!?"])
def test_a_sentence_that_says_nothing_has_no_clauses(sentence: str) -> None:
    assert read_clauses(sentence) == Clauses((), ())


@given(st.text(max_size=300))
def test_any_text_is_read_and_no_clause_is_without_a_letter(sentence: str) -> None:
    clauses = read_clauses(sentence)
    for clause in clauses.wanted + clauses.unwanted:
        assert any(letter.isalnum() for letter in clause)
        assert clause == clause.strip()
    assert len(clauses.wanted) <= MAX_CLAUSES


@given(st.text(alphabet="xyz", min_size=1, max_size=9), st.sampled_from(["less", "no", "without", "not", "-"]))
def test_a_burying_word_buries_whatever_follows(thing: str, word: str) -> None:
    assert read_clauses(f"{word} {thing}") == Clauses((), (thing,))
