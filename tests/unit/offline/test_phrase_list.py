from app.domain import Item, ItemId
from app.offline.phrase_list import MAX_PHRASES, MIN_ITEMS, write_phrases


def items(n: int, *categories: str, title: str = "x", year: int | str | None = None) -> list[Item]:
    properties = {} if year is None else {"year": year}
    return [Item(ItemId(f"{title}{i}"), title, categories, properties=properties) for i in range(n)]


MANY_CATEGORIES = [item for number in range(MIN_ITEMS) for item in items(9, f"genre {number}")]


def test_categories_their_pairs_and_decades_are_phrases_the_most_shared_first() -> None:
    catalogue = [*items(6, "crime", "drama", year=1995), *items(5, "drama"), *MANY_CATEGORIES]
    told = [phrase for phrase in write_phrases(catalogue) if "genre" not in phrase]
    assert told == ["drama", "crime", "crime, 1990s", "crime, drama", "drama, 1990s"]


def test_a_phrase_that_few_items_share_is_left_out() -> None:
    catalogue = [*items(MIN_ITEMS - 1, "opera"), *MANY_CATEGORIES]
    assert "opera" not in write_phrases(catalogue)


def test_a_year_that_is_no_number_gives_no_decade() -> None:
    assert not any("0s" in phrase for phrase in write_phrases([*items(9, "crime", year="1995"), *MANY_CATEGORIES]))


def test_without_categories_frequent_title_words_and_their_pairs_are_phrases() -> None:
    catalogue = [
        Item(ItemId(str(n)), f"The Night Train, part {n % 7}: {word}") for n, word in enumerate(["Dawn", "Dusk"] * 5)
    ]
    assert write_phrases(catalogue) == (
        *("night", "night train", "part", "train", "train part"),  # in all ten; "the" and the numbers say nothing
        *("dawn", "dusk", "part dawn", "part dusk"),  # in five
    )


def test_an_item_named_twice_in_its_own_categories_counts_once() -> None:
    assert "crime" not in write_phrases([*items(MIN_ITEMS - 1, "crime", "crime"), *MANY_CATEGORIES])


def test_at_most_three_hundred_are_kept() -> None:
    catalogue = [item for number in range(MAX_PHRASES + 50) for item in items(5, f"genre {number:03}")]
    phrases = write_phrases(catalogue)
    assert len(phrases) == len(set(phrases)) == MAX_PHRASES


def test_a_catalogue_with_nothing_in_common_has_no_phrases() -> None:
    assert write_phrases([Item(ItemId("1"), "Heat"), Item(ItemId("2"), "Up")]) == ()
    assert write_phrases([]) == ()
