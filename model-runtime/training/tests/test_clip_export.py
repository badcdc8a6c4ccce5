# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles of tiny checkpoints beside the libraries that the checkpoints come from."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from clip_checkpoints import LABELS, TINY, Checkpoint, described, export, label_vectors, run
from clip_originals import pictures
from clip_world import head_file, texts
from tokenizers import Tokenizer

from clip_decoder.bundle.graphs import open_graph
from clip_decoder.bundle.scoring import Scoring, scores, standardised_cosine
from clip_decoder.bundle.writer import sha256
from clip_decoder.text import TextEncoder, TextTooLongError, fill_templates

PARITY = 1e-4
HALF_PARITY = 1e-3


@pytest.fixture(scope="module", params=TINY)
def checkpoint(request, tmp_path_factory) -> Checkpoint:
    return TINY[request.param](tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def bundle(checkpoint, tmp_path_factory) -> Path:
    return export(checkpoint, tmp_path_factory.mktemp("bundle"))


def served_scores(bundle: Path, pixels: np.ndarray) -> np.ndarray:
    """By BUNDLE.md, from the bundle's files alone."""
    about = described(bundle)
    *tokens, embedding = run(bundle, "image_encoder", pixels=pixels)
    labels = label_vectors(bundle)
    logits = run(bundle, "decoder", tokens=tokens[0], labels=labels)[0] if tokens else None
    reference = np.fromfile(bundle / about["reference"]["file"], "<f4").reshape(about["reference"]["count"], -1)
    given = about["scoring"]
    scoring = Scoring(given["decoderWeight"], given["cosineWeight"], given["bias"], 0.5, 1, 0.0)
    return scores(logits, standardised_cosine(embedding, labels, reference), scoring)


def test_image_embeddings_should_be_the_librarys(checkpoint, bundle):
    pixels = pictures(4, checkpoint.original.size)
    expected = checkpoint.original.images(pixels)
    found = run(bundle, "image_encoder", pixels=pixels)
    difference = np.abs(found[0] - expected).max()
    print(f"{checkpoint.path.name}: images {difference:.1e}")
    assert len(found) == 1 and difference < PARITY
    assert np.abs(expected[0] - expected[1]).max() > 100 * PARITY  # otherwise the same numbers would fit any image


def test_text_embeddings_should_be_the_librarys(checkpoint, bundle):
    about = described(bundle)["text"]
    encoder = TextEncoder(bundle / about["file"], bundle / about["tokenizer"], about["maxTokens"], about["pooling"])
    # without those that the library would truncate and the runtime refuses
    wanted = [text for text in texts()[:-5:9] if len(checkpoint.original.ids(text)) < about["maxTokens"]]
    expected = checkpoint.original.texts(wanted)
    found = np.stack([encoder.encode(text) for text in wanted])
    difference = np.abs(found - expected).max()
    print(f"{checkpoint.path.name}: {len(wanted)} texts {difference:.1e}")
    assert len(wanted) > 15 and difference < PARITY
    with pytest.raises(TextTooLongError):
        encoder.encode(texts()[-1])


def test_tokens_should_be_the_librarys(checkpoint, bundle):
    about = described(bundle)["text"]
    tokenizer = Tokenizer.from_file(str(bundle / about["tokenizer"]))
    tokenizer.enable_truncation(about["maxTokens"])
    assert len(texts()) >= 200
    for text in texts():
        assert tokenizer.encode(text).ids == checkpoint.original.ids(text), text


def test_bundle_should_describe_its_files(checkpoint, bundle):
    about = described(bundle)
    for part in (about["image"], about["text"], about["reference"]):
        assert sha256(bundle / part["file"]) == part["sha256"]
    assert sha256(bundle / about["text"]["tokenizer"]) == about["text"]["tokenizerSha256"]
    assert "decoder" not in about and "tokens" not in about["image"]
    assert about["text"]["pooling"] == "NONE"


def test_bundle_without_photos_should_score_by_the_plain_cosine(checkpoint, bundle):
    pixels = pictures(2, checkpoint.original.size)
    templates = described(bundle)["text"]["templates"]
    prompts = [fill_templates(name, templates)[0] for name in LABELS]
    cosines = checkpoint.original.images(pixels) @ checkpoint.original.texts(prompts).T
    found = served_scores(bundle, pixels)
    logits = np.log(found / (1 - found))
    offset = logits - checkpoint.original.scale * cosines
    assert np.abs(offset - offset.mean()).max() < 2e-3
    if checkpoint.original.bias is not None:
        assert offset.mean() == pytest.approx(checkpoint.original.bias, abs=1e-3)


def test_head_should_answer_as_it_did_when_it_was_trained(checkpoint, tmp_path):
    original = head_file(tmp_path / "head.pt", checkpoint.features, checkpoint.labels)
    output = export(checkpoint, tmp_path, "--head", str(tmp_path / "head.pt"), "--head-labels", "unit")
    pixels = pictures(3, checkpoint.original.size)
    tokens, embedding = run(output, "image_encoder", pixels=pixels)
    about = described(output)
    assert tokens.shape == (3, about["image"]["tokens"], 32) and (tokens >= 0).all()
    assert np.abs(embedding - checkpoint.original.images(pixels)).max() < PARITY
    labels = label_vectors(output)
    with torch.no_grad():
        # the projection is on the image encoder's side: undone, the tokens are the head's memory
        original.decoder.embed_standart = torch.nn.Identity()
        expected = original(torch.from_numpy(tokens), torch.from_numpy(labels)).numpy()
    assert np.abs(run(output, "decoder", tokens=tokens, labels=labels)[0] - expected).max() < PARITY
    assert served_scores(output, pixels) == pytest.approx(1 / (1 + np.exp(-expected)), abs=1e-4)


def test_half_precision_should_stay_close_and_hand_over_tokens_in_it(checkpoint, tmp_path):
    head_file(tmp_path / "head.pt", checkpoint.features, checkpoint.labels, 128, 256)
    output = export(checkpoint, tmp_path, "--fp16", "--head", str(tmp_path / "head.pt"))
    session = open_graph(output / "image_encoder.onnx")
    assert [value.type for value in session.get_inputs()] == ["tensor(uint8)"]
    assert {value.name: value.type for value in session.get_outputs()} == {
        "tokens": "tensor(float16)",
        "embedding": "tensor(float)",
    }
    pixels = pictures(4, checkpoint.original.size)
    difference = np.abs(session.run(["embedding"], {"pixels": pixels})[0] - checkpoint.original.images(pixels)).max()
    print(f"{checkpoint.path.name}: half precision {difference:.1e}")
    assert difference < HALF_PARITY
    floats = onnx.load(str(output / "image_encoder.onnx")).graph.initializer
    assert {value.data_type for value in floats if value.dims and len(value.dims) > 1} == {onnx.TensorProto.FLOAT16}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number, picture in enumerate(pictures(40, 48)):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def test_reference_photos_should_standardise_labels(checkpoint, photos, tmp_path):
    output = export(checkpoint, tmp_path, "--reference", str(photos))
    about = described(output)
    assert about["reference"]["count"] == 40
    reference = np.fromfile(output / "reference_embeddings.f32", "<f4").reshape(40, -1)
    # a photo at a label's mean gets the score of an unrelated one, whatever the label
    z = standardised_cosine(reference, label_vectors(output), reference)
    assert np.abs(z.mean(0)).max() < 1e-4
    assert about["scoring"]["cosineWeight"] > 0 > about["scoring"]["bias"]
