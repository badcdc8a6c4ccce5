# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from clip_decoder.evaluation import served_tags
from clip_decoder.metrics import (
    average_precision,
    calibration_bins,
    chance_level,
    expected_calibration_error,
    interval,
    mean_average_precision,
    top1_accuracy,
    top_k,
)


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_should_equal_scikit_learns(ties):
    generator = np.random.default_rng(4)
    for _ in range(50):
        scores = generator.random(40)
        scores = np.round(scores, 1) if ties else scores
        targets = generator.random(40) < 0.3
        targets[0] = True
        assert average_precision(scores, targets) == pytest.approx(average_precision_score(targets, scores))


def test_average_precision_should_not_depend_on_the_order_of_equal_scores():
    scores = np.array([0.5, 0.5, 0.5, 0.1])
    assert average_precision(scores, np.array([1, 0, 0, 0], bool)) == average_precision(
        scores, np.array([0, 0, 1, 0], bool)
    )


def test_mean_average_precision_should_leave_out_labels_without_positives_and_unknown_images():
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.3]])
    targets = np.array([[0, 0], [1, 0], [0, 0]], bool)
    assert mean_average_precision(scores, targets) == pytest.approx(0.5)
    known = np.array([[0, 1], [1, 1], [1, 1]], bool)
    assert mean_average_precision(scores, targets, known) == pytest.approx(1.0)


def test_top_k_should_equal_scikit_learns_f1_over_the_chosen_labels():
    generator = np.random.default_rng(5)
    scores = generator.random((30, 12))
    targets = generator.random((30, 12)) < 0.25
    targets[:, 0] = True
    chosen = np.zeros_like(targets)
    for row in range(30):
        chosen[row, np.argsort(-scores[row])[:3]] = True
    assert top_k(scores, targets, 3).f1 == pytest.approx(f1_score(targets.ravel(), chosen.ravel()))


def test_top_k_should_leave_out_images_without_labels():
    scores = np.array([[0.9, 0.1], [0.9, 0.1]])
    targets = np.array([[True, False], [False, False]])
    assert top_k(scores, targets, 1).precision == 1.0


def test_f1_should_follow_both_conventions_by_hand():
    """Three images, two labels, one tag each: two tags are right, the third image has no label.

    Over labelled images: precision 2 of 2, recall 2 of 3, F1 = 4/5. Over all: precision 2 of 3, so F1 = 2/3.
    """
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    targets = np.array([[True, True], [False, True], [False, False]])
    assert top_k(scores, targets, 1).f1 == pytest.approx(4 / 5)
    assert top_k(scores, targets, 1, labelled_only=False).f1 == pytest.approx(2 / 3)
    assert top_k(scores, targets, 1).recall == top_k(scores, targets, 1, labelled_only=False).recall


def test_chance_level_should_be_what_random_scores_reach():
    generator = np.random.default_rng(6)
    targets = generator.random((4000, 3)) < np.array([0.05, 0.2, 0.5])
    random = np.mean([mean_average_precision(generator.random(targets.shape), targets) for _ in range(5)])
    assert chance_level(targets) == pytest.approx(random, abs=0.02)


def test_top1_accuracy_should_count_right_first_places():
    assert top1_accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1])) == 0.5


def test_calibration_bins_should_find_honest_scores_honest():
    generator = np.random.default_rng(7)
    scores = generator.random(20000)
    bins = calibration_bins(scores, (generator.random(20000) < scores).astype(float), np.ones(20000))
    assert len(bins) == 10
    assert expected_calibration_error(bins) < 0.02
    boasting = calibration_bins(scores, (generator.random(20000) < scores / 2).astype(float), np.ones(20000))
    assert expected_calibration_error(boasting) > 0.2


def test_an_interval_should_hold_a_share_about_as_often_as_it_says():
    generator = np.random.default_rng(9)
    held = 0
    for _ in range(100):
        right = generator.random(200) < 0.3
        low, high = interval(lambda rows, right=right: right[rows].mean(), 200, draws=200)
        held += low <= 0.3 <= high
    assert held >= 88
    assert interval(lambda rows: 0.5, 20) == (0.5, 0.5)


def test_only_the_best_tags_from_the_threshold_up_should_be_served():
    scores = np.array([[0.9, 0.8, 0.7, 0.99], [0.1, 0.2, 0.3, 0.99]])
    served = served_tags(scores, np.array([0.5, 0.5, 0.5, 1.0]), 2)
    assert served.tolist() == [[True, True, False, False], [False] * 4]
