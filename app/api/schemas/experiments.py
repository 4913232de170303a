"""`/v1/experiments`."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StrictBool, StringConstraints

from app.api.schemas.bundles import BundleVersion
from app.api.schemas.fields import EventType, Identifier, Number, WholeNumber, Wire
from app.experiments.experiment import Arm, Experiment

if TYPE_CHECKING:
    from app.experiments.results import ArmResult, Results

ARM_NAMES = "abcdefghij"

Name = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]
Knob = Annotated[Number | None, Field(ge=0, le=1)]


class ArmIn(Wire):
    """One way of serving. What is left out stays as the request, or its placement, has it."""

    share: Number = Field(1.0, gt=0, le=1_000, description="Of the units, relative to the other arms'. Above 0.")
    bundle: BundleVersion | None = Field(None, description="The bundle that answers. Default: the active one.")
    placement: Identifier | None = Field(None, description="The placement, one there is, whose rules are used.")
    diversity: Knob = Field(None, description="0 to 1.")
    novelty: Knob = Field(None, description="0 to 1.")
    exploration: Knob = Field(None, description="0 to 1.")


class ExperimentIn(Wire):
    """What is compared, for whom, and what counts as a success."""

    arms: tuple[ArmIn, ...] = Field(
        min_length=2,
        max_length=len(ARM_NAMES),
        description="2 to 10, named a, b, c and so on; the others are compared with a.",
    )
    running: StrictBool = Field(True, description="False: nobody is put into it; what was served still counts.")
    placements: tuple[Identifier, ...] = Field(
        (),
        max_length=100,
        description="Only requests for these take part; all of them there. Default: all requests.",
    )
    traffic: Number = Field(1.0, ge=0, le=1, description="Share of users and sessions that take part, 0 to 1.")
    success_types: tuple[EventType, ...] = Field(
        (),
        max_length=20,
        description="Events that make a unit a success when they name one of its slates. Default: any but a refusal.",
    )
    effect: Number = Field(
        0.02,
        ge=0.0001,
        le=0.5,
        description="Difference in success rates hoped for. Intervals are valid for any, and narrowest near it.",
    )
    confidence: Number = Field(0.95, ge=0.8, le=0.999, description="Of all looks together.")
    max_days: WholeNumber = Field(28, ge=1, le=365, description="Days after which it is given up.")
    about: Annotated[str, StringConstraints(max_length=1_000)] = Field("", description="A note for people.")

    def to_domain(self, name: str, now: datetime) -> Experiment:
        told = self.model_dump(exclude={"name", "arms"})
        arms = tuple(Arm(letter, **arm.model_dump()) for letter, arm in zip(ARM_NAMES, self.arms, strict=False))
        return Experiment(name=name, arms=arms, started_at=now, **told)


class NewExperiment(ExperimentIn):
    """An experiment with its name."""

    name: Name = Field(description="1 to 64 lower-case letters, digits, _ and -.")

    def to_named(self, now: datetime) -> Experiment:
        return self.to_domain(self.name, now)


class ArmAnswer(ArmIn):
    """An arm with its name."""

    name: str = Field(description="A letter: a for the first.")


class ExperimentAnswer(NewExperiment):
    """An experiment as it is."""

    arms: tuple[ArmAnswer, ...] = Field(description="2 to 10; the others are compared with the first.")
    started_at: datetime = Field(
        description="Results count from here, in UTC: when it began, or what it serves last changed."
    )

    @classmethod
    def from_domain(cls, experiment: Experiment) -> "ExperimentAnswer":
        told = {name: getattr(experiment, name) for name in cls.model_fields if name != "arms"}
        return cls(**told, arms=tuple(ArmAnswer(**asdict(arm)) for arm in experiment.arms))


class ExperimentList(Wire):
    """By name, which is also the order in which requests are put into them."""

    experiments: list[ExperimentAnswer] = Field(description="Running or not; empty where there is none.")


class IntervalAnswer(Wire):
    """Holds at every look: results may be read as often as one likes."""

    low: float = Field(description="Lower end, a difference of two rates: -1 to 1.")
    high: float = Field(description="Upper end, -1 to 1.")


class ArmResultAnswer(Wire):
    """What came of one arm."""

    name: str = Field(description="A letter: a for the first.")
    slates: int = Field(description="Slates that it served.")
    units: int = Field(description="Users or sessions that were served slates of it.")
    successes: int = Field(description="Units with an event that counts, after one of those slates.")
    rate: float = Field(description="Successes / units, 0 to 1; 0 without units.")
    difference: float | None = Field(
        description="Of the rate to the first arm's, -1 to 1; null for that arm, and without units."
    )
    interval: IntervalAnswer | None = Field(description="Of the difference; null for the first arm.")
    verdict: str = Field(description="base, undecided, better or worse.")


class ResultsAnswer(Wire):
    """What came of it so far, and whether it may stop."""

    arms: list[ArmResultAnswer] = Field(description="In the experiment's order.")
    balanced: bool = Field(description="Whether units fell to the arms by their shares; if not, believe none of it.")
    may_stop: bool = Field(description="Whether enough is known, or waited for, to end it.")
    why: str = Field(description="The reason for `may_stop`, in a sentence.")
    stop_rules: list[str] = Field(description="What may_stop goes by.")

    @classmethod
    def from_domain(cls, results: "Results", stop_rules: tuple[str, ...]) -> "ResultsAnswer":
        arms = [_show_arm(arm) for arm in results.arms]
        return cls(
            arms=arms,
            balanced=results.balanced,
            may_stop=results.may_stop,
            why=results.why,
            stop_rules=list(stop_rules),
        )


def _show_arm(arm: "ArmResult") -> ArmResultAnswer:
    interval = arm.interval
    return ArmResultAnswer(
        name=arm.name,
        slates=arm.slates,
        units=arm.units,
        successes=arm.successes,
        rate=arm.rate,
        difference=arm.difference,
        interval=None if interval is None else IntervalAnswer(low=interval.low, high=interval.high),
        verdict=arm.verdict,
    )
