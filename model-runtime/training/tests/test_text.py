# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from clip_decoder.text import TextEncoder, TextTooLongError, fill_templates, unit


@pytest.fixture
def encoder(text_folder) -> TextEncoder:
    return TextEncoder(text_folder / "text.onnx", text_folder / "tokenizer.json", max_tokens=8)


def test_vector_should_be_the_unit_mean_of_token_states_without_padding(encoder):
    parts = [encoder.encode(word) for word in ("red", "square")]
    assert np.linalg.norm(encoder.encode("red square")) == pytest.approx(1, abs=1e-6)
    # Both words weigh the same in the plane they span: padding would have added a third direction.
    basis = np.linalg.lstsq(np.stack(parts, 1), encoder.encode("red square"), rcond=None)
    assert basis[1][0] < 1e-8


def test_label_vector_should_follow_the_bundle_contract(encoder):
    center = np.full(16, 0.05, np.float32)
    prompts = fill_templates("red", ["a photo of a {}.", "{}"])
    assert prompts == ["a photo of a red.", "red"]
    mean = unit((encoder.encode(prompts[0]) + encoder.encode(prompts[1])) / 2)
    expected = unit(mean - center)
    assert np.abs(encoder.label_vector(prompts, center) - expected).max() < 1e-6


def test_too_long_a_text_should_be_refused_with_its_length(encoder):
    with pytest.raises(TextTooLongError, match="9 tokens, at most 8 allowed"):
        encoder.encode("a photo of a red green blue bright dark".replace("bright dark", "bright dark"))


def test_missing_files_should_be_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such text encoder file.*text.onnx"):
        TextEncoder(tmp_path / "text.onnx", tmp_path / "tokenizer.json")


def test_a_label_without_prompts_should_be_refused(encoder):
    with pytest.raises(ValueError, match="at least one prompt"):
        encoder.label_vector([])


def test_stored_vectors_should_be_read_instead_of_computed(text_folder, tmp_path):
    def encoder():
        return TextEncoder(text_folder / "text.onnx", text_folder / "tokenizer.json", store=tmp_path / "store.npz")

    first = encoder()
    vector = first.encode("red")
    first.save()
    second = encoder()
    second._session = None
    assert (second.encode("red") == vector).all()
