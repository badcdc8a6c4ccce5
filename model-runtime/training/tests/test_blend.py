# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
from clip_decoder.blend import Candidate, choose


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
