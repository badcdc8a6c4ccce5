# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from clip_decoder.calibration import (
    FULLY_KNOWN,
    Answers,
    Calibration,
    choose_threshold,
    fit,
    label_thresholds,
    read_calibration,
    write_calibration,
)

NAMED_HALF = 1
NO_PRIOR = np.zeros(40)


@pytest.fixture
def photos() -> tuple[np.ndarray, np.ndarray, np.ndarray, Answers]:
    """Logits, z, what is there, and what is known: of the second half of the labels only every other one is named."""
    generator = np.random.default_rng(5)
    logits, z = generator.normal(-2, 2, (600, 40)), generator.normal(0, 1, (600, 40))
    there = generator.random(logits.shape) < 1 / (1 + np.exp(-(1.5 * logits + 0.5 * z + 1)))
    groups = np.where(np.arange(40) < 20, FULLY_KNOWN, NAMED_HALF)[None, :].repeat(600, 0)
    named = there & ((groups == FULLY_KNOWN) | (generator.random(logits.shape) < 0.5))
    return logits, z, there, Answers(named.astype(np.float32), np.ones(logits.shape, np.float32), groups)


def test_fit_should_tell_being_there_from_being_named(photos):
    logits, z, there, answers = photos
    found = fit(logits, z, NO_PRIOR, answers)
    assert (found.decoder_weight, found.cosine_weight, found.bias) == pytest.approx((1.5, 0.5, 1), abs=0.1)
    assert found.naming_rates == {NAMED_HALF: pytest.approx(0.5, abs=0.03)}
    high = np.abs(found.scores(logits, z, NO_PRIOR) - 0.7) < 0.05
    assert there[high].mean() == pytest.approx(0.7, abs=0.05)


def test_fit_should_keep_to_a_given_ratio(photos):
    logits, z, _, answers = photos
    found = fit(logits, z, NO_PRIOR, answers, ratio=3.0)
    assert found.decoder_weight == pytest.approx(3 * found.cosine_weight)
    assert found.decoder_weight == pytest.approx(1.5, abs=0.1)


def test_fit_should_find_how_much_common_labels_count():
    generator = np.random.default_rng(6)
    logits, z, prior = generator.normal(-2, 2, (600, 40)), generator.normal(0, 1, (600, 40)), generator.normal(0, 1, 40)
    there = generator.random(logits.shape) < 1 / (1 + np.exp(-(0.5 * (logits + 2 * prior) + z - 1)))
    known = Answers(there.astype(np.float32), np.ones(z.shape, np.float32), np.full(z.shape, FULLY_KNOWN))
    found = fit(logits, z, prior, known, ratio=0.5)
    assert found.prior_share == pytest.approx(2, abs=0.2)
    assert (found.decoder_weight, found.cosine_weight, found.bias) == pytest.approx((0.5, 1, -1), abs=0.1)
    assert found.scores(logits, z, prior).mean() == pytest.approx(there.mean(), abs=0.01)


def test_fit_should_not_reward_a_label_for_matching_less(photos):
    logits, z, _, answers = photos
    assert fit(logits, -z, NO_PRIOR, answers).cosine_weight == 0


def test_threshold_should_be_the_lowest_with_the_wanted_precision(photos):
    logits, z, there, answers = photos
    calibration = fit(logits, z, NO_PRIOR, answers)
    scores = calibration.scores(logits, z, NO_PRIOR)
    sources = np.arange(600) % 2
    threshold = choose_threshold(scores, answers, sources, calibration, 0.8)
    assert there[scores >= threshold].mean() == pytest.approx(0.8, abs=0.03)
    assert choose_threshold(scores, answers, sources, calibration, 0.9) > threshold


def known(truth: np.ndarray) -> Answers:
    return Answers(truth.astype(np.float32), np.ones(truth.shape, np.float32), np.full(truth.shape, FULLY_KNOWN))


def thresholds_of(scores: np.ndarray, truth: np.ndarray, names: list[str], sources: np.ndarray | None = None):
    sources = np.zeros(len(scores), int) if sources is None else sources
    return label_thresholds(scores, known(truth), sources, {}, names, 0.5, 0.6, ["person"])


def test_label_thresholds_should_rise_where_a_label_errs_and_name_the_hopeless():
    scores = np.tile(np.linspace(0, 1, 101)[:, None], (1, 3))
    truth = np.stack([scores[:, 0] >= 0.5, scores[:, 0] >= 0.75, np.zeros(101)], 1)
    thresholds, hopeless = thresholds_of(scores, truth, ["good", "eager", "blind"])
    assert thresholds["eager"] == pytest.approx(0.6)
    assert "good" not in thresholds
    assert hopeless == ["blind"]


def test_thresholds_of_guarded_labels_should_rise_where_they_are_seen_falsely():
    scores = np.concatenate([np.full((900, 1), 0.9), np.full((5, 1), 0.72), np.full((195, 1), 0.1)])
    truth = np.concatenate([np.ones((900, 1)), np.zeros((200, 1))])
    assert thresholds_of(scores, truth, ["person"])[0] == {"person": pytest.approx(0.75)}
    assert thresholds_of(scores, truth, ["dog"])[0] == {}


def test_guarded_labels_should_be_right_more_often_than_others():
    scores = np.concatenate([np.full((100, 1), 0.53), np.full((50, 1), 0.72)])
    truth = np.concatenate([np.arange(100)[:, None] < 50, np.ones((50, 1))])
    assert thresholds_of(scores, truth, ["dog"])[0] == {}
    assert thresholds_of(scores, truth, ["person"])[0] == {"person": pytest.approx(0.55)}


def test_labels_with_few_decisions_should_keep_the_default():
    scores = np.array([[0.9], [0.9], [0.1], [0.1], [0.1], [0.1]])
    assert thresholds_of(scores, np.zeros((6, 1)), ["rare"]) == ({}, [])


def test_calibration_should_survive_its_file(tmp_path):
    calibration = Calibration(1.5, 0.25, -2.0, 0.8, {1: 0.4}, 0.55, {"dog": 0.7}, ("fog",), 0.85)
    write_calibration(tmp_path / "calibration.json", calibration)
    assert read_calibration(tmp_path / "calibration.json") == calibration
    assert calibration.label_thresholds(["dog", "cat"]).tolist() == [0.7, 0.55]
