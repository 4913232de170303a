"""The learned parts of a space, each made once: trained now, or as an earlier run of the same work left it.

Fine-tuning makes all of them for a bundle; the benchmark makes some of them, and variations of them for ablations.
"""

import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress

from app.catalogue.text import item_text
from app.domain import FloatArray, IntArray
from app.offline.blend import BlockParts
from app.offline.dataset import Dataset
from app.offline.domain_pretraining import read_texts_once
from app.offline.questions import liked_in_training, training_counts
from app.offline.recipes import Recipe
from app.offline.refresh import Earlier, carry_over, shorten, start_from
from app.offline.sizing import Sizes, size
from app.offline.spectral import spectral_vectors
from app.offline.split import Split
from app.offline.training import BlockTrainer, Epoch, Schedule
from app.offline.trends import Trends
from app.offline.tune_items import tune_item_encoder
from app.offline.windows import Histories
from app.scoring.context import ContextCodes
from app.scoring.prior import long_run_share, popularity_prior, unseen_events
from models.events import to_tensor
from models.item_encoder import ItemEncoder, load_item_encoder
from models.space import Block, IdBlock, SasRecBlock, Shape, TextBlock
from models.user_encoder import load_user_transformer

WORDS_DIM = 128
"""Of the words block. On the demo's catalogue a film asked for by its title has a mean reciprocal rank of 0.980 in it,
and of 0.994 among whole vectors of 384, three times the memory and time of every search."""
DOMAIN = ".domain"
"""In names of what was made of an item encoder that read the catalogue's texts first."""


@dataclass(frozen=True)
class Models:
    """Folders of the pretrained models to start from."""

    text: Path
    user: Path


@dataclass(frozen=True)
class Variation:
    """What is done otherwise than the recipe says, for ablations. The default is what a bundle is made with.

    text: texts are read at all. pretrained: the user LLM starts from its pretrained weights. tuned_items: the item
    encoder is tuned. domain: it reads the catalogue's texts as language first. times: the blocks read the clock. gate:
    the context gates and shifts the interests. interests: K; None: the recipe's.
    """

    text: bool = True
    pretrained: bool = True
    tuned_items: bool = True
    domain: bool = False
    times: bool = True
    gate: bool = True
    interests: int | None = None


@dataclass(frozen=True)
class Workshop:
    """Makes the parts for one data set, split, recipe and seed. What it makes is kept in the folder `work`.

    earlier: the bundle to go on from; None starts from the pretrained models.
    """

    dataset: Dataset
    split: Split
    recipe: Recipe
    models: Models
    work: Path
    seed: int
    device: torch.device
    progress: Progress
    earlier: Earlier | None = None

    @cached_property
    def context(self) -> ContextCodes:
        return ContextCodes({name: sorted(set(values) - {""}) for name, values in self.dataset.context.items()})

    @cached_property
    def n_events(self) -> IntArray:
        """(N,) training events of each item."""
        return training_counts(self.dataset, self.split)

    @cached_property
    def sizes(self) -> Sizes:
        return size(self.recipe, int(self.n_events.sum()), int(np.count_nonzero(self.n_events)))

    def item_encoder(self, *, tuned: bool = True, domain: bool = False) -> ItemEncoder:
        """The pretrained one, tuned on who liked what, or as it comes; those of the earlier bundle if any.

        domain: it has read the catalogue's texts before all else.
        """
        if self.earlier and not domain:
            return self.earlier.item_encoder(tuned=tuned)
        base = self._read_catalogue() if domain else self.models.text
        if not tuned:
            return load_item_encoder(base, self.device)
        name = f"item_encoder{DOMAIN * domain}"
        folder, done = self.work / name, self.work / f"{name}.done"
        if not done.exists():
            self.work.mkdir(parents=True, exist_ok=True)
            texts = [item_text(item) for item in self.dataset.items]
            encoder = load_item_encoder(base, self.device)
            tune_item_encoder(
                encoder, texts, self.dataset, self.split, self.recipe, seed=self.seed, progress=self.progress
            ).save(folder)
            done.write_text(json.dumps({"steps": self.recipe.pair_steps}))
        return load_item_encoder(folder, self.device)

    def _read_catalogue(self) -> Path:
        """Folder of the item encoder's base model after it has read the catalogue's texts."""
        texts, folder = [item_text(item) for item in self.dataset.items], self.work / "domain_model"
        return read_texts_once(
            self.models.text, texts, folder, seed=self.seed, device=self.device, progress=self.progress
        )

    def text(self, *, tuned: bool = True, domain: bool = False) -> FloatArray:
        """(N, T) text vectors of the catalogue, in row order."""
        kept = self.work / f"text{'' if tuned else '.untuned'}{DOMAIN * domain}.npy"
        if not kept.is_file():
            self.work.mkdir(parents=True, exist_ok=True)
            if self.earlier and not domain:
                vectors = self.earlier.text(tuned=tuned)
            else:
                texts = [item_text(item) for item in self.dataset.items]
                vectors = self.item_encoder(tuned=tuned, domain=domain).encode(texts).numpy()
            partial = kept.with_suffix(".partial.npy")
            np.save(partial, vectors)
            partial.replace(kept)
        return np.asarray(np.load(kept), dtype=np.float32)

    def histories(self, variation: Variation | None = None) -> Histories:
        variation = variation or Variation()
        codes = self.context.encode_columns(self.dataset.context, len(self.dataset.rows))
        has_times = self.dataset.has_times and variation.times
        return Histories(self.dataset, self._text_of(variation), codes, has_times=has_times)

    def shape(self, variation: Variation | None = None) -> Shape:
        variation = variation or Variation()
        recipe = self.recipe
        return Shape(
            n_items=self.dataset.n_items,
            text_dim=self._text_of(variation).shape[1],
            block_dim=recipe.block_dim,
            id_dim=recipe.id_dim,
            interests=variation.interests or recipe.interests,
            max_events=recipe.history_events,
            id_layers=recipe.id_layers,
            id_heads=recipe.id_heads,
            id_dropout=self.sizes.id_dropout,
            text_dropout=recipe.text_dropout,
            has_times=self.dataset.has_times and variation.times,
            feature_sizes=self.context.sizes,
            words_dim=min(WORDS_DIM, self._text_of(variation).shape[1]),
        )

    def text_block(self, variation: Variation | None = None) -> tuple[TextBlock, list[Epoch]]:
        """Trained, with its learning curve."""
        variation = variation or Variation()
        torch.manual_seed(self.seed)
        transformer = load_user_transformer(self.models.user, self.recipe.user_layers, pretrained=variation.pretrained)
        block = TextBlock(self.shape(variation), transformer)
        schedule = text_schedule(self.recipe, self.sizes)
        if self.earlier:
            carry_over(block, self.earlier, self.context)
            schedule = shorten(schedule)
        else:
            block.start_projection(to_tensor(self._text_of(variation)))
        return block, self._train(block, schedule, "text block", variation)

    def id_block(self, variation: Variation | None = None) -> tuple[IdBlock, list[Epoch]]:
        """Trained, with its learning curve. Of a variation only `times` and `gate` matter here."""
        variation = _of_behaviour(variation)
        torch.manual_seed(self.seed)
        block = IdBlock(self.shape(variation))
        beside = spectral_vectors(self.dataset, self.split, dim=self.recipe.id_dim, window=self.recipe.id_window)
        schedule = id_schedule(self.recipe, self.sizes)
        if self.earlier:
            start_from(block, beside, self.earlier, self.context)
            schedule = shorten(schedule)
        else:
            block.start_items(to_tensor(beside))
        return block, self._train(block, schedule, "ID block", variation)

    def sasrec(self, variation: Variation | None = None) -> tuple[SasRecBlock, list[Epoch]]:
        """The trained baseline, of the sizes of our ID block, with its learning curve; variations as there."""
        variation = _of_behaviour(variation)
        torch.manual_seed(self.seed)
        block = SasRecBlock(self.shape(variation))
        return block, self._train(block, sasrec_schedule(self.recipe, self.sizes), "SASRec", variation)

    def parts(self, text: TextBlock | None, id_: SasRecBlock | None, variation: Variation | None = None) -> BlockParts:
        """What a blend of these blocks is made of. variation: the one that they were trained with."""
        variation = variation if text else _of_behaviour(variation)
        liked = liked_in_training(self.dataset, self.split)
        at_s = self.dataset.at_s[liked] * self.dataset.has_times  # without a clock every part of the week is the same
        rows, n_items = self.dataset.rows[liked], self.dataset.n_items
        prior, unseen = popularity_prior(rows, at_s, n_items), unseen_events(rows, at_s, n_items)
        trends = Trends.of(self.dataset, liked, long_run_share(self.n_events, unseen))
        return BlockParts(self.histories(variation), self.n_events, unseen, prior, trends, text, id_)

    def _text_of(self, variation: Variation) -> FloatArray:
        if not variation.text:
            return np.empty((self.dataset.n_items, 0), dtype=np.float32)
        return self.text(tuned=variation.tuned_items, domain=variation.domain)

    def _train(self, block: Block, schedule: Schedule, name: str, variation: Variation) -> list[Epoch]:
        block.gate.requires_grad_(variation.gate)  # it starts at ones, and so it stays
        self.work.mkdir(parents=True, exist_ok=True)
        checkpoint = self.work / f"{name.replace(' ', '_')}{_tell(variation)}.pt"
        trainer = BlockTrainer(
            block,
            self.histories(variation),
            self.split,
            schedule,
            seed=self.seed,
            device=self.device,
            checkpoint=checkpoint,
        )
        return trainer.run(self.progress, name)


def _of_behaviour(told: Variation | None) -> Variation:
    """What of a variation matters to a block that reads no text: two that differ elsewhere share one training."""
    told = told or Variation()
    return Variation(text=False, times=told.times, gate=told.gate)


def _tell(variation: Variation) -> str:
    """What differs from the default, for a file's name: ".times_False"."""
    usual = Variation()
    changed = {
        field.name: getattr(variation, field.name)
        for field in dataclasses.fields(variation)
        if getattr(variation, field.name) != getattr(usual, field.name)
    }
    return "".join(f".{name}_{value}" for name, value in changed.items())


def text_schedule(recipe: Recipe, sizes: Sizes) -> Schedule:
    return dataclasses.replace(
        _schedule(recipe, sizes.text_epochs, recipe.text_patience, recipe.head_rate, recipe.batch_tokens),
        body_rate=recipe.body_rate,
        prior=1.0,
        mean_interest=recipe.mean_interest,
        routing=recipe.routing,
    )


def id_schedule(recipe: Recipe, sizes: Sizes) -> Schedule:
    schedule = _schedule(recipe, recipe.id_epochs, recipe.id_patience, recipe.id_rate, sizes.id_batch_tokens)
    return dataclasses.replace(schedule, prior=1.0)


def sasrec_schedule(recipe: Recipe, sizes: Sizes) -> Schedule:
    """The steps and rate of our ID block, no prior, and twice the epochs, since it starts from nothing."""
    return dataclasses.replace(id_schedule(recipe, sizes), prior=0.0, epochs=2 * recipe.id_epochs)


def _schedule(recipe: Recipe, epochs: int, patience: int, rate: float, batch_tokens: int) -> Schedule:
    return Schedule(
        epochs=epochs,
        patience=patience,
        body_rate=rate,
        head_rate=rate,
        history_events=recipe.history_events,
        batch_tokens=batch_tokens,
        weight_decay=recipe.weight_decay,
        warm_up=recipe.warm_up,
        clip=recipe.clip,
    )
