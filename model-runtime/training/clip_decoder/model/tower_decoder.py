# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""CLIP-Decoder as its paper has it: CLIP's own image tower, trained on, with ML-Decoder on its last feature map."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clip_decoder.model.clip_decoder import INITIAL_TEMPERATURE, MAX_SCALE
from clip_decoder.model.ml_decoder import MLDecoder, MLDecoderConfig


class TowerDecoder(nn.Module):
    """Image tower, token projection and decoder with a learned temperature.

    ``tower``: normalised pixels [B, 3, S, S] -> features [B, T, C], embedding [B, E]. ``projection``: from E to the width
    of label vectors, for a ResNet that lost its attention pooling; else the identity. ``mean``, ``std``: of pixels in
    [0, 1]. Pixels are float or uint8 RGB in [0, 255], [B, 3, S, S].
    """

    def __init__(
        self,
        tower: nn.Module,
        projection: nn.Module,
        feature_size: int,
        label_size: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        decoder: MLDecoderConfig,
    ):
        super().__init__()
        self.tower = tower
        self.projection = projection
        self.tokens = nn.Linear(feature_size, decoder.width)
        self.embedding_token = nn.Linear(label_size, decoder.width) if decoder.embedding_token else None
        self.decoder = MLDecoder(decoder, label_size)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / INITIAL_TEMPERATURE)))
        self.cosine_log_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.cosine_bias = nn.Parameter(torch.tensor(-4.0))
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1) * 255, persistent=False)

    def encode(self, pixels: Tensor, dropout: float = 0.0) -> tuple[Tensor, Tensor]:
        """Tokens [B, T, W], the embedding's own last if there is one, and the embedding [B, D] of unit norm."""
        features, pooled = self.tower((pixels.float() - self.mean) / self.std)
        embedding = F.normalize(self.projection(pooled).float(), dim=-1)
        if dropout > 0:
            features = F.dropout1d(features.transpose(1, 2), dropout).transpose(1, 2)
        tokens = F.relu(self.tokens(features))
        if self.embedding_token is None:
            return tokens, embedding
        last = F.relu(self.embedding_token(embedding * embedding.shape[1] ** 0.5)).unsqueeze(1)
        return torch.cat([tokens, last.to(tokens.dtype)], 1), embedding

    def cosine_logits(self, embedding: Tensor, labels: Tensor) -> Tensor:
        """embedding [B, D], labels [L, D] -> [B, L]"""
        return self.cosine_log_scale.exp() * embedding @ labels.T + self.cosine_bias

    def contrastive_scale(self) -> Tensor:
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def training_mode(self) -> None:
        self.train()

    def trained_parts(self, _first_stage: int) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Everything that is new, and the tower."""
        tower = list(self.tower.parameters())
        known = {id(parameter) for parameter in tower}
        return [one for one in self.parameters() if id(one) not in known], tower
