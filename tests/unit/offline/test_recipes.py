import json

import pytest

from app.errors import DataError
from app.offline.recipes import RECIPES, get_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_found_by_its_name(name: str) -> None:
    assert get_recipe(name).name == name


def test_a_recipe_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(DataError, match="no recipe 'fats': choose one of tiny, fast"):
        get_recipe("fats")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_written_down_whole(name: str) -> None:
    recipe = get_recipe(name)
    assert type(recipe)(**json.loads(json.dumps(recipe.as_dict()))) == recipe
