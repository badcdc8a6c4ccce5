# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Scores as BUNDLE.md defines them."""

from dataclasses import dataclass

import numpy as np

SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True)
class Scoring:
    """score = sigmoid(decoder_weight * logit + cosine_weight * z + bias)"""

    decoder_weight: float
    cosine_weight: float
    bias: float
    default_threshold: float
    top_k: int
    candidate_cutoff: float
    candidate_prior_weight: float = 0.0


def standardised_cosine(embeddings: np.ndarray, labels: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """z: embeddings [B, D], labels [L, D], reference [R, D] -> [B, L]"""
    background = reference @ labels.T  # [R, L]
    deviation = np.maximum(background.std(0), SMALLEST_DEVIATION)
    return (embeddings @ labels.T - background.mean(0)) / deviation


def scores(logits: np.ndarray | None, z: np.ndarray, scoring: Scoring) -> np.ndarray:
    """logits [B, L] (None without a decoder), z [B, L] -> scores in (0, 1), [B, L]"""
    blended = scoring.cosine_weight * z + scoring.bias
    if logits is not None:
        blended = blended + scoring.decoder_weight * logits
    return 1 / (1 + np.exp(-blended))
