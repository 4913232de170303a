"""`/v1/items`: an item as it is written, changed and read back; many of them at once; their declared properties."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, StrictBool, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from app import domain
from app.api.schemas.fields import NOT_BLANK, PRINTABLE, Identifier, ItemRef, PropertyName, PropertyValue, Scalar, Wire
from app.catalogue.codec import item_to_fields
from app.catalogue.import_jobs import ImportState
from app.catalogue.merge_patch import merge_patch
from app.catalogue.property_schema import PropertyType

FROM_OBJECTS = ConfigDict(from_attributes=True)


Title = Annotated[str, StringConstraints(max_length=500, pattern=NOT_BLANK)]
Category = Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)]
Categories = Annotated[tuple[Category, ...], Field(max_length=100)]
Description = Annotated[str, Field(max_length=20_000)]


class ItemIn(Wire):
    """What can be recommended. Title, categories and description are what it is understood by."""

    title: Title = Field(description="Plain text, 1 to 500 characters.")
    categories: Categories = Field((), description="At most 100, each 1 to 100 characters.")
    description: Description = Field("", description="Plain text, up to 20,000 characters.")
    properties: dict[PropertyName, PropertyValue] = Field(
        {},
        max_length=100,
        json_schema_extra={"additionalProperties": False},  # names that break the pattern
        description="Anything else you want back with a slate: at most 100 names, each for a string, a number, a "
        "boolean, null, or a list of these.",
    )

    hidden: StrictBool = Field(False, description="Kept, and in no slate: gone from the very next one.")

    def to_domain(self, item_id: str) -> domain.Item:
        return domain.Item(
            item_id=domain.ItemId(item_id),
            title=self.title.strip(),
            categories=self.categories,
            description=self.description,
            properties=self.properties,
            hidden=self.hidden,
        )


class ItemLine(ItemIn):
    """A line of an import, and of an export."""

    item_id: Identifier = Field(description="The item's id, 1 to 256 characters.")


class ItemPatch(Wire):
    """What is to change of an item (RFC 7386): fields left out stay, null gives a field its default again."""

    title: Title | SkipJsonSchema[None] = Field(
        None, description="Plain text, 1 to 500 characters. It cannot be taken away."
    )
    categories: Categories | None = Field(None, description="All of them: at most 100, each 1 to 100 characters.")
    description: Description | None = Field(None, description="Plain text, up to 20,000 characters.")
    properties: Annotated[dict[PropertyName, PropertyValue], Field(max_length=100)] | None = Field(
        None,
        json_schema_extra={"additionalProperties": False},
        description="Those to change: a name with null is taken away, the others stay.",
    )
    hidden: StrictBool | None = Field(None, description="Kept, and in no slate: gone from the very next one.")

    def apply(self, item: domain.Item) -> domain.Item:
        """Raises pydantic's ValidationError where the result would be no item."""
        patched = merge_patch(item_to_fields(item), self.model_dump(mode="json", exclude_unset=True))
        return ItemLine.model_validate(patched).to_domain(item.item_id)


class ItemAnswer(Wire):
    item_id: ItemRef
    title: str = Field(description="Plain text, 1 to 500 characters.")
    categories: list[str] = Field(description="In the order they were written; empty for none.")
    description: str = Field(description="Plain text; empty for none.")
    properties: dict[str, Scalar | list[Scalar]] = Field(description="All else that is kept of it, by name.")
    hidden: bool = Field(description="Whether it is kept out of slates.")

    @classmethod
    def from_domain(cls, item: domain.Item) -> "ItemAnswer":
        return cls(
            item_id=item.item_id,
            title=item.title,
            categories=list(item.categories),
            description=item.description,
            properties=dict(item.properties),
            hidden=item.hidden,
        )


class PropertySchemaBody(Wire):
    """The declared properties of items."""

    properties: dict[PropertyName, PropertyType] = Field(
        max_length=200,
        json_schema_extra={"additionalProperties": False},
        description="Name -> what it may hold: string, number, boolean, time (ISO 8601 text), geo ([latitude, "
        "longitude]) or list. At most 200. What is not declared may hold anything.",
    )


class PropertySchemaAnswer(Wire):
    properties: dict[str, PropertyType] = Field(description="What is declared now: name -> what it may hold.")
    misfits: dict[str, int] = Field(
        description="Items already in the catalogue whose property does not fit, by its name. They stay as they are."
    )


class LineErrorAnswer(Wire):
    model_config = FROM_OBJECTS

    line: int = Field(description="Line of the file, from 1.")
    message: str = Field(description="The field that is wrong, and what was expected there.")


class ImportAnswer(Wire):
    """How far an import has come."""

    model_config = FROM_OBJECTS

    job_id: str = Field(description="To watch it by: GET /v1/items/import/{job_id}.")
    state: ImportState = Field(
        description="running; done: every line was read; interrupted: the server stopped, send the file again."
    )
    n_lines: int = Field(description="Lines of the file, blank ones left out.")
    n_done: int = Field(description="Lines read so far: each created or replaced an item, or failed.")
    n_created: int = Field(description="Lines that made a new item.")
    n_replaced: int = Field(description="Lines that replaced an item.")
    n_failed: int = Field(description="Lines that are no item: nothing of them was kept.")
    errors: list[LineErrorAnswer] = Field(description="What is wrong with the first hundred lines that failed.")
    started_at: datetime = Field(description="When its file had arrived, in UTC.")
    finished_at: datetime | None = Field(
        description="When it ended, in UTC; null while it runs, and where its process went without a word."
    )
