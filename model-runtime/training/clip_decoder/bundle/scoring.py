# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Scores as BUNDLE.md defines them."""

from dataclasses import dataclass

import numpy as np

SMALLEST_DEVIATION = 1e-6
NEAREST = 20
# Cosine to the nearest training label: up to FAR a label is unfamiliar, from NEAR on it is fully familiar.
FAR = 0.5
NEAR = 1.0


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


def nearness(embeddings: np.ndarray, vocabulary: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """How near images are to labels in general: the mean z of the nearest labels of a vocabulary [V, D] -> [B].

    Some images are near to everything. What counts is how much nearer an image is to a label than to its nearest labels
    on average (CSLS, Conneau et al. 2018, arXiv 1710.04087, against hubness). Without a vocabulary, V = 0, nothing is
    subtracted.
    """
    if not len(vocabulary):
        return np.zeros(len(embeddings), np.float32)
    z = standardised_cosine(embeddings, vocabulary, reference)
    return np.sort(z, 1)[:, -NEAREST:].mean(1)


def familiarity(labels: np.ndarray, vocabulary: np.ndarray) -> np.ndarray:
    """How far to trust the decoder with labels [L, D]: how near each is to one that it was trained with -> [L].

    Beside the cosine, a decoder helps with labels that it has learned and misleads with others (Socher et al. 2013 also
    tell the two apart by novelty). Without a vocabulary [V, D], V = 0, it is trusted with all labels.
    """
    if not len(vocabulary):
        return np.ones(len(labels), np.float32)
    return np.clip(((labels @ vocabulary.T).max(1) - FAR) / (NEAR - FAR), 0, 1)


def scores(logits: np.ndarray | None, z: np.ndarray, scoring: Scoring) -> np.ndarray:
    """logits [B, L] (None without a decoder), z [B, L] -> scores in (0, 1), [B, L]"""
    blended = scoring.cosine_weight * z + scoring.bias
    if logits is not None:
        blended = blended + scoring.decoder_weight * logits
    return 1 / (1 + np.exp(-blended))
