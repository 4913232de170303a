"""Training, in order: item encoder, text block, ID block, blend. What comes out is ready to be a bundle.

Each part leaves a checkpoint in the work folder; a run that was killed goes on where it stopped and ends with the same
weights as one that was not.
"""

from dataclasses import dataclass

import torch

from app.domain import IntArray
from app.errors import DataError
from app.offline.blend import BlockParts, choose_blend, choose_trend
from app.offline.phrase_list import write_phrases
from app.offline.questions import sample_questions
from app.offline.training import Epoch
from app.offline.workshop import Workshop
from app.trained import Trained
from models.events import to_tensor
from models.space import Space

BASELINE_QUESTIONS = 500


@dataclass(frozen=True)
class Curves:
    """Learning curves of a run, and NDCG@10 of the blend on validation."""

    text: list[Epoch]
    behaviour: list[Epoch]
    blend_ndcg10: float


def finetune(workshop: Workshop) -> tuple[Trained, Curves]:
    """Train everything on `split.train`, choosing on `split.validation`; `split.test` is not looked at.

    Raises DataError where the split holds no validation question.
    """
    refuse_without_validation(workshop)
    be_repeatable()
    text_block, text_curve = workshop.text_block()
    id_block, id_curve = workshop.id_block()
    space = Space(workshop.shape(), text_block, id_block)
    asked = sample_questions(workshop.split.validation)
    parts = workshop.parts(text_block, id_block)
    plain, _ = choose_blend(parts, asked)
    space.blend, ndcg10 = choose_trend(plain, parts, asked)
    return _gather(space, workshop, parts, asked), Curves(text_curve, id_curve, ndcg10)


def refuse_without_validation(workshop: Workshop) -> None:
    """Raises DataError where there is nothing to choose by."""
    if not len(workshop.split.validation):
        raise DataError(
            f"{workshop.dataset.name} has nothing to choose by: split by {workshop.split.protocol}, no user keeps an "
            "event to hold out; at least one needs three events with a weight above 0"
        )


def be_repeatable() -> None:
    """Same seed, same bytes: gradients of indexed rows are else summed in whatever order the threads come.

    warn_only: some CUDA kernels have no such form; there the seed gives nearly the same weights, not the same bytes.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a guard against reading such memory; it costs time


def _gather(space: Space, workshop: Workshop, parts: BlockParts, asked: IntArray) -> Trained:
    dataset, device, histories = workshop.dataset, workshop.device, parts.histories
    encoder, words_encoder = workshop.item_encoder(), workshop.item_encoder(tuned=False)
    words = workshop.text(tuned=False)
    phrases = write_phrases(dataset.items)
    phrase_text, phrase_words = (of.encode(list(phrases)).numpy() for of in (encoder, words_encoder))
    space.words.start(to_tensor(words).to(device))
    with torch.inference_mode():
        sample = histories.before(asked[:BASELINE_QUESTIONS], space.shape.max_events)
        interests = space.interests(histories.events(sample).to(device))  # (Q, K, D)
        said = to_tensor(phrase_words).to(device)
        labels = space.text_vectors(to_tensor(phrase_text).to(device), said)
        n_events = to_tensor(parts.n_events).float().to(device)
        vectors = space.item_vectors(to_tensor(histories.text).to(device), to_tensor(words).to(device), n_events)
        newcomers, twins = parts.newcomers
        vectors[newcomers, space.shape.behaviour] = vectors[twins, space.shape.behaviour]
        best_of_users = (interests @ vectors.T).amax(dim=(1, 2)).mean()
        best_of_phrases = (space.words_vectors(said) @ vectors.T).amax(dim=1).mean()
    return Trained(
        space=space.eval(),
        item_encoder=encoder,
        words_encoder=words_encoder,
        items=dataset.items,
        text=histories.text,
        words=words,
        vectors=vectors.cpu().numpy(),
        prior=parts.prior,
        n_events=parts.n_events,
        unseen_events=parts.unseen_events,
        phrases=phrases,
        phrase_text=phrase_text,
        phrase_words=phrase_words,
        phrase_baseline=(interests @ labels.T).mean(dim=(0, 1)).cpu().numpy(),
        context=workshop.context,
        words_scale=float(best_of_users / best_of_phrases),
    )
