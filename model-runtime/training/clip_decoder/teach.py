# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Teaching a finished bundle words from photos that were judged for them: words that captions leave out, and small things.

Nobody writes that there is sky in a photo, or a fork on the table. Training counts anything that a caption does not name
as absent, so such words are ranked well at best, but scored far too low. Each gets a small linear head in the bundle's
graphs, fitted to the judgements on top of the bundle's own score. What is not judged stays unknown. All other scores of
published labels stay as they were.
"""

import csv
import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from clip_decoder.bundle.graphs import check_independence, difference
from clip_decoder.bundle.scoring import familiarity, scores, standardised_cosine
from clip_decoder.bundle.self_test import synthetic_pixels
from clip_decoder.bundle.served import ServedBundle
from clip_decoder.bundle.word_heads import (
    PlainDecoder,
    PoolingEncoder,
    WordHeads,
    add_heads,
    add_speakers,
    far_from,
    read_heads,
    training_labels,
)
from clip_decoder.bundle.writer import CHECK_BATCH, PARITY_TOLERANCE, BundleIdentity, sha256
from clip_decoder.calibration import GUARDED_PRECISION
from clip_decoder.data.images import ImageStore
from clip_decoder.data.scenery import Scenery
from clip_decoder.data.words import Word
from clip_decoder.errors import ExportError
from clip_decoder.metrics import average_precision
from clip_decoder.text import TextEncoder

FEWEST_PRESENT = 3
PENALTIES = (0.3, 0.1)
BIAS_PENALTY = 0.3
COMPONENTS = 300
STEPS = 60
FOLDS = 5
# As which heads of an earlier teaching count: those fitted to the same photos, apart from rounding.
SAME_HEADS = 0.05
# A head is worth adding where it brings scores nearer to what is there, on left-out photos, and hardly harms the ranking.
LARGEST_LOSS_SHARE = 0.95
LARGEST_PRECISION_LOSS = 0.02
# Few tags say little about a threshold: so many more are assumed to be right as often as their scores say. This number,
# the lowest threshold and the one where none can be shown to do are chosen by cross-validation over judged photos.
ASSUMED = 8
THRESHOLDS = np.round(np.arange(0.25, 0.96, 0.05), 2)
UNPROVED = 0.6
MOST_FALSE = 0.02


@dataclass(frozen=True)
class Taught:
    """``words``: those with a head; ``thresholds``: by word, also of new words without a head; ``penalty``: the ridge
    penalty that best predicted left-out photos; ``boost``: of new words' logits."""

    words: list[str]
    heads: WordHeads
    thresholds: dict[str, float]
    penalty: float
    boost: float


@dataclass(frozen=True)
class Named:
    """Photos [N] of a labelled source, each with the one name that the source gives it."""

    images: Sequence[str]
    names: Sequence[str]


@dataclass(frozen=True)
class Policy:
    """How thresholds are chosen: tags should be right with ``precision``, those of ``guarded`` words more often.

    ``candidate_cutoff``: the taught bundle's, which the common boost moves; None to keep it. ``headless``: words that get no
    head; ``stated``: thresholds that are not chosen here.
    """

    precision: float
    guarded: Collection[str] = ()
    candidate_cutoff: float | None = None
    headless: Collection[str] = ()
    stated: Mapping[str, float] = field(default_factory=dict)


def teach(
    bundle: ServedBundle,
    judged: Scenery,
    named: Sequence[Named],
    words: Sequence[Word],
    known: Collection[str],
    store: ImageStore,
    text: TextEncoder,
    identity: BundleIdentity,
    policy: Policy,
    seed: int,
    output: Path,
    keep_encoder: bool = False,
) -> Taught:
    """Writes the bundle with heads for the judged words; ``judged``: photos to learn from.

    ``words`` says what else words are called, and adds those to the vocabulary that it lacks; words that are not among
    the ``known`` ones of training are new. A word that a head does not help, or that would then rank the photos of a
    source in ``named`` worse, keeps its scores, and its threshold unless it is new.

    With ``keep_encoder``, the bundle was taught before, and its image encoder stays as it is, with the heads that it has.
    Only which of them count is chosen anew, with thresholds and the boost. ValueError where it has no heads, or such as
    were not fitted to these photos.
    """
    if bundle.scoring.decoder_weight <= 0:
        raise ValueError(f"{bundle.directory}: its decoder has no weight in the scores, so that heads in it would be mute")
    description, scoring = bundle.description, bundle.scoring
    old = bundle.vocabulary()
    rows = old + [word.row() for word in words if word.name not in {row["name"] for row in old}]
    names = [row["name"] for row in rows]
    shown = dict(zip(judged.words, (judged.present & judged.known).sum(0), strict=True))
    judged = judged.columns([word for word in judged.words if shown[word] >= FEWEST_PRESENT and word in names])
    vectors = bundle.label_vectors(text, rows)
    labels = vectors[[names.index(word) for word in judged.words]]
    encoder = PoolingEncoder(
        bundle.directory / description["image"]["file"], description["image"]["size"], description["image"]["resize"]
    )
    decoder = PlainDecoder(bundle.directory / description["decoder"]["file"])
    tokens, embeddings, pooled = encoder.encode(store, judged.images)
    z = standardised_cosine(embeddings, labels, bundle.reference)
    before = scoring.decoder_weight * decoder.logits(tokens, labels) + scoring.cosine_weight * z + scoring.bias  # [N, W]
    found = fit_heads(pooled, before, judged, np.random.default_rng(seed))
    anchors = _anchors(bundle, text, judged.words, labels, {word.name: word.called for word in words})
    learned = training_labels(bundle.directory / description["decoder"]["file"])
    new = [column for column, word in enumerate(judged.words) if word not in known]
    judged_new = judged.columns([judged.words[column] for column in new])
    boost = common_boost(before[:, new], judged_new, labels[new], learned)
    heads = WordHeads(
        anchors,
        far_from(anchors, [vectors[[name != word for name in names]] for word in judged.words]),
        found.weights / scoring.decoder_weight,
        -(found.weights @ found.center) / scoring.decoder_weight,
        found.biases / scoring.decoder_weight,
        boost / scoring.decoder_weight,
    )
    if keep_encoder:
        heads, places, columns = _kept(bundle, vectors, names, judged.words, heads, pooled)
        staying = [head for head, column in enumerate(columns) if judged.words[column] not in policy.headless]
        places, chosen = ([part[head] for head in staying] for part in (places, columns))
        heads = heads.only(staying)
    else:
        harmful = _harmful(bundle, decoder, heads, encoder, named, store, text)
        chosen = [
            column
            for column in range(len(judged.words))
            if gains(*(part[judged.known[:, column], column] for part in (before, found.left_out, judged.present)))
            and column not in harmful
            and judged.words[column] not in policy.headless
        ]
        places = None
        heads = heads.only(chosen)
    lifted = before + boost * (1 - familiarity(labels, learned)) if len(learned) else before
    thresholds = {}
    for column, word in enumerate(judged.words):
        if column in chosen or column in new or word in policy.headless:
            odds = found.left_out if column in chosen else lifted
            known_rows = judged.known[:, column]
            scores_of_word = 1 / (1 + np.exp(-odds[known_rows, column]))
            point = operating_point(scores_of_word, judged.present[known_rows, column], policy, word)
            thresholds[word] = policy.stated.get(word, point)
    result = Taught([judged.words[column] for column in chosen], heads, thresholds, found.penalty, heads.boost)
    cutoff = scoring.candidate_cutoff if policy.candidate_cutoff is None else policy.candidate_cutoff
    _write(bundle, result, encoder, decoder, rows, vectors, learned, text, identity, cutoff, output, places)
    return result


def _kept(
    bundle: ServedBundle,
    vectors: np.ndarray,
    names: list[str],
    words: list[str],
    fitted: WordHeads,
    pooled: np.ndarray,
) -> tuple[WordHeads, list[int], list[int]]:
    """The heads of a taught bundle, with the boost of those that were ``fitted`` now; the place of each in the token, and
    its column."""
    image, decoder = (bundle.directory / bundle.description[part]["file"] for part in ("image", "decoder"))
    found = read_heads(image, decoder)
    if found is None:
        raise ValueError(f"{bundle.directory} was not taught any words, so that its image encoder has no heads to keep")
    kept, places = found
    of = [names[int(row.argmax())] for row in kept.anchors[:, 0] @ vectors.T]
    unknown = [word for word in of if word not in words]
    if unknown:
        raise ValueError(f"{bundle.directory} has heads for words that are not judged here: {', '.join(unknown[:5])}")
    columns = [words.index(word) for word in of]
    gap = float(np.abs(kept.spoken(pooled) - fitted.only(columns).spoken(pooled)).max())
    if not gap <= SAME_HEADS:
        raise ValueError(
            f"the heads of {bundle.directory} were fitted to other photos: they differ by {gap:.2f} from those fitted to"
            " these; teach without --keep-encoder"
        )
    return replace(kept, boost=fitted.boost), places, columns


@dataclass(frozen=True)
class FittedHeads:
    """``weights`` [W, F], ``center`` [F] and ``biases`` [W], in log-odds; ``left_out`` [N, W]: log-odds by heads that had
    not seen the photo."""

    weights: np.ndarray
    center: np.ndarray
    biases: np.ndarray
    left_out: np.ndarray
    penalty: float


def fit_heads(inputs: np.ndarray, before: np.ndarray, judged: Scenery, generator: np.random.Generator) -> FittedHeads:
    """Ridge-penalised logistic regression of what is present, on top of the log-odds ``before`` [N, W]; inputs [N, F].

    The inputs' largest principal components are what is learned from. One penalty for all words, by cross-validation over
    photos. A word's bias is drawn to the common one: all that captions leave out is scored too low.
    """
    center, spread = inputs.mean(0), (inputs.std(0) + 1e-3) * inputs.shape[1] ** 0.5
    scaled = (inputs - center) / spread
    variances, axes = np.linalg.eigh((scaled.T @ scaled).astype(np.float64))
    axes = axes[:, np.argsort(-variances)[:COMPONENTS]].astype(np.float32)  # [F, C]
    parts = scaled @ axes
    folds = generator.permutation(len(parts)) % FOLDS
    by_penalty = {}
    for penalty in PENALTIES:
        odds = np.zeros_like(before)
        for fold in range(FOLDS):
            inside, outside = folds != fold, folds == fold
            weights, biases = _fit(parts[inside], before[inside], judged.photos(inside), penalty)
            odds[outside] = before[outside] + parts[outside] @ weights.T + biases
        loss = np.logaddexp(0, odds) - judged.present * odds
        by_penalty[penalty] = float(loss[judged.known].mean()), odds
    penalty = min(by_penalty, key=lambda one: by_penalty[one][0])
    weights, biases = _fit(parts, before, judged, penalty)
    return FittedHeads(weights @ axes.T / spread, center, biases, by_penalty[penalty][1], penalty)


def _fit(inputs: np.ndarray, before: np.ndarray, judged: Scenery, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """All words' weights [W, C] and biases [W] at once."""
    known, present = judged.known, judged.present.astype(np.float64)
    common = shared_bias(before, judged)
    count, size = before.shape[1], inputs.shape[1]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights, biases = parameters[:-count].reshape(size, count), parameters[-count:]
        odds = before + inputs @ weights + biases
        error = known * (1 / (1 + np.exp(-odds)) - present)
        value = (known * (np.logaddexp(0, odds) - present * odds)).sum()
        value += penalty * (weights**2).sum() / 2 + BIAS_PENALTY * ((biases - common) ** 2).sum() / 2
        slope = inputs.T @ error + penalty * weights, error.sum(0) + BIAS_PENALTY * (biases - common)
        return float(value), np.concatenate([slope[0].ravel(), slope[1]])

    start = np.concatenate([np.zeros(size * count), np.full(count, common)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    return found[:-count].reshape(size, count).T, found[-count:]


def shared_bias(before: np.ndarray, judged: Scenery, shares: np.ndarray | None = None) -> float:
    """What to add to the log-odds ``before`` [N, W] of all words alike; ``shares`` [W]: of it, by word."""
    odds, present = before[judged.known], judged.present[judged.known]
    share = np.broadcast_to(1.0 if shares is None else shares, before.shape)[judged.known]

    def loss(bias: float) -> float:
        shifted = odds + bias * share
        return float((np.logaddexp(0, shifted) - present * shifted).mean())

    return float(minimize_scalar(loss, bounds=(-10, 10), method="bounded").x)


def common_boost(before: np.ndarray, judged: Scenery, labels: np.ndarray, learned: np.ndarray) -> float:
    """How far new words are scored too low, log-odds: fitted to judged words that training did not know as labels.

    It applies as far as a label resembles none that the decoder was trained with (``familiarity``), and so it is 0 for a
    bundle without a list of them.
    """
    if not len(learned) or not len(judged.words):
        return 0.0
    return max(0.0, shared_bias(before, judged, 1 - familiarity(labels, learned)))


def gains(before: np.ndarray, left_out: np.ndarray, right: np.ndarray) -> bool:
    """Whether a head's log-odds [n] for left-out photos justify it, compared with those without one."""
    losses = [float((np.logaddexp(0, odds) - right * odds).mean()) for odds in (before, left_out)]
    precisions = [average_precision(odds, right) for odds in (before, left_out)]
    return losses[1] <= LARGEST_LOSS_SHARE * losses[0] and precisions[1] >= precisions[0] - LARGEST_PRECISION_LOSS


def operating_point(scores: np.ndarray, right: np.ndarray, policy: Policy, word: str) -> float:
    """The threshold with the best expected F1 among those whose tags are right often enough, else ``UNPROVED``.

    A guarded word must be right four times in five, and be given to hardly any photo that lacks it.
    """
    guarded = word in policy.guarded
    wanted = max(policy.precision, GUARDED_PRECISION) if guarded else policy.precision
    best, chosen = 0.0, UNPROVED
    for threshold in THRESHOLDS:
        tagged = scores >= threshold
        if not tagged.any():
            break
        expected = scores[tagged]
        precision = (right[tagged].sum() + ASSUMED * expected.mean()) / (tagged.sum() + ASSUMED)
        recall = (right[tagged].sum() + ASSUMED * expected.sum() / scores.sum()) / (right.sum() + ASSUMED)
        f1 = 2 * precision * recall / (precision + recall)
        false = (tagged & ~right).sum() / max(1, (~right).sum())
        if precision >= wanted and f1 > best and (not guarded or false <= MOST_FALSE):
            best, chosen = f1, float(threshold)
    return chosen


def _harmful(
    bundle: ServedBundle,
    decoder: PlainDecoder,
    heads: WordHeads,
    encoder: PoolingEncoder,
    named: Sequence[Named],
    store: ImageStore,
    text: TextEncoder,
) -> set[int]:
    """The heads that rank the photos of a source worse for a name of the source that they apply to."""
    found: set[int] = set()
    for source in named:
        names = sorted(set(source.names))
        vectors = bundle.label_vectors(text, [{"name": name, "prompts": ""} for name in names])
        tokens, embeddings, pooled = encoder.encode(store, source.images)
        scoring = bundle.scoring
        before = scoring.decoder_weight * decoder.logits(tokens, vectors)
        before += scoring.cosine_weight * standardised_cosine(embeddings, vectors, bundle.reference)
        said = scoring.decoder_weight * (heads.spoken(pooled) + heads.biases)
        near = heads.near(vectors)
        for label, head in zip(*np.nonzero(near), strict=True):
            right = np.array([name == names[label] for name in source.names])
            after = before[:, label] + near[label, head] * said[:, head]
            loss = average_precision(before[:, label], right) - average_precision(after, right)
            if loss > LARGEST_PRECISION_LOSS:
                found.add(int(head))
    return found


def _anchors(
    bundle: ServedBundle, text: TextEncoder, words: list[str], labels: np.ndarray, called: dict[str, tuple[str, ...]]
) -> np.ndarray:
    """[J, M, D]: each word's vector as published, by the bundle's templates, and of what else it is called."""
    found = []
    for word, label in zip(words, labels, strict=True):
        others = [{"name": name, "prompts": ""} for name in (word, *called.get(word, ()))]
        found.append(np.concatenate([label[None], bundle.label_vectors(text, others)]))
    most = max((len(one) for one in found), default=1)
    return np.stack([np.concatenate([one, np.repeat(one[:1], most - len(one), 0)]) for one in found])


def _write(
    bundle: ServedBundle,
    taught: Taught,
    encoder: PoolingEncoder,
    plain: PlainDecoder,
    rows: list[dict[str, str]],
    vectors: np.ndarray,
    learned: np.ndarray,
    text: TextEncoder,
    identity: BundleIdentity,
    candidate_cutoff: float,
    output: Path,
    places: Sequence[int] | None,
) -> None:
    """The new bundle directory; ExportError where the new graphs do not add what the heads compute.

    ``places``: where the heads speak in the token of the bundle's own image encoder, which then stays as it is.
    """
    output.mkdir(parents=True, exist_ok=True)
    description = bundle.description
    (output / "bundle.json").unlink(missing_ok=True)
    images, decoder = (output / description[part]["file"] for part in ("image", "decoder"))
    if places is None:
        add_speakers(bundle.directory / images.name, taught.heads, images)
    else:
        shutil.copyfile(bundle.directory / images.name, images)
    add_heads(bundle.directory / decoder.name, taught.heads, decoder, places)
    for name in (description["reference"]["file"], description["text"]["center"], description["selfTest"]["pixels"]):
        shutil.copyfile(bundle.directory / name, output / name)
    pixels = synthetic_pixels(CHECK_BATCH, description["image"]["size"])
    tokens, _, pooled = encoder.run(pixels)
    description = {
        **description,
        **{name: getattr(identity, name) for name in ("id", "version", "generation", "license", "provenance")},
        "image": description["image"] | {"sha256": sha256(images), "tokens": tokens.shape[1] + 1},
        "decoder": description["decoder"] | {"sha256": sha256(decoder)},
        "scoring": description["scoring"] | {"candidateCutoff": candidate_cutoff},
    }
    (output / "bundle.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    made = ServedBundle(output)
    wanted = plain.logits(tokens, vectors) + taught.heads.added(pooled, vectors, learned)
    said = made.run(pixels)[0]
    gap = difference(wanted, made.logits(said, vectors))
    if not gap <= PARITY_TOLERANCE:
        raise ExportError(f"{decoder.name}: heads add something else than they should, by {gap:.2e}")
    check_independence(images, {"pixels": pixels}, "pixels", 0)
    feed = {"tokens": said, "labels": vectors[:CHECK_BATCH]}
    check_independence(decoder, feed, "tokens", 0)
    check_independence(decoder, feed, "labels", 1)
    _write_self_test(made, text)
    with open(output / "vocabulary.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            own = taught.thresholds.get(row["name"])
            if own is not None:
                row = row | {"threshold": "" if own == bundle.scoring.default_threshold else own}
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
