# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from clip_decoder.losses import AsymmetricLossConfig, asymmetric_loss, contrastive_loss


def brute_force_asymmetric(logits, targets, weights, config):
    total = 0.0
    for row in range(len(logits)):
        for column in range(len(logits[row])):
            p = 1 / (1 + math.exp(-logits[row][column]))
            q = max(p - config.clip, 0.0)
            y, w = targets[row][column], weights[row][column]
            total += w * y * (1 - p) ** config.positive_focus * math.log(p)
            total += w * (1 - y) * q**config.negative_focus * math.log(max(1 - q, 1e-8))
    return -total / len(logits)


@pytest.mark.parametrize(
    "config", [AsymmetricLossConfig(), AsymmetricLossConfig(1.0, 0.0, 0.0), AsymmetricLossConfig(2.0, 1.0, 0.1)]
)
def test_asymmetric_loss_should_equal_its_formula_term_by_term(config):
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(4, 6, generator=generator) * 3
    targets = torch.randint(0, 2, (4, 6), generator=generator).float()
    targets[0, 0] = 0.7
    weights = torch.rand(4, 6, generator=generator)
    expected = brute_force_asymmetric(logits.tolist(), targets.tolist(), weights.tolist(), config)
    assert asymmetric_loss(logits, targets, weights, config).item() == pytest.approx(expected, rel=1e-4)


def test_asymmetric_loss_should_be_binary_cross_entropy_without_focus_and_clip():
    logits = torch.tensor([[1.0, -2.0, 0.3]])
    targets = torch.tensor([[1.0, 0.0, 1.0]])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
    found = asymmetric_loss(logits, targets, torch.ones(1, 3), AsymmetricLossConfig(0.0, 0.0, 0.0))
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_asymmetric_loss_should_ignore_labels_of_weight_zero():
    logits = torch.tensor([[1.0, -2.0]], requires_grad=True)
    loss = asymmetric_loss(logits, torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 0.0]]), AsymmetricLossConfig())
    loss.backward()
    assert logits.grad[0, 1] == 0
    assert logits.grad[0, 0] != 0


def test_contrastive_loss_should_equal_a_loop_over_pairs():
    generator = torch.Generator().manual_seed(2)
    images = torch.nn.functional.normalize(torch.randn(5, 8, generator=generator), dim=1)
    texts = torch.nn.functional.normalize(torch.randn(5, 8, generator=generator), dim=1)
    scale = torch.tensor(7.0)
    expected = 0.0
    for i in range(5):
        rows = [math.exp(7 * float(images[i] @ texts[j])) for j in range(5)]
        columns = [math.exp(7 * float(images[j] @ texts[i])) for j in range(5)]
        expected -= (math.log(rows[i] / sum(rows)) + math.log(columns[i] / sum(columns))) / 10
    assert contrastive_loss(images, texts, scale).item() == pytest.approx(expected, rel=1e-4)


def test_contrastive_loss_should_not_push_apart_rows_that_share_a_text():
    images = torch.nn.functional.normalize(torch.tensor([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.0]]), dim=1)
    texts = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]), dim=1)
    same = texts @ texts.T > 0.999
    plain = contrastive_loss(images, texts, torch.tensor(10.0))
    masked = contrastive_loss(images, texts, torch.tensor(10.0), same)
    assert masked < 1e-3 < plain
