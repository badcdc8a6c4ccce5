# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Turns a logit and a cosine into a score that means what it says, and finds the thresholds from which it is a tag.

Most of what a photo shows is never named: a caption mentions the dog, not the grass. A score fitted to what is named
would be too low for every label. So the fit keeps two things apart, as Elkan and Noto (2008) do for data with positive
and unlabelled examples: whether a label is present, which the score answers, and how often a present label is named, a
rate fitted for each source.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import minimize, minimize_scalar

FEWEST_DECISIONS = 5
FEWEST_ABSENT = 100
GUARDED_PRECISION = 0.8
MOST_FALSE = 0.01
LOWEST_THRESHOLD = 0.2
HIGHEST_THRESHOLD = 0.95
THRESHOLD_STEP = 0.01
LABEL_THRESHOLD_STEP = 0.05
LOWEST_RATE = 0.25
FULLY_KNOWN = 0


@dataclass(frozen=True)
class Answers:
    """What is known about N photos and L labels, arrays [N, L].

    ``targets``: 1 where a label is known to be there, else 0. ``weights``: 0 leaves a pair out. ``groups``:
    ``FULLY_KNOWN`` where a target of 0 means absent, else the number of the group within which only a share of what is
    there gets named.
    """

    targets: np.ndarray
    weights: np.ndarray
    groups: np.ndarray

    def columns(self, chosen: np.ndarray) -> "Answers":
        return Answers(self.targets[:, chosen], self.weights[:, chosen], self.groups[:, chosen])

    def rows(self, chosen: np.ndarray) -> "Answers":
        return Answers(self.targets[chosen], self.weights[chosen], self.groups[chosen])

    def truth(self, rates: dict[int, float]) -> np.ndarray:
        """[N, L], its mean over many pairs estimates the share present: a named label also stands for unnamed ones."""
        rate = np.ones(self.groups.shape, np.float32)
        for group, value in rates.items():
            rate[self.groups == group] = value
        return self.targets / rate


@dataclass(frozen=True)
class Calibration:
    """score = sigmoid(decoder_weight * (logit + prior_share * prior) + cosine_weight * z + bias)

    The prior is the decoder's logit for a typical photo: how common a label is. ``threshold``: the score from which a
    label is a tag; ``thresholds``: by label name, where a label needs a different one. ``projection_share``: how far
    the image projection is taken from its training-free start (0) to what was learned (1). ``naming_rates``: by group
    of ``Answers``. ``withheld``: labels that are wrong too often at every threshold.
    """

    decoder_weight: float
    cosine_weight: float
    bias: float
    prior_share: float = 0.0
    naming_rates: dict[int, float] = field(default_factory=dict)
    threshold: float = 0.5
    thresholds: dict[str, float] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    projection_share: float = 1.0

    def scores(self, logits: np.ndarray, z: np.ndarray, prior: np.ndarray) -> np.ndarray:
        """logits, z [N, L], prior [L] -> [N, L] in (0, 1)"""
        decoder = self.decoder_weight * (logits + self.prior_share * prior)
        return 1 / (1 + np.exp(-(decoder + self.cosine_weight * z + self.bias)))

    def label_thresholds(self, names: list[str]) -> np.ndarray:
        """The threshold of every label, [L]."""
        return np.array([self.thresholds.get(name, self.threshold) for name in names])


def fit(
    logits: np.ndarray, z: np.ndarray, prior: np.ndarray, answers: Answers, ratio: float | None = None
) -> Calibration:
    """Weighted maximum likelihood over all (image, label) pairs with an answer; logits, z [N, L], prior [L].

    The probability that a pair is named is the group's naming rate times the score. No weight may turn negative: a
    label must not score higher for matching less. With ``ratio`` the decoder's weight is that multiple of the
    cosine's, and their common scale, the prior's share and the bias are fitted; without it, the prior is not used.
    """
    if ratio is None:
        weights, rates = _fit([logits, z], answers)
        return Calibration(weights[0], weights[1], weights[2], 0.0, rates)
    (scale, common, bias), rates = _fit([ratio * logits + z, np.broadcast_to(prior, z.shape)], answers)
    return Calibration(ratio * scale, scale, bias, common / max(ratio * scale, 1e-9), rates)


def _fit(features: list[np.ndarray], answers: Answers) -> tuple[list[float], dict[int, float]]:
    """The features' weights, at least 0, with the bias as the last; and the naming rates by group."""
    known = answers.weights > 0
    count = len(features) + 1
    columns = np.stack([*(feature[known] for feature in features), np.ones(known.sum())], -1).astype(np.float64)
    named = answers.targets[known] >= 0.5
    weight = answers.weights[known].astype(np.float64) / answers.weights[known].sum()
    groups = answers.groups[known]
    rated = [int(group) for group in np.unique(groups) if group != FULLY_KNOWN]
    members = [groups == group for group in rated]

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        present = 1 / (1 + np.exp(-(columns @ parameters[:count])))  # [P]
        rate = np.ones(len(present))
        for member, value in zip(members, parameters[count:], strict=True):
            rate[member] = value
        probability = np.clip(rate * present, 1e-12, 1 - 1e-12)
        value = -(weight * np.where(named, np.log(probability), np.log1p(-probability))).sum()
        slope = np.where(named, -1 / probability, 1 / (1 - probability)) * weight  # by the probability
        by_score = columns.T @ (slope * rate * present * (1 - present))
        by_rate = [(slope * present)[member].sum() for member in members]
        return float(value), np.concatenate([by_score, by_rate])

    start = [1.0] + [0.5] * (len(features) - 1) + [-1.0] + [0.6] * len(rated)
    bounds = [(0, None)] * len(features) + [(None, None)] + [(LOWEST_RATE, 1.0)] * len(rated)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    rates = {group: float(rate) for group, rate in zip(rated, found[count:], strict=True)}
    return [float(value) for value in found[:count]], rates


def fit_naming_rates(scores: np.ndarray, answers: Answers) -> dict[int, float]:
    """How often a present label is named, by group, given the scores [N, L] of being present."""
    rates = {}
    for group in np.unique(answers.groups[answers.weights > 0]):
        chosen = (answers.weights > 0) & (answers.groups == group)
        present, named = scores[chosen].astype(np.float64), answers.targets[chosen] >= 0.5

        def loss(rate: float, present: np.ndarray = present, named: np.ndarray = named) -> float:
            probability = np.clip(rate * present, 1e-12, 1 - 1e-12)
            return float(-np.where(named, np.log(probability), np.log1p(-probability)).sum())

        if group != FULLY_KNOWN:
            rates[int(group)] = float(minimize_scalar(loss, bounds=(LOWEST_RATE, 1.0), method="bounded").x)
    return rates


def precision_by_source(
    scores: np.ndarray, answers: Answers, sources: np.ndarray, calibration: Calibration, threshold: float
) -> list[float]:
    """For each source with a decision: which share of its (image, label) pairs from ``threshold`` up is right."""
    truth = answers.truth(calibration.naming_rates)
    tagged = (scores >= threshold) & (answers.weights > 0)
    found = []
    for source in np.unique(sources):
        own = tagged[sources == source]
        if own.any():
            found.append(min(1.0, float(truth[sources == source][own].mean())))
    return found


def choose_threshold(
    scores: np.ndarray, answers: Answers, sources: np.ndarray, calibration: Calibration, precision: float
) -> float:
    """The lowest threshold from which tags are right with ``precision``, averaged over sources; sources [N]."""
    for threshold in np.arange(LOWEST_THRESHOLD, HIGHEST_THRESHOLD, THRESHOLD_STEP):
        found = precision_by_source(scores, answers, sources, calibration, threshold)
        if not found or np.mean(found) >= precision:
            break
    return round(float(threshold), 2)


def label_thresholds(
    scores: np.ndarray,
    answers: Answers,
    sources: np.ndarray,
    rates: dict[int, float],
    names: list[str],
    default: float,
    precision: float,
    guarded: Collection[str] = (),
) -> tuple[dict[str, float], list[str]]:
    """For labels that are wrong too often at ``default``: the lowest threshold at which they are not.

    A label must be right as often as ``precision``. A ``guarded`` label must be right at least four times in five, and
    be given to no more than 1 % of the photos of a source that are known to lack it. The second value names the labels
    that have no such threshold up to 0.95. Labels with fewer than five decisions on the calibration photos keep the
    default. scores [N, L], sources [N].
    """
    thresholds, hopeless = {}, []
    truth = answers.truth(rates)
    for index, name in enumerate(names):
        known = answers.weights[:, index] > 0
        score, right = scores[known, index], truth[known, index]
        absent = (answers.groups[known, index] == FULLY_KNOWN) & (right == 0)
        parts = [score[absent & (sources[known] == source)] for source in np.unique(sources[known])]
        parts = [part for part in parts if name in guarded and len(part) >= FEWEST_ABSENT]
        wanted = max(precision, GUARDED_PRECISION) if name in guarded else precision
        for threshold in np.arange(default, HIGHEST_THRESHOLD + 1e-9, LABEL_THRESHOLD_STEP):
            tagged = score >= threshold
            false = max(((part >= threshold).mean() for part in parts), default=0)
            if tagged.sum() < FEWEST_DECISIONS or (right[tagged].mean() >= wanted and false <= MOST_FALSE):
                break
        else:
            hopeless.append(name)
        if threshold > default:
            thresholds[name] = round(float(threshold), 2)
    return thresholds, hopeless


def write_calibration(path: Path, calibration: Calibration) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(calibration), indent=2) + "\n", encoding="utf-8")


def read_calibration(path: Path) -> Calibration:
    """Raises FileNotFoundError, naming the command to run, if there is none."""
    if not path.is_file():
        raise FileNotFoundError(f"no calibration at {path}; run `python -m clip_decoder calibrate` first")
    values = json.loads(path.read_text(encoding="utf-8"))
    values["naming_rates"] = {int(group): rate for group, rate in values["naming_rates"].items()}
    return Calibration(**{**values, "withheld": tuple(values["withheld"])})
