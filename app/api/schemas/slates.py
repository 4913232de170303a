"""`POST /v1/recommendations`: the slate that is answered, why each item is in it and how it was made."""

from pydantic import Field

from app import domain
from app.api.schemas.fields import PropertyValue, Scalar, Wire


class ReasonAnswer(Wire):
    """Why an item is in the slate."""

    kind: str = Field(description="A stable word for programs.")
    text: str = Field(description="A sentence for people.")
    evidence: dict[str, PropertyValue] = Field(description="What truly took part in the choice: events, numbers.")


class SlateItemAnswer(Wire):
    """One place of the slate."""

    item_id: str
    score: float = Field(description="Comparable within this slate only; the sum of `parts`.")
    parts: dict[str, float] = Field(description="What the score is made of: text, id, context, prior, rules.")
    sources: list[domain.Source] = Field(description="What proposed the item.")
    reasons: list[ReasonAnswer]
    properties: dict[str, Scalar | list[Scalar]] = Field(
        description="The item's properties, and its `title` and `categories`."
    )


class ServedByAnswer(Wire):
    """How the answer was made."""

    bundle: str = Field(description="Version of the bundle that answered.")
    rung: domain.Rung = Field(description="How the interests came about, best first: fresh, cached, stale, popular.")
    profile_age_s: float | None = Field(description="Seconds since the interests were read; null when none were used.")
    degraded: list[str] = Field(description="What was missing for this answer; empty when nothing was.")
    took_ms: dict[str, float] = Field(description="Milliseconds of each stage.")
    unknown_items: list[str] = Field(
        description="Items of `history`, or of a list to rank, that the catalogue does not hold: skipped."
    )


class SlateAnswer(Wire):
    """The ordered list, best first: k items, or as many as may be shown."""

    slate_id: str = Field(description="Names this slate.")
    items: list[SlateItemAnswer]
    served_by: ServedByAnswer

    @classmethod
    def from_domain(cls, slate: domain.Slate) -> "SlateAnswer":
        return cls(
            slate_id=slate.slate_id,
            items=[_show_place(place) for place in slate.items],
            served_by=_show_making(slate.served_by),
        )


def _show_place(place: domain.SlateItem) -> SlateItemAnswer:
    item = place.item
    return SlateItemAnswer(
        item_id=item.item_id,
        score=place.score,
        parts=dict(place.parts),
        sources=list(place.sources),
        reasons=[ReasonAnswer(kind=why.kind, text=why.text, evidence=dict(why.evidence)) for why in place.reasons],
        properties={**item.properties, "title": item.title, "categories": list(item.categories)},
    )


def _show_making(served_by: domain.ServedBy) -> ServedByAnswer:
    return ServedByAnswer(
        bundle=served_by.bundle,
        rung=served_by.rung,
        profile_age_s=served_by.profile_age_s,
        degraded=list(served_by.degraded),
        took_ms={stage: round(took_ms, 3) for stage, took_ms in served_by.took_ms.items()},
        unknown_items=list(served_by.unknown_items),
    )
