"""Training, in order: item encoder, text block, ID block, blend. What comes out is ready to be a bundle.

Each stage leaves a checkpoint in the work folder; a run that was killed goes on where it stopped and ends with the same
weights as one that was not.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import Progress

from app.catalogue.text import item_text
from app.domain import FloatArray, IntArray
from app.errors import DataError
from app.offline.blend import choose_blend
from app.offline.dataset import Dataset
from app.offline.phrase_list import write_phrases
from app.offline.questions import liked_in_training, sample_questions, training_counts
from app.offline.recipes import Recipe
from app.offline.split import Split
from app.offline.training import BlockTrainer, Epoch, Schedule, block_scores
from app.offline.tune_items import tune_item_encoder
from app.offline.windows import Histories
from app.scoring.context import ContextCodes
from app.scoring.prior import buckets_of, popularity_prior
from app.trained import Trained
from models.events import to_tensor
from models.item_encoder import ItemEncoder, load_item_encoder
from models.space import Block, Shape, Space
from models.user_encoder import load_user_transformer

BASELINE_QUESTIONS = 500


@dataclass(frozen=True)
class Curves:
    """Learning curves of a run, and NDCG@10 of the blend on validation."""

    text: list[Epoch]
    behaviour: list[Epoch]
    blend_ndcg10: float


@dataclass(frozen=True)
class Models:
    """Folders of the pretrained models to start from."""

    text: Path
    user: Path


def finetune(
    dataset: Dataset,
    split: Split,
    recipe: Recipe,
    models: Models,
    work: Path,
    *,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> tuple[Trained, Curves]:
    """Train everything on `split.train`, choosing on `split.validation`; `split.test` is not looked at.

    Raises DataError where the split holds no validation question.
    """
    if not len(split.validation):
        raise DataError(
            f"{dataset.name} has nothing to choose by: split by {split.protocol}, no user keeps an event to hold out; "
            "at least one needs three events with a weight above 0"
        )
    _be_repeatable()
    work.mkdir(parents=True, exist_ok=True)
    encoder = _item_encoder(dataset, split, recipe, models.text, work, seed=seed, device=device, progress=progress)
    text = encoder.encode([item_text(item) for item in dataset.items]).numpy()
    context = ContextCodes({name: sorted(set(values) - {""}) for name, values in dataset.context.items()})
    histories = Histories(
        dataset, text, context.encode_columns(dataset.context, len(dataset.rows)), has_times=dataset.has_times
    )
    space = _space(dataset, text, context, recipe, models.user, seed)
    text_schedule, id_schedule = _text_schedule(recipe), _id_schedule(recipe)

    def train(block: Block, schedule: Schedule, name: str) -> list[Epoch]:
        checkpoint = work / f"{name.replace(' ', '_')}.pt"
        trainer = BlockTrainer(block, histories, split, schedule, seed=seed, device=device, checkpoint=checkpoint)
        return trainer.run(progress, name)

    text_curve = train(space.text, text_schedule, "text block")
    id_curve = train(space.id, id_schedule, "ID block")

    liked = liked_in_training(dataset, split)
    n_events = training_counts(dataset, split)
    prior = popularity_prior(dataset.rows[liked], dataset.at_s[liked], dataset.n_items)
    asked = sample_questions(split.validation)
    space.blend, ndcg10 = choose_blend(
        block_scores(space.text, histories, asked, text_schedule, device),
        block_scores(space.id, histories, asked, id_schedule, device),
        prior[:, buckets_of(dataset.at_s[asked])].T,
        n_events,
        histories,
        asked,
    )
    trained = _gather(space, encoder, dataset, text, prior, n_events, context, histories, asked, device)
    return trained, Curves(text_curve, id_curve, ndcg10)


def _be_repeatable() -> None:
    """Same seed, same bytes: gradients of indexed rows are else summed in whatever order the threads come.

    warn_only: some CUDA kernels have no such form; there the seed gives nearly the same weights, not the same bytes.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a guard against reading such memory; it costs time


def _item_encoder(
    dataset: Dataset,
    split: Split,
    recipe: Recipe,
    base: Path,
    work: Path,
    *,
    seed: int,
    device: torch.device,
    progress: Progress,
) -> ItemEncoder:
    """Tuned, or as an earlier run of the same work left it."""
    folder, done = work / "item_encoder", work / "item_encoder.done"
    if not done.exists():
        texts = [item_text(item) for item in dataset.items]
        encoder = load_item_encoder(base, device)
        tune_item_encoder(encoder, texts, dataset, split, recipe, seed=seed, progress=progress).save(folder)
        done.write_text(json.dumps({"steps": recipe.pair_steps}))
    return load_item_encoder(folder, device)


def _space(
    dataset: Dataset, text: FloatArray, context: ContextCodes, recipe: Recipe, user_model: Path, seed: int
) -> Space:
    torch.manual_seed(seed)
    shape = Shape(
        n_items=dataset.n_items,
        text_dim=text.shape[1],
        block_dim=recipe.block_dim,
        id_dim=recipe.id_dim,
        interests=recipe.interests,
        max_events=recipe.history_events,
        id_layers=recipe.id_layers,
        id_heads=recipe.id_heads,
        id_dropout=recipe.id_dropout,
        has_times=dataset.has_times,
        feature_sizes=context.sizes,
    )
    space = Space(shape, load_user_transformer(user_model, recipe.user_layers))
    space.text.start_projection(to_tensor(text))
    return space


def _gather(
    space: Space,
    encoder: ItemEncoder,
    dataset: Dataset,
    text: FloatArray,
    prior: FloatArray,
    n_events: IntArray,
    context: ContextCodes,
    histories: Histories,
    asked: IntArray,
    device: torch.device,
) -> Trained:
    phrases = write_phrases(dataset.items)
    phrase_text = encoder.encode(list(phrases)).numpy()
    with torch.inference_mode():
        sample = histories.before(asked[:BASELINE_QUESTIONS], space.shape.max_events)
        interests = space.interests(histories.events(sample).to(device))  # (Q, K, D)
        phrase_vectors = space.phrase_vectors(to_tensor(phrase_text).to(device))
        vectors = space.item_vectors(to_tensor(text).to(device), to_tensor(n_events).float().to(device))
        length = interests[..., : space.shape.block_dim].norm(dim=-1).mean()
    return Trained(
        space=space.eval(),
        item_encoder=encoder,
        items=dataset.items,
        text=text,
        vectors=vectors.cpu().numpy(),
        prior=prior,
        n_events=n_events,
        phrases=phrases,
        phrase_text=phrase_text,
        phrase_baseline=(interests @ phrase_vectors.T).mean(dim=(0, 1)).cpu().numpy(),
        context=context,
        words_scale=float(length),
    )


def _text_schedule(recipe: Recipe) -> Schedule:
    return dataclasses.replace(
        _schedule(recipe, recipe.text_epochs, recipe.text_patience, recipe.head_rate),
        body_rate=recipe.body_rate,
        mean_interest=recipe.mean_interest,
        routing=recipe.routing,
    )


def _id_schedule(recipe: Recipe) -> Schedule:
    return _schedule(recipe, recipe.id_epochs, recipe.id_patience, recipe.id_rate)


def _schedule(recipe: Recipe, epochs: int, patience: int, rate: float) -> Schedule:
    return Schedule(
        epochs=epochs,
        patience=patience,
        body_rate=rate,
        head_rate=rate,
        history_events=recipe.history_events,
        batch_tokens=recipe.batch_tokens,
        weight_decay=recipe.weight_decay,
        warm_up=recipe.warm_up,
        clip=recipe.clip,
    )
