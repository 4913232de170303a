"""A user's state, grown one event at a time: what the towers would compute of the whole history, without reading it.

Every row of attention depends on its own event and earlier ones only (see `models.events.TimeBias`), so keys and values
of past events never change. A new event costs one step of the towers; the request head, mean and MLP, is read off the
state. Same numbers as `Space.interests` up to rounding, as long as the state holds no more than `max_events` events.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from models.events import EventBatch
from models.space import Space

Past = list[tuple[Tensor, Tensor]]


@dataclass
class UserState:
    """Of one user, n events. `step` uses it up: whoever wants to go back keeps a copy.

    events: what was read, (1, n). items: (1, n, block_dim), the text blocks of its items. text_past: the user LLM's
    keys and values, a transformers cache. text_state: (1, hidden) after the last event. id_past: keys and values of the
    ID encoder's layers. id_state: (1, id_dim).
    """

    events: EventBatch
    items: Tensor
    text_past: Any
    text_state: Tensor
    id_past: Past
    id_state: Tensor

    def __len__(self) -> int:
        return int(self.events.rows.shape[1])

    @property
    def n_bytes(self) -> int:
        """Of the tensors it holds."""
        tensors = [self.items, self.text_state, self.id_state, self.events.text]
        tensors += [tensor for layer in self.text_past.layers for tensor in (layer.keys, layer.values)]
        tensors += [tensor for pair in self.id_past for tensor in pair]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@torch.inference_mode()
def read_state(space: Space, events: EventBatch) -> UserState:
    """The state of one history, (1, n), read from nothing."""
    from transformers import DynamicCache  # here, not above: importing transformers takes seconds

    encoder = space.text.encoder
    past = DynamicCache(config=encoder.transformer.config)
    places = torch.arange(events.rows.shape[1], device=events.rows.device).unsqueeze(0)
    states = _advance(encoder, events, encoder.time_bias(events.at_s), past, places)
    id_states, id_past = space.id.encoder.advance(events, space.id.encoder.time_bias(events.at_s))
    return UserState(events, space.text.items(events.text), past, states[:, -1], id_past, id_states[:, -1])


@torch.inference_mode()
def step(space: Space, state: UserState, event: EventBatch) -> UserState:
    """The state after one more event, (1, 1), whose `gaps` tell the time since the last one."""
    encoder, n = space.text.encoder, len(state)
    events = _join(state.events, event)
    places = torch.full((1, 1), n, device=event.rows.device)
    states = _advance(encoder, event, encoder.time_bias.last_row(events.at_s), state.text_past, places)
    bias = space.id.encoder.time_bias.last_row(events.at_s)
    id_states, id_past = space.id.encoder.advance(event, bias, state.id_past)
    items = torch.cat([state.items, space.text.items(event.text)], dim=1)
    return UserState(events, items, state.text_past, states[:, -1], id_past, id_states[:, -1])


@torch.inference_mode()
def interests_of(space: Space, state: UserState) -> Tensor:
    """(1, K, D), before the gate: the request head."""
    text = space.text
    about = text.pooling.read(state.items, state.events) + text.encoder.head(state.text_state)
    behaviour = space.id.interest_of(state.id_state, state.events) * space.blend.id
    return space.join(about * (text.log_scale.exp() * space.blend.text), behaviour)


def _advance(encoder: Any, events: EventBatch, mask: Tensor, past: Any, places: Tensor) -> Tensor:
    return encoder.transformer(
        inputs_embeds=encoder.tokens(events), attention_mask=mask, cache=past, use_cache=True, position_ids=places
    ).last_hidden_state


def _join(events: EventBatch, event: EventBatch) -> EventBatch:
    """Both, one after the other."""
    tables = ("rows", "at_s", "weights", "hours", "weekdays", "gaps")
    joined = {name: torch.cat([getattr(events, name), getattr(event, name)], dim=1) for name in ("text", *tables)}
    return EventBatch(**joined, lengths=events.lengths + event.lengths)
