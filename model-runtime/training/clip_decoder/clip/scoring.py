# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's own logit scale and bias as the score formula of BUNDLE.md."""

import math

import numpy as np

from clip_decoder.bundle.scoring import Scoring

THRESHOLD = 0.5
TOP_K = 10
# below the mean of unrelated photos, a label is not a candidate for the decoder
CANDIDATE_CUTOFF = 0.0
# a label counts as present when it fits better than the best fit expected among this many unrelated photos
UNRELATED = 50


def head_scoring(width: int, photos: bool) -> Scoring:
    """The head's logit alone, as it was trained; without reference photos every label is a candidate."""
    return Scoring(1.0, 0.0, 0.0, THRESHOLD, TOP_K, CANDIDATE_CUTOFF if photos else -math.ceil(math.sqrt(width)))


def cosine_scoring(
    scale: float, bias: float | None, labels: np.ndarray, reference: np.ndarray, unrelated: np.ndarray | None
) -> Scoring:
    """Scores of a checkpoint without a head, from its logit scale and bias.

    labels: common labels, unit rows [L, D]. reference [R, D]: the bundle's. unrelated [U, D]: embeddings that stand for
    unrelated photos; None: the reference embeddings.

    With a bias (SigLIP) the score is sigmoid(scale * cosine + bias), exactly over even directions, and over photos with
    the labels' average statistics. Without one (CLIP) it is the contrastive softmax between an image and N unrelated
    ones, for cosines that are normally distributed with deviation s:
    sigmoid(scale * s * z - log N - (scale * s)^2 / 2).
    """
    mean, deviation = _statistics(labels, reference)
    if bias is None:
        unrelated_mean, unrelated_deviation = _statistics(labels, reference if unrelated is None else unrelated)
        spread = scale * unrelated_deviation
        bias = -scale * unrelated_mean - math.log(UNRELATED) - spread**2 / 2
    return Scoring(0.0, round(scale * deviation, 6), round(bias + scale * mean, 6), THRESHOLD, TOP_K, CANDIDATE_CUTOFF)


def _statistics(labels: np.ndarray, images: np.ndarray) -> tuple[float, float]:
    cosines = images.astype(np.float64) @ labels.T.astype(np.float64)  # [R, L]
    return float(cosines.mean()), float(cosines.std(0).mean())
