# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The common form of every checkpoint, whichever library wrote it."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from clip_decoder.errors import ClipError
from clip_decoder.resize_rules import RESIZE_RULES


@dataclass(frozen=True)
class PixelRule:
    """How a photo becomes the image tower's input: resized to ``size``, scaled to [0, 1], less ``mean``, over ``std``."""

    size: int
    resize: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self):
        if self.resize not in RESIZE_RULES:
            raise ClipError(f"unknown resize rule {self.resize!r}; one of {', '.join(RESIZE_RULES)}")


@dataclass(frozen=True)
class Towers:
    """A checkpoint's two towers and its authors' settings for them.

    ``image``: normalised pixels float [B, 3, S, S] -> features [B, T, C] after the last layer norm (a ViT's class token
    first; a ResNet's last feature map, row by row), embedding [B, D] of any norm. Its method ``patches`` gives patch
    embeddings [B, P, D] in the space of the labels, row by row, and the same embedding: the last attention is replaced by
    each patch's own value (MaskCLIP, Zhou et al. 2022, arXiv 2112.01071), since pooling mixes what patches show.
    ``text``: input_ids and attention_mask int64 [L, S] with S up to ``context`` -> embedding [L, D] of any norm.
    ``logit_bias`` is set for checkpoints trained with the sigmoid loss (SigLIP).
    """

    name: str
    image: nn.Module
    text: nn.Module
    tokenizer: Tokenizer
    pixels: PixelRule
    context: int
    logit_scale: float
    logit_bias: float | None
    templates: tuple[str, ...]

    def tokenize(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """input_ids and attention_mask [L, S], right-padded with zeros to the longest; ClipError if one is too long."""
        encodings = self.tokenizer.encode_batch(texts)
        longest = max(len(encoding.ids) for encoding in encodings)
        if longest > self.context:
            raise ClipError(f"a text has {longest} tokens, the text tower takes at most {self.context}: shorten it")
        ids = torch.zeros(len(texts), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
            mask[row, : len(encoding.ids)] = 1
        return ids, mask


class ImageGraph(nn.Module):
    """pixels uint8 [B, S, S, 3] RGB -> tokens [B, T, W] where there is a ``projection`` [C -> W], embedding [B, D], unit"""

    def __init__(self, tower: nn.Module, rule: PixelRule, projection: nn.Linear | None):
        super().__init__()
        self.tower = tower
        self.projection = projection
        self.register_buffer("mean", torch.tensor(rule.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(rule.std).view(1, 3, 1, 1) * 255)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        normalised = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std  # [B, 3, S, S]
        features, embedding = self.tower(normalised)
        unit = F.normalize(embedding, dim=-1)
        return (unit,) if self.projection is None else (F.relu(self.projection(features)), unit)


class TextGraph(nn.Module):
    """input_ids, attention_mask [L, S] -> embedding [L, D], unit rows"""

    def __init__(self, tower: nn.Module):
        super().__init__()
        self.tower = tower

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return F.normalize(self.tower(input_ids, attention_mask), dim=-1)


def last_attended(states: Tensor, attention_mask: Tensor) -> Tensor:
    """The state of each text's end token: states [L, S, H], mask [L, S] of right-padded texts -> [L, H]"""
    return states[torch.arange(states.shape[0]), attention_mask.sum(1) - 1]


def pad_to(input_ids: Tensor, attention_mask: Tensor, length: int, pad_id: int, left: bool) -> Tensor:
    """Texts padded as towers with a fixed length were trained on: [L, S] with S up to ``length`` -> [L, length]"""
    padding = torch.full((1, length), pad_id, dtype=torch.long).expand(input_ids.shape[0], length)
    filled = torch.where(attention_mask > 0, input_ids, torch.full_like(input_ids, pad_id))
    if left:
        return torch.cat([padding, filled], 1)[:, -length:]
    return torch.cat([filled, padding], 1)[:, :length]
