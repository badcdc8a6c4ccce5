# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses how to serve a trained model: the shares of projection, decoder and cosine, and the threshold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clip_decoder.calibration import (
    FULLY_KNOWN,
    Answers,
    Calibration,
    choose_threshold,
    fit,
    label_thresholds,
)
from clip_decoder.data.dataset import CALIBRATE, TRAIN
from clip_decoder.data.everyday import EverydaySources
from clip_decoder.evaluation import MethodScores, method_scores
from clip_decoder.metrics import average_precision, mean_average_precision
from clip_decoder.prepared import Opened, Prepared, Reference

REFERENCE_COUNT = 512
LABEL_PRECISION = 0.6
PROJECTION_SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
DECODER_RATIOS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5)
PRIOR_WEIGHTS = (1.0, 2.0, 3.0)
SAFE_GAIN = 1.01
PAIRS_MARGIN = 0.002
OTHER_SOURCE = "caltech101"


def calibrate(prepared: Prepared) -> tuple[Calibration, Reference]:
    """The calibration, and the reference it is based on. Unseen labels are not used."""
    data = prepared.data
    rows = data.images.rows(None, CALIBRATE)
    sources = data.images.sources[rows]
    seen = data.labels.seen[data.labels.published()]
    names = [data.labels.names[index] for index in data.labels.published()[seen]]
    share, ratio = _choose_blend(prepared)
    prepared.project(share)
    reference = reference_photos(prepared)
    labels = prepared.served_labels()[seen]
    logits, embeddings = prepared.predict(rows, labels)
    z = reference.relative(embeddings, labels)
    prior = prepared.prior(reference, labels)
    known = answers(prepared, rows).columns(seen)
    balanced = replace(known, weights=balanced_weights(known.weights, sources))
    if prepared.config.tagging.blended:
        found = fit(logits, z, prior, balanced, ratio)
    else:
        found = replace(fit(logits, np.zeros_like(z), prior, balanced), cosine_weight=0.0)
    scores = found.scores(logits, z, prior)
    threshold = choose_threshold(scores, known, sources, found, prepared.config.tagging.precision)
    thresholds, hopeless = label_thresholds(
        scores,
        known,
        sources,
        found.naming_rates,
        names,
        threshold,
        LABEL_PRECISION,
        prepared.config.tagging.guarded,
    )
    return (
        replace(
            found, threshold=threshold, thresholds=thresholds, withheld=tuple(hopeless), projection_share=share
        ),
        reference,
    )


def answers(prepared: Opened, rows: np.ndarray) -> Answers:
    """What is known of the published labels on some photos.

    Absence is known where the label's evidence says so, and for people in photos of other things. Of the other labels,
    each source names a share of its own. Silence says nothing about labels on which the teacher is undecided, or about
    people where some may be present.
    """
    images, space = prepared.data.images, prepared.data.labels
    evidence = prepared.config.data.evidence
    published = space.published()
    attested = space.attested[published][None, :]
    targets = (images.targets[rows][:, published] >= 0.5).astype(np.float32)
    weights = images.weights[rows][:, published]
    uncaptioned = space.people[published][None, :] & (images.sources[rows] > 0)[:, None]
    # Weights are kept in half precision, in which 0.15 becomes slightly larger.
    nobody = uncaptioned & (weights >= weights.dtype.type(evidence.human_silence_weight))
    silent = (attested & (weights <= weights.dtype.type(evidence.silence_weight))) | (uncaptioned & ~nobody)
    groups = np.where(attested | nobody, FULLY_KNOWN, images.sources[rows][:, None] + 1)
    return Answers(targets, ((weights > 0) & ~(silent & (targets == 0))).astype(np.float32), groups)


def balanced_weights(weights: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Weights [N, L] scaled so that every source counts the same, however many photos it has."""
    balanced = weights.copy()
    for source in np.unique(sources):
        balanced[sources == source] /= max(weights[sources == source].sum(), 1e-9)
    return balanced


def reference_photos(prepared: Prepared) -> Reference:
    """At most 512 training images, the same number from each source that has enough."""
    images = prepared.data.images
    generator = np.random.default_rng(prepared.config.seed)
    trained = [name for name, count in prepared.config.training.images_per_source.items() if count]
    share = REFERENCE_COUNT // len(trained)
    return prepared.reference(
        np.concatenate(
            [
                generator.choice(pool, min(share, len(pool)), replace=False)
                for pool in (images.rows(name, TRAIN) for name in trained)
            ]
        )
    )


def scores_by_method(
    prepared: Prepared, rows: np.ndarray, labels: np.ndarray, calibration: Calibration, reference: Reference
) -> MethodScores:
    """Every method's scores for some photos and label vectors [L, D]."""
    logits, embeddings = prepared.predict(rows, labels)
    prior = prepared.prior(reference, labels)
    blend = calibration.scores(
        reference.trusted(logits, prior, labels), reference.relative(embeddings, labels), prior
    )
    return method_scores(logits, embeddings, labels, blend, class_name_embeddings(prepared, rows))


def class_name_embeddings(prepared: Opened, rows: np.ndarray) -> np.ndarray | None:
    """The training-free baseline's embeddings [R, D]: class probabilities times class-name vectors. None without
    classes."""
    data = prepared.data
    if data.class_texts is None:
        return None
    return data.cache.class_probabilities()[data.cache_rows[rows]] @ data.centred(data.class_texts)


@dataclass(frozen=True)
class Candidate:
    """A blend and its quality: over pairs of photo and label, label by label, and against the baseline elsewhere."""

    share: float
    ratio: float
    pairs: float
    labels: float
    gain: float


def choose(candidates: Sequence[Candidate]) -> Candidate:
    """The blend to serve.

    It must rank photos from another source better than the training-free baseline does; if none does, the nearest one
    is taken. Tags need the best ranking of all pairs together, but this hardly changes over a wide range of blends. So
    among all blends within ``PAIRS_MARGIN`` of the best, the one that best ranks the photos of each label is taken.
    """
    safe = [one for one in candidates if one.gain >= SAFE_GAIN]
    if not safe:
        return max(candidates, key=lambda one: one.gain)
    best = max(one.pairs for one in safe)
    return max((one for one in safe if one.pairs >= best - PAIRS_MARGIN), key=lambda one: one.labels)


def _choose_blend(prepared: Prepared) -> tuple[float, float | None]:
    """Projection share and decoder-to-cosine ratio, by ranking quality on the calibration photos.

    Only seen labels are ranked; photos from another source are ranked by the names of their own set, seen or not.
    Captioned photos and the others count equally. How common a label is, which only the decoder knows, counts through
    the prior; the prior is the same for all photos, so it does not change how a label ranks them. With data of one kind
    only, everything is left to the fit.
    """
    images, space = prepared.data.images, prepared.data.labels
    if prepared.config.data.kind != "everyday":
        return 1.0, None
    seen = space.seen[space.published()]
    labels = prepared.served_labels()[seen]
    rows = images.rows(None, CALIBRATE)
    known = answers(prepared, rows).columns(seen)
    captioned = (images.sources[rows] == 0)[:, None]
    parts = [captioned & (known.weights > 0), ~captioned & (known.weights > 0)]
    objects = images.rows(OTHER_SOURCE, CALIBRATE)
    truth = EverydaySources(prepared.folders.data).labels_of([images.names[row] for row in objects])
    names = sorted(set(truth))
    name_labels = prepared.name_vectors(prepared.text_encoder(), names)
    right = np.array(truth)[:, None] == np.array(names)[None, :]

    candidates = []
    for share in PROJECTION_SHARES:
        prepared.project(share)
        reference = reference_photos(prepared)
        prior = prepared.prior(reference, labels)
        logits, embeddings = prepared.predict(rows, labels)
        z = reference.relative(embeddings, labels)
        elsewhere = scores_by_method(prepared, objects, name_labels, Calibration(0, 1, 0), reference)
        z_elsewhere = reference.relative(elsewhere.embeddings, name_labels)
        trusted_elsewhere = reference.trusted(
            elsewhere.by_method["decoder"], prepared.prior(reference, name_labels), name_labels
        )
        floor = mean_average_precision(elsewhere.by_method["class names"], right)
        for ratio in DECODER_RATIOS:
            blended = ratio * logits + z
            candidate = Candidate(
                share,
                ratio,
                max(_pair_precision(blended + own * prior, known.targets, parts) for own in PRIOR_WEIGHTS),
                _label_precision(blended, known.targets, parts),
                mean_average_precision(ratio * trusted_elsewhere + z_elsewhere, right) / floor,
            )
            print(
                f"share {share} ratio {ratio}: pairs {candidate.pairs:.3f}, labels {candidate.labels:.3f}, "
                f"elsewhere x{candidate.gain:.3f}",
                flush=True,
            )
            candidates.append(candidate)
    chosen = choose(candidates)
    return chosen.share, chosen.ratio


def _pair_precision(scores: np.ndarray, targets: np.ndarray, parts: list[np.ndarray]) -> float:
    """Average precision over pairs of photo and label, averaged over some parts of them; all [N, L]."""
    return float(np.mean([average_precision(scores[part], targets[part] >= 0.5) for part in parts]))


def _label_precision(scores: np.ndarray, targets: np.ndarray, parts: list[np.ndarray]) -> float:
    """Average precision over the photos of each label, averaged over labels and then over some parts; all [N, L]."""
    return float(np.mean([mean_average_precision(scores, targets >= 0.5, part) for part in parts]))
