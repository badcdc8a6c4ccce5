# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Teaching a finished bundle words that captions leave out, from a few hundred photos judged by eye.

Nobody writes that there is sky in a photo. Training counts anything that a caption does not name as absent, so such
words are ranked well but scored far too low. Each gets a small linear head in the decoder graph, fitted to the
judgements on top of the bundle's own score. All other scores of the bundle stay as they were.
"""

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from clip_decoder.bundle.graphs import check_independence, difference
from clip_decoder.bundle.scoring import scores, standardised_cosine
from clip_decoder.bundle.self_test import synthetic_pixels
from clip_decoder.bundle.served import ServedBundle
from clip_decoder.bundle.word_heads import WordHeads, add_heads, features
from clip_decoder.bundle.writer import CHECK_BATCH, PARITY_TOLERANCE, BundleIdentity, sha256
from clip_decoder.data.images import ImageStore
from clip_decoder.data.scenery import FEWEST_PRESENT, Scenery
from clip_decoder.errors import ExportError
from clip_decoder.metrics import average_precision
from clip_decoder.text import TextEncoder

PENALTIES = (1.0, 0.3, 0.1, 0.03)
FOLDS = 5
# A head is worth adding where captions misled: where it removes a third of the log-loss on left-out photos and hardly
# harms their ranking.
LARGEST_LOSS_SHARE = 2 / 3
LARGEST_PRECISION_LOSS = 0.05
FEWEST_DECISIONS = 5
HIGHEST_THRESHOLD = 0.9
THRESHOLD_STEP = 0.05


@dataclass(frozen=True)
class Taught:
    """``thresholds``: by word; ``penalty``: the ridge penalty that best predicted left-out photos."""

    words: list[str]
    heads: WordHeads
    thresholds: dict[str, float]
    penalty: float


def teach(
    bundle: ServedBundle,
    scenery: Scenery,
    store: ImageStore,
    text: TextEncoder,
    identity: BundleIdentity,
    precision: float,
    seed: int,
    output: Path,
) -> Taught:
    """Writes the bundle with heads for the judged words that at least ten photos show; ``scenery``: photos to learn from.

    A word's threshold is the lowest, from the bundle's own up, at which tags reach ``precision`` on photos left out of
    the fit. A word that has no such threshold below 0.95, or that gains nothing, keeps what it had.
    """
    if bundle.scoring.decoder_weight <= 0:
        raise ValueError(f"{bundle.directory}: its decoder has no weight in the scores, so that heads in it would be mute")
    rows = {row["name"]: row for row in bundle.vocabulary()}
    shown = (scenery.present & scenery.known).sum(0)
    words = [word for word, count in zip(scenery.words, shown, strict=True) if count >= FEWEST_PRESENT and word in rows]
    scenery = scenery.columns(words)
    labels = bundle.label_vectors(text, [rows[word] for word in words])
    tokens, embeddings = bundle.encode(store, scenery.images)
    z = standardised_cosine(embeddings, labels, bundle.reference)
    scoring = bundle.scoring
    before = scoring.decoder_weight * bundle.logits(tokens, labels) + scoring.cosine_weight * z + scoring.bias  # [N, W]
    found = fit_heads(features(tokens), before, scenery, np.random.default_rng(seed))
    chosen, thresholds = [], {}
    for column, word in enumerate(words):
        known = scenery.known[:, column]
        right = scenery.present[known, column]
        threshold = lowest_threshold(found.left_out[known, column], right, scoring.default_threshold, precision)
        if threshold is not None and gains(before[known, column], found.left_out[known, column], right):
            chosen.append(column)
            thresholds[word] = threshold
    heads = WordHeads(
        labels[chosen], found.weights[chosen] / scoring.decoder_weight, found.biases[chosen] / scoring.decoder_weight
    )
    taught = Taught([words[column] for column in chosen], heads, thresholds, found.penalty)
    _write(bundle, taught, tokens[:CHECK_BATCH], labels, text, identity, output)
    return taught


@dataclass(frozen=True)
class FittedHeads:
    """``weights`` [W, F] and ``biases`` [W] in log-odds; ``left_out`` [N, W]: scores by heads that had not seen the photo."""

    weights: np.ndarray
    biases: np.ndarray
    left_out: np.ndarray
    penalty: float


def fit_heads(inputs: np.ndarray, before: np.ndarray, scenery: Scenery, generator: np.random.Generator) -> FittedHeads:
    """Ridge-penalised logistic regression of what is present, on top of the log-odds ``before`` [N, W]; inputs [N, F].

    One penalty for all words, by cross-validation over photos.
    """
    center, spread = inputs.mean(0), (inputs.std(0) + 1e-3) * inputs.shape[1] ** 0.5
    scaled = (inputs - center) / spread
    folds = generator.permutation(len(inputs)) % FOLDS
    by_penalty = {}
    for penalty in PENALTIES:
        odds = np.zeros_like(before)
        for fold in range(FOLDS):
            inside, outside = folds != fold, folds == fold
            for word in range(before.shape[1]):
                weights, bias = _fit_head(scaled, before, scenery, word, inside, penalty)
                odds[outside, word] = before[outside, word] + scaled[outside] @ weights + bias
        loss = np.logaddexp(0, odds) - scenery.present * odds
        by_penalty[penalty] = float(loss[scenery.known].mean()), odds
    penalty = min(by_penalty, key=lambda one: by_penalty[one][0])
    everything = np.ones(len(inputs), bool)
    fitted = [_fit_head(scaled, before, scenery, word, everything, penalty) for word in range(before.shape[1])]
    weights = np.stack([weights / spread for weights, _ in fitted])
    biases = np.array([bias for _, bias in fitted]) - weights @ center
    return FittedHeads(weights, biases, 1 / (1 + np.exp(-by_penalty[penalty][1])), penalty)


def gains(before: np.ndarray, left_out: np.ndarray, right: np.ndarray) -> bool:
    """Whether a head's scores [n] for left-out photos justify it, compared with the log-odds [n] without one."""
    after = np.log(left_out) - np.log1p(-left_out)
    losses = [float((np.logaddexp(0, odds) - right * odds).mean()) for odds in (before, after)]
    precisions = [average_precision(odds, right) for odds in (before, after)]
    return losses[1] <= LARGEST_LOSS_SHARE * losses[0] and precisions[1] >= precisions[0] - LARGEST_PRECISION_LOSS


def lowest_threshold(scores: np.ndarray, right: np.ndarray, default: float, precision: float) -> float | None:
    """The lowest threshold from ``default`` up at which tags reach ``precision``; None if there is none below 0.95.

    Fewer than five tags prove nothing: the default is kept, or the last threshold that had at least five.
    """
    for threshold in np.arange(default, HIGHEST_THRESHOLD + 1e-9, THRESHOLD_STEP):
        tagged = scores >= threshold
        if tagged.sum() < FEWEST_DECISIONS or right[tagged].mean() >= precision:
            return round(float(threshold), 2)
    return None


def _fit_head(
    inputs: np.ndarray, before: np.ndarray, scenery: Scenery, word: int, inside: np.ndarray, penalty: float
) -> tuple[np.ndarray, float]:
    rows = inside & scenery.known[:, word]
    x, start, present = inputs[rows], before[rows, word], scenery.present[rows, word].astype(np.float64)
    size = x.shape[1]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights = parameters[:size]
        odds = start + x @ weights + parameters[size]
        error = 1 / (1 + np.exp(-odds)) - present
        value = (np.logaddexp(0, odds) - present * odds).sum() + penalty * (weights**2).sum() / 2
        return float(value), np.append(x.T @ error + penalty * weights, error.sum())

    found = minimize(loss, np.zeros(size + 1), jac=True, method="L-BFGS-B").x
    return found[:size], float(found[size])


def _write(
    bundle: ServedBundle,
    taught: Taught,
    tokens: np.ndarray,
    labels: np.ndarray,
    text: TextEncoder,
    identity: BundleIdentity,
    output: Path,
) -> None:
    """The new bundle directory; ExportError where the new graph does not add what the heads compute."""
    output.mkdir(parents=True, exist_ok=True)
    description = bundle.description
    (output / "bundle.json").unlink(missing_ok=True)
    graph = output / description["decoder"]["file"]
    add_heads(bundle.directory / description["decoder"]["file"], taught.heads, tokens.shape[1], graph)
    kept = [description["image"]["file"], description["reference"]["file"], description["text"]["center"]]
    for name in (*kept, description["selfTest"]["pixels"]):
        shutil.copyfile(bundle.directory / name, output / name)
    description = {
        **description,
        **{name: getattr(identity, name) for name in ("id", "version", "generation", "license", "provenance")},
        "decoder": description["decoder"] | {"sha256": sha256(graph)},
    }
    (output / "bundle.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    made = ServedBundle(output)
    gap = difference(bundle.logits(tokens, labels) + taught.heads.added(tokens, labels), made.logits(tokens, labels))
    if not gap <= PARITY_TOLERANCE:
        raise ExportError(f"{graph.name}: heads add something else than they should, by {gap:.2e}")
    feed = {"tokens": tokens, "labels": labels}
    check_independence(graph, feed, "tokens", 0)
    check_independence(graph, feed, "labels", 1)
    _write_self_test(made, text)
    with open(output / "vocabulary.csv", "w", encoding="utf-8", newline="") as file:
        rows = bundle.vocabulary()
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            own = taught.thresholds.get(row["name"])
            if own is not None:
                row["threshold"] = "" if own == bundle.scoring.default_threshold else own
            writer.writerow(row)


def _write_self_test(bundle: ServedBundle, text: TextEncoder) -> None:
    test = bundle.description["selfTest"]
    size = bundle.description["image"]["size"]
    pixels = synthetic_pixels(CHECK_BATCH, size)[: test["images"]]
    if pixels.tobytes() != (bundle.directory / test["pixels"]).read_bytes():
        raise ExportError(f"{test['pixels']} does not hold the pixels of the self-test")
    labels = bundle.label_vectors(text, [{"name": name, "prompts": ""} for name in test["labels"]])
    tokens, embeddings = bundle.run(pixels)
    z = standardised_cosine(embeddings, labels, bundle.reference)
    found = scores(bundle.logits(tokens, labels), z, bundle.scoring)
    test["scores"] = [[round(float(score), 6) for score in row] for row in found]
    path = bundle.directory / "bundle.json"
    path.write_text(json.dumps(bundle.description, indent=2) + "\n", encoding="utf-8")
