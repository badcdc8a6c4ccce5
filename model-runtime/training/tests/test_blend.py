# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import numpy as np

from clip_decoder.blend import Candidate, answers, choose
from clip_decoder.calibration import FULLY_KNOWN
from clip_decoder.data.dataset import LabelledImages, LabelSpace
from clip_decoder.data.evidence import EvidenceConfig


def candidate(ratio: float, pairs: float, labels: float, gain: float) -> Candidate:
    return Candidate(0.5, ratio, pairs, labels, gain)


def test_of_blends_that_rank_pairs_alike_the_one_that_ranks_labels_best_should_be_chosen():
    candidates = [
        candidate(0.2, 0.60, 0.40, 1.08),
        candidate(0.4, 0.6815, 0.38, 1.06),
        candidate(0.6, 0.682, 0.37, 1.04),
        candidate(0.8, 0.683, 0.36, 1.02),
    ]
    assert choose(candidates).ratio == 0.4


def test_blends_that_are_worse_than_the_baseline_elsewhere_should_not_be_chosen():
    assert choose([candidate(0.2, 0.5, 0.3, 1.02), candidate(1.0, 0.7, 0.4, 0.99)]).ratio == 0.2


def test_without_a_blend_above_the_baseline_the_nearest_should_be_chosen():
    assert choose([candidate(0.2, 0.5, 0.3, 0.98), candidate(1.0, 0.7, 0.4, 0.90)]).ratio == 0.2


def test_absence_of_people_should_be_known_from_photos_of_other_things_alone():
    evidence = EvidenceConfig()
    sources = np.array([0, 1, 2])  # captioned, things without people, things with people perhaps
    none, some = evidence.human_silence_weight, evidence.uncertain_human_silence_weight
    weights = np.array([[1, 1, 0.15], [none, 0.5, 0.15], [some, 0.5, 1]], np.float16)
    images = LabelledImages(
        ["captioned", "thing", "crowd"], ("a", "b", "c"), sources, np.zeros(3, int), np.eye(3)[[1, 1, 2]], weights, None
    )
    space = LabelSpace(
        ["man", "dog", "cat"],
        np.zeros((3, 1, 4)),
        np.zeros(3, int),
        np.ones(3, bool),
        attested=np.array([False, True, True]),
        people=np.array([True, False, False]),
    )
    prepared = SimpleNamespace(
        data=SimpleNamespace(images=images, labels=space), config=SimpleNamespace(data=SimpleNamespace(evidence=evidence))
    )

    known = answers(prepared, np.arange(3))

    assert known.targets.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert known.weights.tolist() == [[1, 1, 0], [1, 1, 0], [0, 1, 1]]
    assert known.groups.tolist() == [[1, FULLY_KNOWN, FULLY_KNOWN], [FULLY_KNOWN] * 3, [3, FULLY_KNOWN, FULLY_KNOWN]]
