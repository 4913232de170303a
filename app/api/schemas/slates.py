"""`POST /v1/recommendations`: the slate that is answered, why each item is in it and how it was made."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from app import domain
from app.api.schemas.fields import ItemRef, PropertyValue, Scalar, Wire


class ReasonAnswer(Wire):
    """Why an item is in the slate."""

    kind: str = Field(description="A stable word for programs.")
    text: str = Field(description="A sentence for people.")
    evidence: dict[str, PropertyValue] = Field(description="What truly took part in the choice: events, numbers.")


class SlateItemAnswer(Wire):
    """One place of the slate."""

    item_id: ItemRef
    score: float = Field(description="Comparable within this slate only; the sum of `parts`.")
    parts: dict[str, float] = Field(description="What the score is made of: text, id, context, prior, trend, rules.")
    sources: list[str] = Field(
        description=f"What proposed the item: {', '.join(domain.Source)}, or a source that is plugged in."
    )
    rules: list[str] = Field(description="What put it here besides its score: pinned, sponsored, explored.")
    label: str = Field(description="What must be shown with it, such as that it is sponsored; empty for nothing.")
    propensity: float = Field(
        description="Probability, above 0, with which this item came to stand at this place; 1 without exploration."
    )
    reasons: list[ReasonAnswer] = Field(
        description="Why it is here, the weightiest first. With `explain` measured ones are among them."
    )
    properties: dict[str, Scalar | list[Scalar]] = Field(
        description="The item's properties, and its `title` and `categories`: all, or those of `return_properties`."
    )


class ServedByAnswer(Wire):
    """How the answer was made."""

    bundle: str = Field(description="Version of the bundle that answered.")
    arm: str | None = Field(description="Experiment and arm that served it, as experiment/arm; null when none did.")
    rung: domain.Rung = Field(description="How the interests came about, best first: fresh, cached, stale, popular.")
    profile_age_s: float | None = Field(description="Seconds since the interests were read; null when none were used.")
    degraded: list[str] = Field(description="What was missing for this answer; empty when nothing was.")
    took_ms: dict[str, float] = Field(description="Milliseconds of each stage.")
    unknown_items: list[str] = Field(
        description="Items of `history`, or of a list to rank, that the catalogue does not hold: skipped."
    )
    warnings: list[str] = Field(
        description="Why the slate is shorter than k: `few_eligible`, no more may be shown; `few_relevant`, no more "
        "reach `min_relevance`; `capped`, the placement's caps let no more of the candidates in. Empty when it is not."
    )


class SlateAnswer(Wire):
    """The ordered list, best first: k items, or as many as may be shown."""

    slate_id: str = Field(description="For events, the next page and explanations: 16 hexadecimal digits.")
    items: list[SlateItemAnswer] = Field(description="Place 1 first; empty where nothing may be shown.")
    next: str | None = Field(
        description="Path of the next page, where nothing of this one is repeated; null where there is none."
    )
    served_by: ServedByAnswer = Field(description="Bundle, rung and time, and what was missing.")

    @classmethod
    def from_domain(cls, slate: domain.Slate) -> "SlateAnswer":
        return cls(
            slate_id=slate.slate_id,
            items=[_show_place(place, slate.return_properties) for place in slate.items],
            next=f"/v1/recommendations/next/{slate.slate_id}" if slate.has_next else None,
            served_by=_show_making(slate.served_by),
        )


class BatchAnswer(Wire):
    slates: list[SlateAnswer] = Field(description="One for each request, in the order of the requests.")


class CheckAnswer(Wire):
    """What a request with `validate_only` would come to. It was read in full, and nothing was done."""

    validate_only: Literal[True] = Field(True, description="Tells this answer from a slate.")
    eligible_items: int = Field(ge=0, description="Items that may be shown, by filter, exclude and seen.")
    boosted_items: list[int] = Field(description="For each boost, how many of those its filter holds for.")
    unknown_items: list[str] = Field(description="Items of `history` and `exclude` that the catalogue does not hold.")
    unknown_properties: list[str] = Field(description="Names in filters that no item has: misspelt, most often.")

    @classmethod
    def from_domain(cls, check: domain.RequestCheck) -> "CheckAnswer":
        return cls(
            eligible_items=check.n_eligible,
            boosted_items=list(check.n_boosted),
            unknown_items=list(check.unknown_items),
            unknown_properties=list(check.unknown_properties),
        )


def _show_place(place: domain.SlateItem, names: Sequence[str] | None) -> SlateItemAnswer:
    item = place.item
    properties = {**item.properties, "title": item.title, "categories": list(item.categories)}
    if names is not None:
        properties = {name: properties[name] for name in names if name in properties}
    return SlateItemAnswer(
        item_id=item.item_id,
        score=place.score,
        parts=dict(place.parts),
        sources=list(place.sources),
        rules=list(place.rules),
        label=place.label,
        propensity=place.propensity,
        reasons=[ReasonAnswer(kind=why.kind, text=why.text, evidence=dict(why.evidence)) for why in place.reasons],
        properties=properties,
    )


def _show_making(served_by: domain.ServedBy) -> ServedByAnswer:
    return ServedByAnswer(
        bundle=served_by.bundle,
        arm=served_by.arm,
        rung=served_by.rung,
        profile_age_s=served_by.profile_age_s,
        degraded=list(served_by.degraded),
        took_ms={stage: round(took_ms, 3) for stage, took_ms in served_by.took_ms.items()},
        unknown_items=list(served_by.unknown_items),
        warnings=list(served_by.warnings),
    )
