# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Multi-label metrics as the zero-shot tagging literature defines them (NUS-WIDE protocol, Huynh and Elhamifar 2020)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
    """Area under the precision-recall steps of one label: scores [N], targets bool [N]; nan without a positive.

    Equal scores are ranked together, so that the order of the images does not matter.
    """
    positives = int(targets.sum())
    if positives == 0:
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(targets[order])
    # The last position of every run of equal scores is a threshold.
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    precision = hits[ends] / (ends + 1)
    recall = hits[ends] / positives
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * precision))


def mean_average_precision(scores: np.ndarray, targets: np.ndarray, known: np.ndarray | None = None) -> float:
    """Mean over the labels that have a positive; scores, targets (bool) and known (bool, optional): [N, L].

    Images whose ``known`` is False for a label do not count for that label.
    """
    values = []
    for label in range(scores.shape[1]):
        rows = slice(None) if known is None else known[:, label]
        values.append(average_precision(scores[rows, label], targets[rows, label]))
    finite = [value for value in values if not np.isnan(value)]
    return float(np.mean(finite)) if finite else float("nan")


def chance_level(targets: np.ndarray) -> float:
    """The mAP of random scores: the mean share of positives, over labels that have one."""
    share = targets.mean(0)
    return float(share[share > 0].mean())


@dataclass(frozen=True)
class TopK:
    """Precision, recall and F1 of the K best labels of every image, pooled over images, all in [0, 1]."""

    precision: float
    recall: float
    f1: float


def top_k(scores: np.ndarray, targets: np.ndarray, k: int, labelled_only: bool = True) -> TopK:
    """scores, targets (bool): [N, L].

    Two conventions are in use. With ``labelled_only``, images without any positive are left out. Without it, all count:
    their K labels are wrong, which lowers precision. Published zero-shot code (LESA, BiAM) counts all 107,859 test
    images of NUS-WIDE.
    """
    if labelled_only:
        labelled = targets.any(1)
        scores, targets = scores[labelled], targets[labelled]
    if not len(scores):
        return TopK(float("nan"), float("nan"), float("nan"))
    k = min(k, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]  # [N, k]
    hits = np.take_along_axis(targets, best, 1).sum()
    precision = hits / best.size
    recall = hits / max(targets.sum(), 1)
    f1 = 0.0 if hits == 0 else 2 * precision * recall / (precision + recall)
    return TopK(float(precision), float(recall), float(f1))


def top1_accuracy(scores: np.ndarray, target: np.ndarray) -> float:
    """scores [N, L], target int [N]"""
    return float((scores.argmax(1) == target).mean())


@dataclass(frozen=True)
class CalibrationBin:
    """Scores from ``low`` to ``high``: how many there are, their mean, and the share that was right."""

    low: float
    high: float
    count: int
    mean_score: float
    accuracy: float


def calibration_bins(scores: np.ndarray, targets: np.ndarray, weights: np.ndarray, bins: int = 10) -> list[CalibrationBin]:
    """Reliability over equally wide bins; scores in [0, 1], targets and weights of the same shape. Empty bins are left out."""
    edges = np.linspace(0, 1, bins + 1)
    index = np.clip(np.digitize(scores, edges[1:-1]), 0, bins - 1)
    found = []
    for number in range(bins):
        chosen = (index == number) & (weights > 0)
        total = weights[chosen].sum()
        if total > 0:
            found.append(
                CalibrationBin(
                    float(edges[number]),
                    float(edges[number + 1]),
                    int(chosen.sum()),
                    float((scores[chosen] * weights[chosen]).sum() / total),
                    float((targets[chosen] * weights[chosen]).sum() / total),
                )
            )
    return found


def expected_calibration_error(bins: list[CalibrationBin]) -> float:
    """The count-weighted gap between score and accuracy."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.mean_score - one.accuracy) for one in bins) / total if total else float("nan")


def interval(figure: Callable[[np.ndarray], float], count: int, seed: int = 2026, draws: int = 1000) -> tuple[float, float]:
    """The 95 % bootstrap interval of a figure of ``count`` photos, a function of row numbers.

    Photos that are drawn twice make ranking easier: intervals of average precisions lie a little too high.
    """
    generator = np.random.default_rng(seed)
    values = [figure(generator.integers(0, count, count)) for _ in range(draws)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
