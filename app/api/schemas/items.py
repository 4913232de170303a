"""`/v1/items/{item_id}`: an item as the client writes it and as it is read back."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app import domain
from app.api.schemas.fields import NOT_BLANK, PRINTABLE, PropertyName, PropertyValue, Scalar, Wire


class ItemIn(Wire):
    """What can be recommended. Title, categories and description are what it is understood by."""

    title: Annotated[str, StringConstraints(max_length=500, pattern=NOT_BLANK)] = Field(
        description="Plain text, 1 to 500 characters."
    )
    categories: tuple[Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)], ...] = Field(
        (), max_length=100, description="At most 100, each 1 to 100 characters."
    )
    description: str = Field("", max_length=20_000, description="Plain text, up to 20,000 characters.")
    properties: dict[PropertyName, PropertyValue] = Field(
        {},
        max_length=100,
        json_schema_extra={"additionalProperties": False},  # names that break the pattern
        description="Anything else you want back with a slate: at most 100 names, each for a string, a number, a "
        "boolean, null, or a list of these.",
    )

    def to_domain(self, item_id: str) -> domain.Item:
        return domain.Item(
            item_id=domain.ItemId(item_id),
            title=self.title.strip(),
            categories=self.categories,
            description=self.description,
            properties=self.properties,
        )


class ItemAnswer(Wire):
    item_id: str
    title: str
    categories: list[str]
    description: str
    properties: dict[str, Scalar | list[Scalar]]

    @classmethod
    def from_domain(cls, item: domain.Item) -> "ItemAnswer":
        return cls(
            item_id=item.item_id,
            title=item.title,
            categories=list(item.categories),
            description=item.description,
            properties=dict(item.properties),
        )
