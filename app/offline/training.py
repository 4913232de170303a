"""One training loop for both blocks: epochs of windows, early stopping on validation, a checkpoint after every epoch.

Randomness is drawn anew from (seed, epoch) at the start of each epoch, so a run that was killed and resumed from its
checkpoint ends with the same bytes as one that was not.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor

from app.domain import IntArray
from app.offline.metrics import ndcg_at
from app.offline.questions import rank_targets, sample_questions, training_counts
from app.offline.split import Split
from app.offline.windows import NOBODY, Histories, batches, draw_windows
from app.scoring.prior import LEAST_EVENTS
from models.events import to_tensor
from models.losses import interest_cross_entropy, mean_interest_cross_entropy, routing_balance
from models.space import Block

SCORE_BATCH = 128
PRIOR_SHARES = (0.0, 0.5, 1.0)
"""Of the prior that a block was trained with, to judge an epoch by: what a block learns beside the prior is worth
little without it, and how much of it the blend will take is not known yet. The best counts."""


@dataclass(frozen=True)
class Schedule:
    """How one block is trained. rates: learning rate of the pretrained body and of everything new. prior: weight of
    the log of an item's training events in the softmax; see `models.losses`."""

    epochs: int
    patience: int
    body_rate: float
    head_rate: float
    history_events: int
    batch_tokens: int
    weight_decay: float
    warm_up: float
    clip: float
    prior: float = 0.0
    mean_interest: float = 0.0
    routing: float = 0.0


@dataclass(frozen=True)
class Epoch:
    """One line of a learning curve."""

    epoch: int
    loss: float
    ndcg10: float


class BlockTrainer:
    """Trains one block; `run` leaves the block with the weights of its best epoch."""

    def __init__(
        self,
        block: Block,
        histories: Histories,
        split: Split,
        schedule: Schedule,
        *,
        seed: int,
        device: torch.device,
        checkpoint: Path,
    ) -> None:
        self.block = block.to(device)
        self.histories = histories
        self.split = split
        self.schedule = schedule
        self.seed = seed
        self.device = device
        self.checkpoint = checkpoint
        self.text = to_tensor(histories.text).to(device)
        counts = training_counts(histories.dataset, split)
        self.log_counts = np.log(np.maximum(counts, LEAST_EVENTS)).astype(np.float32)
        self.places = _places_in_softmax(counts)
        self.in_softmax = torch.from_numpy(np.flatnonzero(self.places >= 0)).to(device)
        self.log_prior = schedule.prior * torch.from_numpy(counts[counts > 0]).to(device).float().log()
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), weight_decay=schedule.weight_decay)
        self.curve: list[Epoch] = []
        self.best: dict[str, Tensor] = {}

    def run(self, progress: Progress, name: str) -> list[Epoch]:
        """Train until the last epoch, or until `patience` epochs brought nothing. Resumes from the checkpoint."""
        self._resume()
        task = progress.add_task(name, total=self.schedule.epochs, completed=len(self.curve))
        while not self._finished():
            loss = self._train_epoch(progress, task)
            self._validate(loss)
            self._save()
            progress.update(task, completed=len(self.curve))
        progress.update(task, completed=self.schedule.epochs)
        self.block.load_state_dict(self.best)
        self.block.eval()
        return self.curve

    def _finished(self) -> bool:
        if len(self.curve) >= self.schedule.epochs:
            return True
        best = max(range(len(self.curve)), key=lambda place: self.curve[place].ndcg10, default=0)
        return len(self.curve) - best > self.schedule.patience

    def _train_epoch(self, progress: Progress, task: Any) -> float:
        epoch = len(self.curve)
        torch.manual_seed(self.seed * 1_000 + epoch)
        rng = np.random.default_rng([self.seed, epoch])
        windows = draw_windows(self.histories.dataset, self.split.train, self.schedule.history_events, rng)
        cut = batches(windows, self.schedule.batch_tokens, rng)
        total, steps = 0.0, len(cut)
        self.block.train()
        for step, window in enumerate(cut):
            self._set_rates((epoch + step / steps) / self.schedule.epochs)
            loss = self._loss(window)
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.block.parameters(), self.schedule.clip)
            self.optimizer.step()
            total += float(loss.detach())
            progress.update(task, completed=epoch + (step + 1) / steps)
        return total / steps

    def _loss(self, window: IntArray) -> Tensor:
        inputs, targets = window[:, :-1], window[:, 1:]
        real = (targets != NOBODY) & (self.histories.dataset.weights[targets] > 0)  # a refusal is read, never predicted
        context = self.histories.contexts(targets[real], inputs[real]).to(self.device)
        interests = self.block.interests(self.histories.events(inputs).to(self.device))  # (B, H, K, D)
        chosen = self.block.gate.ask(interests[torch.from_numpy(real).to(self.device)], context)  # (P, K, D)
        rows = self.histories.dataset.rows[targets[real]]
        places = torch.from_numpy(self.places[rows]).to(self.device)
        items = self.block.items(self.text)[self.in_softmax]
        loss = interest_cross_entropy(chosen, items, places, self.log_prior)
        if self.schedule.mean_interest and chosen.shape[1] > 1:
            mean = mean_interest_cross_entropy(chosen, items, places, self.log_prior)
            balance = routing_balance(chosen, items, places)
            loss = loss + self.schedule.mean_interest * mean + self.schedule.routing * balance
        return loss

    def _validate(self, loss: float) -> None:
        epoch = Epoch(len(self.curve), loss, self._ndcg10(sample_questions(self.split.validation)))
        if not self.curve or epoch.ndcg10 > max(done.ndcg10 for done in self.curve):
            self.best = {name: weights.detach().clone() for name, weights in self.block.state_dict().items()}
        self.curve.append(epoch)

    @torch.inference_mode()
    def _ndcg10(self, questions: IntArray) -> float:
        self.block.eval()
        items = self.block.items(self.text)
        weights = sorted({share * self.schedule.prior for share in PRIOR_SHARES})
        total = np.zeros(len(weights))
        for start in range(0, len(questions), SCORE_BATCH):
            asked = questions[start : start + SCORE_BATCH]
            scores = score_by_block(self.block, self.histories, asked, items)
            for place, weight in enumerate(weights):
                ranks = rank_targets(self.histories.dataset, asked, scores + weight * self.log_counts)
                total[place] += ndcg_at(ranks, 10).sum()
        return float(total.max()) / len(questions)

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """The pretrained body learns slowly; biases and norms do not decay."""
        groups: dict[tuple[bool, bool], list[Tensor]] = {}
        for name, weights in self.block.named_parameters():
            body, decays = ".transformer." in f".{name}", weights.ndim > 1
            groups.setdefault((body, decays), []).append(weights)
        return [
            {
                "params": weights,
                "top_rate": self.schedule.body_rate if body else self.schedule.head_rate,
                **({} if decays else {"weight_decay": 0.0}),
            }
            for (body, decays), weights in groups.items()
        ]

    def _set_rates(self, done: float) -> None:
        """Linear warm-up, then a cosine to a tenth."""
        warm = self.schedule.warm_up
        factor = done / warm if done < warm else 0.55 + 0.45 * math.cos(math.pi * (done - warm) / (1 - warm))
        for group in self.optimizer.param_groups:
            group["lr"] = group["top_rate"] * max(factor, 1e-3)

    def _save(self) -> None:
        state = {
            "block": self.block.state_dict(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "curve": [(epoch.epoch, epoch.loss, epoch.ndcg10) for epoch in self.curve],
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def _resume(self) -> None:
        if not self.checkpoint.is_file():
            return
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.block.load_state_dict(state["block"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best = state["best"]
        self.curve = [Epoch(*line) for line in state["curve"]]


def _places_in_softmax(counts: IntArray) -> IntArray:
    """(N,): the place of each item among those with training events, -1 for the others (see `models.losses`)."""
    trained_on = counts > 0
    return np.where(trained_on, np.cumsum(trained_on) - 1, -1).astype(np.int64)


@torch.inference_mode()
def score_by_block(block: Block, histories: Histories, asked: IntArray, items: Tensor) -> np.ndarray:
    """(Q, N) float32 scores of every item by one block alone, in each question's own context.

    items: (N, D) of the block, computed once by whoever asks many batches.
    """
    block.eval()
    device = items.device
    context = histories.contexts(asked, asked - 1).to(device)
    interests = block.read(histories.events(histories.before(asked, block.max_events)).to(device))
    scores: np.ndarray = (block.gate.ask(interests, context) @ items.T).amax(dim=1).cpu().numpy()
    return scores
