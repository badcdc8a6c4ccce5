# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluation by the field's usual metrics, always beside three baselines on the same photos and labels."""

from dataclasses import dataclass

import numpy as np

from clip_decoder.metrics import chance_level, mean_average_precision, top1_accuracy, top_k

METHODS = ("blend", "decoder", "cosine", "class names")
FEWEST_POSITIVES = 3


@dataclass
class MethodScores:
    """Scores of every method for the same (image, label) pairs, [N, L] each.

    ``blend``: what a bundle serves. ``decoder``: its logits alone. ``cosine``: plain CLIP. ``class names``: the
    training-free baseline, the backbone's class probabilities times the classes' text vectors (ConSE).
    """

    by_method: dict[str, np.ndarray]
    embeddings: np.ndarray

    def columns(self, chosen: np.ndarray) -> "MethodScores":
        return MethodScores({name: scores[:, chosen] for name, scores in self.by_method.items()}, self.embeddings)


def method_scores(
    logits: np.ndarray,
    embeddings: np.ndarray,
    labels: np.ndarray,
    blend: np.ndarray,
    named: np.ndarray | None,
) -> MethodScores:
    """logits, blend [N, L]; embeddings [N, D]; labels [L, D]; named: the class-name baseline's embeddings [N, D]"""
    scores = {"blend": blend, "decoder": logits, "cosine": embeddings @ labels.T}
    if named is not None:
        norms = np.maximum(np.linalg.norm(named, axis=1, keepdims=True), 1e-9)
        scores["class names"] = named / norms @ labels.T
    return MethodScores(scores, embeddings)


@dataclass(frozen=True)
class MultiLabelResult:
    """One method on one set of labels; all in [0, 1].

    F1 by both conventions: over images that have one of the labels, and over all images (``top_k``).
    """

    method: str
    labels: int
    mean_average_precision: float
    f1_at_3: float
    f1_at_5: float
    f1_at_3_all_images: float
    f1_at_5_all_images: float
    chance: float


def frequent(targets: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which labels, bool [L], have the three positives that an average precision needs to mean much; [N, L] bool."""
    return (targets & known).sum(0) >= FEWEST_POSITIVES


def multi_label_results(scores: MethodScores, targets: np.ndarray, known: np.ndarray) -> list[MultiLabelResult]:
    """mAP over the labels with a positive, F1 among all labels; targets, known: bool [N, L]."""
    return [
        MultiLabelResult(
            method,
            int((targets & known).any(0).sum()),
            mean_average_precision(values, targets, known),
            top_k(values, targets, 3).f1,
            top_k(values, targets, 5).f1,
            top_k(values, targets, 3, labelled_only=False).f1,
            top_k(values, targets, 5, labelled_only=False).f1,
            chance_level(targets),
        )
        for method, values in scores.by_method.items()
    ]


@dataclass(frozen=True)
class SingleLabelResult:
    """How well one method names the one thing in each photo, among all names of the set."""

    method: str
    labels: int
    top1: float
    mean_average_precision: float
    chance: float


def single_label_results(scores: MethodScores, answer: np.ndarray) -> list[SingleLabelResult]:
    """answer: int [N], the correct column of every photo."""
    count = next(iter(scores.by_method.values())).shape[1]
    targets = np.eye(count, dtype=bool)[answer]
    return [
        SingleLabelResult(
            method, count, top1_accuracy(values, answer), mean_average_precision(values, targets), 1 / count
        )
        for method, values in scores.by_method.items()
    ]


def tag_counts(source: str, scores: np.ndarray, thresholds: np.ndarray, most: int) -> dict:
    """How many tags photos get: scores [N, L], thresholds [L], at most ``most`` per photo."""
    counts = np.minimum((scores >= thresholds).sum(1), most)
    return {
        "source": source,
        "photos": len(scores),
        "tags_per_photo": float(counts.mean()),
        "untagged": float((counts == 0).mean()),
        "three_to_eight": float(((counts >= 3) & (counts <= 8)).mean()),
    }


def served_tags(scores: np.ndarray, thresholds: np.ndarray, most: int) -> np.ndarray:
    """Which labels a worker emits, bool [N, L]: from the threshold up, the ``most`` best of a photo."""
    best = np.zeros(scores.shape, bool)
    np.put_along_axis(best, np.argsort(-np.where(scores >= thresholds, scores, -1), 1, kind="stable")[:, :most], True, 1)
    return best & (scores >= thresholds)
