# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Published ML-Decoder heads read into the kit's own decoder."""

from pathlib import Path

import open_clip
import pytest
import torch
import transformers
from clip_originals import normalised, pictures
from clip_world import TINY_RESNET, OriginalHead, head_file, hugging_face_clip, open_clip_directory
from safetensors.torch import save_file

from clip_decoder.__main__ import main
from clip_decoder.bundle.graphs import open_graph
from clip_decoder.clip.head import read_head
from clip_decoder.clip.labels import NAMES
from clip_decoder.errors import ClipError
from clip_decoder.text import TextEncoder


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "head.pt"


def answers(head, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return head.decoder(torch.relu(head.projection(features)), labels)


@pytest.mark.parametrize("labels", [24, 32], ids=["projected labels", "labels as wide as the decoder"])
def test_head_should_compute_what_the_original_does(path, labels):
    original = head_file(path, features=40, labels=labels)
    head = read_head(path)
    assert (head.feature_size, head.label_size) == (40, labels)
    features, vectors = torch.randn(3, 9, 40), torch.randn(5, labels)
    with torch.no_grad():
        assert torch.allclose(answers(head, features, vectors), original(features, vectors), atol=1e-5)


def test_published_width_should_be_read(path):
    original = head_file(path, features=2048, labels=1024, width=768, hidden=2048)
    features, vectors = torch.rand(2, 49, 2048), torch.randn(7, 1024)
    with torch.no_grad():
        assert torch.allclose(answers(read_head(path), features, vectors), original(features, vectors), atol=1e-4)


@pytest.mark.parametrize("layout", ["fc.", "module.head.", ""])
def test_other_places_of_the_head_should_be_found(tmp_path, path, layout):
    head_file(path, features=40, labels=24)
    state = {name.removeprefix("head."): value for name, value in torch.load(path).items() if name.startswith("head.")}
    torch.save({"state_dict": {layout + name: value for name, value in state.items()}, "epoch": 3}, path)
    assert read_head(path).feature_size == 40
    save_file({name: value.contiguous() for name, value in state.items()}, str(tmp_path / "head.safetensors"))
    assert read_head(tmp_path / "head.safetensors").label_size == 24


def test_a_head_trained_on_raw_label_vectors_should_be_made_to_fit_unit_ones(path, tmp_path):
    checkpoint = hugging_face_clip(tmp_path / "clip")
    original = head_file(path, features=32, labels=24)
    output = tmp_path / "bundle"
    assert main(["export", "--clip", str(checkpoint), "--head", str(path), "--output", str(output)]) == 0
    encoder = TextEncoder(output / "text_encoder.onnx", output / "tokenizer.json", 77, "NONE")
    label = encoder.encode("a photo of a dog.")[None]
    tokens = open_graph(output / "image_encoder.onnx").run(
        ["tokens"], {"pixels": pictures(1, 32)}
    )
    feed = {"tokens": tokens[0], "labels": label}
    found = open_graph(output / "decoder.onnx").run(None, feed)[0]

    model = transformers.CLIPModel.from_pretrained(checkpoint).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    inputs = tokenizer([f"a photo of a {name}." for name in NAMES], padding=True, return_tensors="pt")
    original.decoder.embed_standart = torch.nn.Identity()
    with torch.no_grad():
        norm = model.get_text_features(**inputs).pooler_output.norm(dim=1).mean()
        expected = original(torch.from_numpy(tokens[0]), torch.from_numpy(label) * norm)
        of_unit_norm = original(torch.from_numpy(tokens[0]), torch.from_numpy(label))
    assert found == pytest.approx(expected.numpy(), abs=1e-4)
    assert abs(of_unit_norm - expected).item() > 1e-3


@pytest.fixture(scope="module")
def resnet(tmp_path_factory) -> Path:
    return open_clip_directory(tmp_path_factory.mktemp("resnet"), TINY_RESNET)


@pytest.mark.parametrize("trained,unit_pixels", [(True, False), (True, True), (False, True), (False, False)])
def test_tokens_should_come_from_the_tower_and_pixels_that_the_head_was_trained_on(
    resnet, path, tmp_path, trained, unit_pixels
):
    clip = open_clip.create_model(f"local-dir:{resnet}").eval()
    tower = open_clip.create_model(f"local-dir:{resnet}").eval().visual
    if trained:
        with torch.no_grad():
            tower.layer4[0].conv3.weight.mul_(1.1)
            tower.bn1.running_mean.add_(0.05)
    body = {f"body.{name}": value for name, value in tower.state_dict().items() if not name.startswith("attnpool.")}
    original = head_file(path, features=256, labels=128, **body)
    output = tmp_path / "bundle"
    options = ["--head-pixels", "unit"] if unit_pixels else []
    assert main(["export", "--clip", str(resnet), "--head", str(path), "--output", str(output), *options]) == 0
    pixels = pictures(2, 64)
    tokens, embedding = open_graph(output / "image_encoder.onnx").run(None, {"pixels": pixels})
    mean, std = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
    given = normalised(pixels, (0, 0, 0), (1, 1, 1)) if unit_pixels else normalised(pixels, mean, std)
    with torch.no_grad():
        tower.attnpool = torch.nn.Identity()
        memory = original.decoder.embed_standart(tower(given).flatten(2).transpose(1, 2)).relu()
        expected = clip.encode_image(normalised(pixels, mean, std), normalize=True)
    assert tokens == pytest.approx(memory.numpy(), abs=1e-4)
    assert embedding == pytest.approx(expected.numpy(), abs=1e-4)


def test_another_tower_beside_the_head_should_be_refused(resnet, path, tmp_path, capsys):
    head_file(path, features=256, labels=128, **{"body.conv1.0.weight": torch.zeros(64, 48, 3, 3)})
    assert main(["export", "--clip", str(resnet), "--head", str(path), "--output", str(tmp_path / "bundle")]) == 2
    assert "that is not the --clip checkpoint's ResNet: they differ in" in capsys.readouterr().err
    head_file(path, features=32, labels=24, **{"body.conv1.0.weight": torch.zeros(64, 48, 3, 3)})
    clip = hugging_face_clip(tmp_path / "clip")
    assert main(["export", "--clip", str(clip), "--head", str(path), "--output", str(tmp_path / "bundle")]) == 2
    assert "which replaces CLIP's ResNets only" in capsys.readouterr().err


def changed(path: Path, change) -> None:
    state = torch.load(path)
    change(state)
    torch.save(state, path)


@pytest.mark.parametrize(
    "change,message",
    [
        (lambda state: state.pop("head.decoder.embed_standart.weight"), "no ML-Decoder head in it"),
        (lambda state: state.pop("head.decoder.layers.0.norm2.bias"), "the head lacks decoder.layers.0.norm2.bias"),
        (
            lambda state: state.update({"head.decoder.query_embed.weight": torch.zeros(80, 32)}),
            "80 learned queries, so it knows a fixed set of classes",
        ),
        (
            lambda state: state.update({"head.decoder.duplicate_pooling": torch.zeros(80, 32, 1)}),
            r"duplicate_pooling has shape \[80, 32, 1\], the zero-shot form has \[32, 1\]",
        ),
        (
            lambda state: state.update({"head.decoder.layers.1.norm1.weight": torch.zeros(32)}),
            "more than one decoder layer",
        ),
        (
            lambda state: state.update({"head.decoder.layers.0.linear2.weight": torch.zeros(32, 65)}),
            "parts do not fit together.*output.weight.*65",
        ),
        (
            lambda state: state.update({"head.decoder.layers.0.multihead_attn.in_proj_weight": torch.zeros(95, 32)}),
            "in_proj_weight has 95 rows, not 3 x 32",
        ),
    ],
)
def test_what_is_wrong_with_a_head_should_be_named(path, change, message):
    head_file(path, features=40, labels=24)
    changed(path, change)
    with pytest.raises(ClipError, match=message):
        read_head(path)


def test_widths_that_do_not_fit_should_be_named_with_what_to_change(path):
    head_file(path, features=2048, labels=300)
    head = read_head(path)
    with pytest.raises(ClipError, match="2048 wide .*, the image tower gives features 768 wide; pass the --clip"):
        head.check_fits(768, 512)
    with pytest.raises(ClipError, match="300 wide .*, the text tower gives vectors 1024 wide.*word vectors"):
        head.check_fits(2048, 1024)


def test_a_width_that_the_attention_heads_do_not_divide_should_be_refused(path):
    with pytest.raises((AssertionError, ValueError)):  # PyTorch's own refusal: no such head can have been trained
        OriginalHead(8, 8, 36)
    torch.save({"head.decoder.embed_standart.weight": torch.zeros(36, 8)}, path)
    with pytest.raises(ClipError, match="decoder width 36 is not a multiple of its 8 attention heads"):
        read_head(path)
