"""The phrases that interests are read as: written from the catalogue itself, never from a user's history."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from app.domain import Item

MIN_ITEMS = 5  # a phrase that fewer items share labels noise
MAX_PHRASES = 300
_STOP_WORDS = frozenset(["and", "des", "for", "from", "les", "the", "with"])  # shorter words are left out anyway


def write_phrases(items: Sequence[Item]) -> tuple[str, ...]:
    """Categories, pairs of categories and decades where the catalogue has them; frequent title words otherwise.

    At most MAX_PHRASES, the most shared first; the same catalogue gives the same list.
    """
    counts: Counter[str] = Counter()
    for item in items:
        counts.update(set(_of_item(item)))
    if sum(count >= MIN_ITEMS for count in counts.values()) < MIN_ITEMS:
        for item in items:
            counts.update(set(_title_words(item.title)))
    common = [(phrase, count) for phrase, count in counts.items() if count >= MIN_ITEMS]
    return tuple(phrase for phrase, _ in sorted(common, key=lambda pair: (-pair[1], pair[0]))[:MAX_PHRASES])


def _of_item(item: Item) -> Iterable[str]:
    yield from item.categories
    decade = _decade(item)
    for place, category in enumerate(item.categories):
        if decade:
            yield f"{category}, {decade}"
        for other in item.categories[place + 1 :]:
            yield f"{category}, {other}"


def _decade(item: Item) -> str | None:
    year = item.properties.get("year")
    return f"{year // 10 * 10}s" if isinstance(year, int) else None


def _title_words(title: str) -> Iterable[str]:
    words = ["".join(letter for letter in word if letter.isalnum()) for word in title.lower().split()]
    told = [word for word in words if len(word) > 2 and word not in _STOP_WORDS and not word.isdigit()]
    yield from told
    yield from (f"{left} {right}" for left, right in pairwise(told))
