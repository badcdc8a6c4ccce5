# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The published sizes, with random weights: the largest differences are printed (``pytest -m full_size -rP``)."""

from pathlib import Path

import numpy as np
import pytest
import torch
from clip_checkpoints import FULL_SIZE, Checkpoint, described, export, label_vectors, run
from clip_originals import pictures
from clip_world import head_file, texts
from tokenizers import Tokenizer

from clip_decoder.text import TextEncoder

pytestmark = pytest.mark.full_size


@pytest.fixture(params=FULL_SIZE)
def checkpoint(request, tmp_path) -> Checkpoint:
    return FULL_SIZE[request.param](tmp_path)


def test_bundle_should_compute_what_the_library_does(checkpoint, tmp_path):
    head = head_file(tmp_path / "head.pt", checkpoint.features, checkpoint.labels, 768, 2048)
    options = ("--head", str(tmp_path / "head.pt"), "--head-labels", "unit")
    bundle = export(checkpoint, tmp_path / "bundle", *options)
    pixels = pictures(4, checkpoint.original.size)
    expected = checkpoint.original.images(pixels)
    tokens, embedding = run(bundle, "image_encoder", pixels=pixels)
    images = np.abs(embedding - expected).max()

    labels = label_vectors(bundle)
    head.decoder.embed_standart = torch.nn.Identity()
    with torch.no_grad():
        logits = head(torch.from_numpy(tokens), torch.from_numpy(labels)).numpy()
    decoder = np.abs(run(bundle, "decoder", tokens=tokens, labels=labels)[0] - logits).max()

    wanted = label_texts(checkpoint, bundle)
    about = described(bundle)["text"]
    encoder = TextEncoder(bundle / about["file"], bundle / about["tokenizer"], about["maxTokens"], about["pooling"])
    found = np.stack([encoder.encode(text) for text in wanted])
    text = np.abs(found - checkpoint.original.texts(wanted)).max()

    halved = export(checkpoint, tmp_path / "bundle", "--fp16", *options)
    half = np.abs(run(halved, "image_encoder", pixels=pixels)[1] - expected).max()
    print(f"images {images:.1e}, texts {text:.1e}, decoder {decoder:.1e}, images in half precision {half:.1e}")
    assert max(images, text, decoder) < 1e-4 and half < 1e-3
    assert np.abs(expected[0] - expected[1]).max() > 1e-3


def label_texts(checkpoint: Checkpoint, bundle: Path) -> list[str]:
    """Some texts that the runtime accepts, after checking that all get the original tokenizer's ids."""
    about = described(bundle)["text"]
    tokenizer = Tokenizer.from_file(str(bundle / about["tokenizer"]))
    tokenizer.enable_truncation(about["maxTokens"])
    ids = {text: checkpoint.original.ids(text) for text in texts()}
    for text, expected in ids.items():
        assert tokenizer.encode(text).ids == expected, text
    return [text for text in texts()[::17] if len(ids[text]) < about["maxTokens"]]
