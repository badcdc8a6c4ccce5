# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""What the training data says about each (image, label): a target in [0, 1] and a weight, 0 where nothing is known.

Three kinds of evidence meet. Captions name what somebody found worth saying. Single-label sources name one thing and
are silent about the rest, so that silence is weak evidence or none. The ImageNet head of the frozen backbone (the
teacher) speaks for everything below a label in WordNet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clip_decoder.data.captions import Mentions, with_plurals
from clip_decoder.data.labels import LabelDefinition
from clip_decoder.data.wordnet import WordNet


@dataclass(frozen=True)
class EvidenceConfig:
    """Weights of the weaker kinds of evidence, and the teacher's bounds."""

    single_mention_target: float = 0.8
    silence_weight: float = 0.15
    human_silence_weight: float = 0.5
    uncertain_human_silence_weight: float = 0.2
    teacher_weight: float = 0.5
    teacher_present: float = 0.5
    teacher_absent: float = 0.03
    human_sections: tuple[str, ...] = ("people", "activities")


@dataclass
class Evidence:
    """targets and weights, [N, L] each, float16."""

    targets: np.ndarray
    weights: np.ndarray


def label_classes(labels: Sequence[LabelDefinition], wordnet: WordNet, classes: Sequence[int]) -> np.ndarray:
    """Which ImageNet classes speak for which label: bool [L, C].

    For a noun without a stated sense, takes the most frequent sense that covers a class. Raises ValueError for a noun
    that covers none.
    """
    ancestors = [wordnet.ancestors(synset) for synset in classes]
    covered = np.zeros((len(labels), len(classes)), bool)
    for row, label in enumerate(labels):
        for noun in label.synsets:
            senses = [wordnet.synset(noun)] if "#" in noun else wordnet.senses(noun)
            for sense in senses:
                matches = [sense in above for above in ancestors]
                if any(matches):
                    covered[row] |= matches
                    break
            else:
                raise ValueError(f"label {label.name!r}: no ImageNet class is a kind of {noun!r}")
    return covered


def human_labels(labels: Sequence[LabelDefinition], config: EvidenceConfig) -> np.ndarray:
    """Which labels name people or what they do: bool [L]."""
    return np.array([label.section in config.human_sections for label in labels])


def teacher_evidence(probabilities: np.ndarray, covered: np.ndarray, config: EvidenceConfig) -> Evidence:
    """The teacher's verdict on every label it knows; nothing (weight 0) where it is undecided or knows no class of it.

    probabilities [N, C], covered [L, C]
    """
    mass = probabilities @ covered.T.astype(np.float32)  # [N, L]
    known = covered.any(1)[None, :]
    decided = (mass >= config.teacher_present) | (mass <= config.teacher_absent)
    weights = np.where(known & decided, config.teacher_weight, 0)
    targets = np.where(mass >= config.teacher_present, mass, 0)
    return Evidence(targets.astype(np.float16), weights.astype(np.float16))


def caption_evidence(
    captions: Sequence[Sequence[str]], labels: Sequence[LabelDefinition], teacher: Evidence, config: EvidenceConfig
) -> Evidence:
    """Captioned images: named labels are present, unnamed ones absent unless the teacher sees them."""
    mentions = Mentions([with_plurals(label.captions) for label in labels])
    targets = teacher.targets.copy()
    weights = teacher.weights.copy()
    named = np.array([bool(label.captions) for label in labels])
    has_synsets = np.array([bool(label.synsets) for label in labels])
    for row, texts in enumerate(captions):
        counts = np.array(mentions.counts(texts))
        seen_by_teacher = (teacher.weights[row] > 0) & (teacher.targets[row] > 0)
        undecided = (teacher.weights[row] == 0) & has_synsets
        silent = named & (counts == 0) & ~seen_by_teacher
        targets[row, silent] = 0
        weights[row, silent & ~undecided] = 1
        weights[row, silent & undecided] = config.silence_weight
        targets[row, counts == 1] = config.single_mention_target
        targets[row, counts > 1] = 1
        weights[row, counts > 0] = 1
    return Evidence(targets, weights)


def single_label_evidence(
    positives: np.ndarray,
    labels: Sequence[LabelDefinition],
    teacher: Evidence,
    people_possible: np.ndarray,
    config: EvidenceConfig,
) -> Evidence:
    """Images with one known thing: its labels are present; the rest has the teacher's verdict or weak silence.

    positives bool [N, L]; people_possible bool [N]: where True, silence about people says less.
    """
    human = human_labels(labels, config)
    targets = teacher.targets.copy()
    weights = np.maximum(teacher.weights, np.float16(config.silence_weight))
    undecided = (teacher.weights == 0) & np.array([bool(label.synsets) for label in labels])[None, :]
    weights[undecided] = 0
    silence = np.where(people_possible, config.uncertain_human_silence_weight, config.human_silence_weight)
    weights[:, human] = silence[:, None]
    targets[:, human] = 0
    targets[positives] = 1
    weights[positives] = 1
    return Evidence(targets, weights)
