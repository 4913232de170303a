"""`/v1/bundles`: what was trained, what answers, and what a change of it did."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StringConstraints

from app.api.schemas.fields import Wire
from app.bundle import Manifest

if TYPE_CHECKING:
    from app.rollout.rollout import Activated, Known

BundleVersion = Annotated[str, StringConstraints(pattern="^[0-9a-f]{12}$")]


class FileAnswer(Wire):
    """One file of a bundle."""

    sha256: str
    size_bytes: int


class BundleAnswer(Wire):
    """A bundle, as its manifest tells of it."""

    version: str = Field(description="Twelve hexadecimal digits of what its files hash to.")
    active: bool = Field(description="Whether it was decided that this one answers, in every process.")
    serving: bool = Field(description="Whether it answers in the process that you reached.")
    dataset: str
    dataset_digest: str = Field(description="Names the content of the data set.")
    recipe: str
    protocol: str
    seed: int
    text_model: str
    user_model: str
    n_items: int = Field(description="Items it was trained on.")
    interests: int = Field(description="Interest vectors of each user.")
    history_events: int = Field(description="Last events of a user that it can read.")

    @classmethod
    def from_known(cls, known: "Known") -> "BundleAnswer":
        return cls(**_summary(known))


class BundleDetails(BundleAnswer):
    """All of a bundle that can be read."""

    files: dict[str, FileAnswer]
    card: str | None = Field(description="What it was made of and how good it is, as Markdown.")
    metrics: dict[str, Any] | None = Field(description="Its evaluation, as the training wrote it.")

    @classmethod
    def from_parts(cls, known: "Known", card: str | None, metrics: dict[str, Any] | None) -> "BundleDetails":
        files = {name: FileAnswer(**entry.model_dump()) for name, entry in known.manifest.files.items()}
        return cls(**_summary(known), files=files, card=card, metrics=metrics)


class BundleList(Wire):
    """Bundles that lie beside the one that the server was started with."""

    bundles: list[BundleAnswer]


class VerifiedAnswer(Wire):
    """Every byte is what the manifest says, and every golden query was answered as when the bundle was built."""

    version: str
    files: int = Field(description="Files verified.")
    bytes: int = Field(description="Their bytes together.")
    took_s: float

    @classmethod
    def from_manifest(cls, manifest: Manifest, took_s: float) -> "VerifiedAnswer":
        size = sum(entry.size_bytes for entry in manifest.files.values())
        return cls(version=manifest.version, files=len(manifest.files), bytes=size, took_s=round(took_s, 3))


class ActivatedAnswer(Wire):
    """It answers from now on."""

    version: str
    before: str = Field(description="What answered until now.")
    warmed_users: int = Field(description="Users whose interests were encoded before the exchange.")
    took_s: float

    @classmethod
    def from_domain(cls, activated: "Activated") -> "ActivatedAnswer":
        return cls(
            version=activated.version,
            before=activated.before,
            warmed_users=activated.warmed_users,
            took_s=round(activated.took_s, 3),
        )


def _summary(known: "Known") -> dict[str, Any]:
    told = known.manifest.model_dump(include=BundleAnswer.model_fields.keys() - {"active", "serving"})
    return {**told, "active": known.active, "serving": known.serving}
