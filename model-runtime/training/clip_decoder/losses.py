# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The two losses of CLIP-Decoder: asymmetric over labels, symmetric contrastive over image-text pairs."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class AsymmetricLossConfig:
    """Ridnik et al. 2021 (arXiv 2009.14119); the paper's CLIP-Decoder uses negative_focus 4, clip 0.05."""

    negative_focus: float = 4.0
    positive_focus: float = 0.0
    clip: float = 0.05


def asymmetric_loss(logits: Tensor, targets: Tensor, weights: Tensor, config: AsymmetricLossConfig) -> Tensor:
    """-w [y (1-p)^g+ log p + (1-y) q^g- log(1-q)], q = max(p - clip, 0); summed over labels, averaged over images.

    logits, targets in [0, 1], weights (0 masks): [B, L]. Soft targets mix both terms. Returns a scalar.
    """
    probability = torch.sigmoid(logits.float())
    shifted = (probability - config.clip).clamp(min=0) if config.clip > 0 else probability
    log_positive = F.logsigmoid(logits.float())
    log_negative = torch.log((1 - shifted).clamp(min=1e-8)) if config.clip > 0 else F.logsigmoid(-logits.float())
    positive = targets * (1 - probability) ** config.positive_focus * log_positive
    negative = (1 - targets) * shifted**config.negative_focus * log_negative
    return -(weights * (positive + negative)).sum(1).mean()


def contrastive_loss(images: Tensor, texts: Tensor, scale: Tensor, same: Tensor | None = None) -> Tensor:
    """Symmetric cross-entropy over scaled cosines (Radford et al. 2021, figure 3).

    images, texts: unit rows [B, D], paired by row. ``same`` [B, B], optional: True where two rows share a text, which
    then does not count as a negative. Returns a scalar.
    """
    logits = scale * images @ texts.T  # [B, B]
    if same is not None:
        diagonal = torch.eye(len(images), dtype=torch.bool, device=images.device)
        logits = logits.masked_fill(same & ~diagonal, float("-inf"))
    target = torch.arange(len(images), device=images.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
