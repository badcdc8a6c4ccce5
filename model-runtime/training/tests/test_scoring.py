# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from torch import nn

from clip_decoder.bundle.graphs import NearnessEncoder, ServedDecoder, check_independence, check_parity, export_graph
from clip_decoder.bundle.scoring import NEAREST, familiarity, nearness, standardised_cosine
from clip_decoder.calibration import Calibration
from clip_decoder.model.ml_decoder import MLDecoder, MLDecoderConfig
from clip_decoder.prepared import Reference, typical_tokens

WIDTH, SIZE = 16, 8


def unit(generator, count):
    rows = generator.normal(size=(count, SIZE)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def generator():
    return np.random.default_rng(7)


def test_nearness_should_be_the_mean_of_the_nearest_labels_alone(generator):
    images, labels, reference = unit(generator, 5), unit(generator, 60), unit(generator, 40)
    z = standardised_cosine(images, labels, reference)
    expected = [np.mean(sorted(row, reverse=True)[:NEAREST]) for row in z]
    assert nearness(images, labels, reference) == pytest.approx(expected, abs=1e-5)
    assert nearness(images[2:3], labels, reference) == pytest.approx(expected[2:3], abs=1e-5)


def test_nearness_should_do_with_fewer_labels_and_with_none(generator):
    images, labels, reference = unit(generator, 5), unit(generator, 3), unit(generator, 40)
    z = standardised_cosine(images, labels, reference)
    assert nearness(images, labels, reference) == pytest.approx(z.mean(1), abs=1e-5)
    assert nearness(images, labels[:0], reference).tolist() == [0] * 5


def test_familiarity_should_tell_acquaintances_from_strangers():
    vocabulary = np.eye(3, dtype=np.float32)
    half = np.array([0.75, (1 - 0.75**2) ** 0.5, 0], np.float32)
    labels = np.stack([vocabulary[1], half, -vocabulary[0]])
    assert familiarity(labels, vocabulary) == pytest.approx([1, 0.5, 0], abs=1e-6)
    assert familiarity(labels, vocabulary[:0]).tolist() == [1, 1, 1]


def test_a_decoder_should_be_trusted_with_what_it_knows():
    reference = Reference(np.zeros((0, 3)), np.zeros((0, 0)), np.eye(3, dtype=np.float32)[:1])
    logits, prior = np.array([[2.0, 2.0], [4.0, 4.0]]), np.array([-1.0, -3.0])
    assert reference.trusted(logits, prior, np.eye(3)[:2]).tolist() == [[2, -3], [4, -3]]


class Encoder(nn.Module):
    """Takes the pixels themselves as tokens and embedding, one after the other."""

    def forward(self, pixels):
        return pixels[:, :-SIZE].reshape(-1, 5, WIDTH), pixels[:, -SIZE:]


def test_graphs_should_be_exported_as_they_are(generator, tmp_path):
    torch.manual_seed(3)
    decoder = MLDecoder(MLDecoderConfig(WIDTH, 4, 32), SIZE)
    encoder = NearnessEncoder(Encoder(), unit(generator, 30), unit(generator, 50))
    served = ServedDecoder(decoder, generator.normal(size=(5, WIDTH)), unit(generator, 30), 0.4, 1.3)
    pixels = generator.normal(size=(4, 5 * WIDTH + SIZE)).astype(np.float32)
    tokens = encoder(torch.from_numpy(pixels))[0].numpy()
    assert tokens.shape == (4, 6, WIDTH)
    for name, module, feed, outputs, free in (
        ("encoder", encoder, {"pixels": pixels}, {"tokens": {0: "B"}, "embedding": {0: "B"}}, {"pixels": {0: "B"}}),
        (
            "decoder",
            served,
            {"tokens": tokens, "labels": unit(generator, 7)},
            {"logits": {0: "B", 1: "L"}},
            {"tokens": {0: "B"}, "labels": {0: "L"}},
        ),
    ):
        path = tmp_path / f"{name}.onnx"
        export_graph(module, {key: torch.from_numpy(value[:2]) for key, value in feed.items()}, outputs, free, path)
        check_parity(path, module, feed)
        for axis_input in feed:
            check_independence(path, feed, axis_input, 1 if axis_input == "labels" else 0)


def test_a_served_decoder_should_say_how_many_rows_it_adds(generator):
    rows = []

    def decoder(tokens, labels):
        rows.append(len(tokens))
        return torch.zeros(len(tokens), len(labels))

    served = ServedDecoder(decoder, generator.normal(size=(5, WIDTH)), unit(generator, 30), 0.4, 1.3)
    served(torch.zeros(4, 6, WIDTH), torch.from_numpy(unit(generator, 7)))
    assert rows == [4 + served.added_rows]


@torch.no_grad()
def test_graphs_should_score_as_calibrated_with_the_plain_cosine(generator):
    torch.manual_seed(3)
    decoder = MLDecoder(MLDecoderConfig(WIDTH, 4, 32), SIZE).eval()
    tokens, images = generator.normal(size=(4, 5, WIDTH)).astype(np.float32), unit(generator, 4)
    vocabulary = unit(generator, 30)
    labels = np.concatenate([vocabulary[:3], unit(generator, 4)])  # some known, some new
    reference = Reference(unit(generator, 50), generator.normal(size=(5, WIDTH)).astype(np.float32), vocabulary)
    calibration = Calibration(0.7, 1.3, -2.0, prior_share=0.4)

    encoder = NearnessEncoder(Encoder(), vocabulary, reference.embeddings)
    served = ServedDecoder(decoder, reference.tokens, vocabulary, 0.4, 1.3 / 0.7).eval()
    pixels = np.concatenate([tokens.reshape(4, -1), images], 1)
    more, embedding = encoder(torch.from_numpy(pixels))
    logits = served(more, torch.from_numpy(labels)).numpy()
    z = standardised_cosine(embedding.numpy(), labels, reference.embeddings)
    found = 1 / (1 + np.exp(-(0.7 * logits + 1.3 * z - 2.0)))

    own = decoder(torch.from_numpy(tokens), torch.from_numpy(labels)).numpy()
    prior = decoder(torch.from_numpy(reference.tokens[None]), torch.from_numpy(labels)).numpy()[0]
    relative = reference.relative(images, labels)
    assert familiarity(labels, vocabulary).min() < 1
    assert found == pytest.approx(calibration.scores(reference.trusted(own, prior, labels), relative, prior), abs=1e-5)


def test_typical_tokens_should_get_the_average_of_logits(generator):
    torch.manual_seed(4)
    decoder = MLDecoder(MLDecoderConfig(WIDTH, 4, 32), SIZE).eval()
    photos = np.maximum(3 * generator.normal(size=(20, 5, WIDTH)), 0).astype(np.float32)
    labels = unit(generator, 40)
    with torch.no_grad():
        average = decoder(torch.from_numpy(photos), torch.from_numpy(labels)).numpy().mean(0)
    start = photos.mean(0)

    def gap(tokens):
        with torch.no_grad():
            return np.abs(decoder(torch.from_numpy(tokens[None]), torch.from_numpy(labels)).numpy()[0] - average).mean()

    found = typical_tokens(decoder, start, labels, average)
    assert gap(found) < 0.5 * gap(start)
    assert found.min() >= 0 and found.shape == start.shape
    assert all(parameter.grad is None for parameter in decoder.parameters())
