"""`/v1/bundles`: what was trained, what answers, and what a change of it did."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from app.api.schemas.fields import BundleRef, Number, Wire
from app.bundle import Manifest

if TYPE_CHECKING:
    from app.rollout.rollout import Activated, Known
    from app.rollout.shadow import ShadowPlan, ShadowReport

BundleVersion = Annotated[str, StringConstraints(pattern="^[0-9a-f]{12}$")]


class FileAnswer(Wire):
    """One file of a bundle."""

    sha256: str = Field(description="Of its bytes: 64 hexadecimal digits.")
    size_bytes: int = Field(description="Its length, in bytes.")


class BundleAnswer(Wire):
    """A bundle, as its manifest tells of it."""

    version: BundleRef
    active: bool = Field(description="Whether it was decided that this one answers, in every process.")
    serving: bool = Field(description="Whether it answers in the process that you reached.")
    dataset: str = Field(description="Name of the data set that it was trained on.")
    dataset_digest: str = Field(description="Names the content of the data set.")
    recipe: str = Field(description="Name of the recipe: what was trained, and for how long.")
    protocol: str = Field(
        description="What its evaluation asked for: loo, each user's last event; time, the events after one moment; "
        "cold, items without a training event; random, a tenth of all events."
    )
    seed: int = Field(description="Of all that was random: the same data, recipe and seed give the same bytes.")
    text_model: str = Field(description="The pretrained model that reads items, by the name of its folder.")
    user_model: str = Field(description="The pretrained model that reads histories, by the name of its folder.")
    n_items: int = Field(description="Items it was trained on.")
    interests: int = Field(description="Interest vectors of each user.")
    history_events: int = Field(description="Last events of a user that it can read.")

    @classmethod
    def from_known(cls, known: "Known") -> "BundleAnswer":
        return cls(**_summary(known))


class BundleDetails(BundleAnswer):
    """All of a bundle that can be read."""

    files: dict[str, FileAnswer] = Field(description="By name: all but the manifest.")
    card: str | None = Field(description="What it was made of and how good it is, as Markdown; null if unwritten.")
    metrics: dict[str, Any] | None = Field(description="Its evaluation, as the training wrote it; null if none.")

    @classmethod
    def from_parts(cls, known: "Known", card: str | None, metrics: dict[str, Any] | None) -> "BundleDetails":
        files = {name: FileAnswer(**entry.model_dump()) for name, entry in known.manifest.files.items()}
        return cls(**_summary(known), files=files, card=card, metrics=metrics)


class BundleList(Wire):
    """Bundles that lie beside the one that the server was started with."""

    bundles: list[BundleAnswer] = Field(description="By version. The one that answers is among them.")


class VerifiedAnswer(Wire):
    """Every byte is what the manifest says, and every golden query was answered as when the bundle was built."""

    version: BundleRef
    files: int = Field(description="Files verified.")
    bytes: int = Field(description="Their bytes together.")
    took_s: float = Field(description="Seconds that it took.")

    @classmethod
    def from_manifest(cls, manifest: Manifest, took_s: float) -> "VerifiedAnswer":
        size = sum(entry.size_bytes for entry in manifest.files.values())
        return cls(version=manifest.version, files=len(manifest.files), bytes=size, took_s=round(took_s, 3))


class ActivatedAnswer(Wire):
    """It answers from now on."""

    version: BundleRef
    before: str = Field(description="Version of what answered until now.")
    warmed_users: int = Field(description="Users whose interests were encoded before the exchange.")
    took_s: float = Field(description="Seconds from the call to the exchange, opening and warming in them.")

    @classmethod
    def from_domain(cls, activated: "Activated") -> "ActivatedAnswer":
        return cls(
            version=activated.version,
            before=activated.before,
            warmed_users=activated.warmed_users,
            took_s=round(activated.took_s, 3),
        )


class ShadowIn(Wire):
    """How much of the traffic a candidate answers too, unseen."""

    share: Number = Field(ge=0, le=1, description="Of slates asked for, 0 to 1. 0 ends it.")


class ShadowAnswer(Wire):
    """What was planned."""

    version: BundleRef
    share: float = Field(description="Of slates asked for, 0 to 1; 0 ended it.")
    since: datetime = Field(description="When the comparison began, in UTC.")

    @classmethod
    def from_domain(cls, plan: "ShadowPlan") -> "ShadowAnswer":
        return cls(version=plan.version, share=plan.share, since=plan.since)


class Times(Wire):
    """Milliseconds."""

    p50: float = Field(description="Median, in milliseconds.")
    p95: float = Field(description="95th percentile, in milliseconds: one in twenty took longer.")


class ShadowReportAnswer(Wire):
    """How a candidate's slates compare to those that were served, since the shadow traffic began."""

    version: BundleRef
    share: float = Field(description="Of requests answered twice now; 0 when it has ended.")
    compared: int = Field(description="Requests.")
    overlap: float | None = Field(
        description="Mean share of the served items that the candidate shows too, 0 to 1. This and the rest is null "
        "while nothing was compared."
    )
    overlap_se: float | None = Field(description="Standard error of that mean.")
    correlation: float | None = Field(
        description="Mean of Spearman's rho over the items common to both, -1 to 1; null too where no two were common."
    )
    served_ms: Times | None = Field(description="Time of the answers that were served.")
    shadow_ms: Times | None = Field(description="Time of the candidate's, one at a time behind the live traffic.")

    @classmethod
    def from_domain(cls, report: "ShadowReport") -> "ShadowReportAnswer":
        return cls(
            version=report.version,
            share=report.share,
            compared=report.compared,
            overlap=report.overlap,
            overlap_se=report.overlap_se,
            correlation=report.correlation,
            served_ms=_times(report.served_ms),
            shadow_ms=_times(report.shadow_ms),
        )


def _times(told: tuple[float, float] | None) -> Times | None:
    return None if told is None else Times(p50=told[0], p95=told[1])


def _summary(known: "Known") -> dict[str, Any]:
    told = known.manifest.model_dump(include=BundleAnswer.model_fields.keys() - {"active", "serving"})
    return {**told, "active": known.active, "serving": known.serving}
