# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a checkpoint: one line that names it, exit code 2, no traceback and no bundle."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from clip_originals import pictures
from clip_world import (
    TINY_VIT,
    head_file,
    hugging_face_clip,
    hugging_face_siglip,
    hugging_face_tokenizer,
    open_clip_directory,
)

from clip_decoder.__main__ import main


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("published")
    return {
        "clip": hugging_face_clip(folder / "clip"),
        "siglip": hugging_face_siglip(folder / "siglip"),
        "open_clip": open_clip_directory(folder / "open_clip", TINY_VIT),
    }


def set_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_model_config(path: Path, tower: str, **values: object) -> None:
    config = json.loads(path.read_text())
    config["model_cfg"][tower] |= values
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    "kind,change,message",
    [
        (
            "clip",
            lambda d: (d / "config.json").unlink(),
            "it has neither config.json (transformers) nor open_clip_config",
        ),
        ("clip", lambda d: (d / "config.json").write_text("{"), "config.json is not a model configuration"),
        (
            "clip",
            lambda d: set_json(d / "config.json", model_type="bert"),
            "model_type is 'bert'; this kit exports clip",
        ),
        ("clip", lambda d: (d / "model.safetensors").unlink(), "the model does not load"),
        ("clip", lambda d: truncate(d / "model.safetensors"), "the model does not load: SafetensorError"),
        ("clip", lambda d: (d / "tokenizer.json").write_text("{}"), "the tokenizer does not load"),
        ("clip", lambda d: (d / "preprocessor_config.json").unlink(), "the image preprocessor does not load"),
        (
            "clip",
            lambda d: set_json(d / "preprocessor_config.json", size={"shortest_edge": 40}),
            "for which BUNDLE.md has no rule; choose the nearest with --resize",
        ),
        (
            "clip",
            lambda d: hugging_face_tokenizer(d, 400).save_pretrained(d),
            "the tokenizer has token ids up to 913, the text tower embeds 814 tokens",
        ),
        (
            "clip",
            lambda d: hugging_face_tokenizer(d, 200).save_pretrained(d),
            "the tokenizer ends texts with token 713, the text tower reads them at token 813",
        ),
        ("siglip", lambda d: (d / "spiece.model").write_bytes(b"?"), "the tokenizer does not load"),
        ("siglip", lambda d: (d / "spiece.model").unlink(), "the tokenizer does not load"),
        ("open_clip", lambda d: (d / "open_clip_config.json").write_text("[]"), "is not an open_clip configuration"),
        ("open_clip", lambda d: (d / "open_clip_model.safetensors").unlink(), "the checkpoint does not load"),
        ("open_clip", lambda d: truncate(d / "open_clip_model.safetensors"), "the checkpoint does not load"),
        (
            "open_clip",
            lambda d: change_model_config(d / "open_clip_config.json", "vision_cfg", layers=3),
            "the checkpoint does not load: RuntimeError: Error(s) in loading state_dict",
        ),
        (
            "open_clip",
            lambda d: change_model_config(d / "open_clip_config.json", "text_cfg", hf_tokenizer_name="some/t5"),
            "hf_tokenizer_name 'some/t5' is not supported",
        ),
        (
            "open_clip",
            lambda d: change_model_config(d / "open_clip_config.json", "text_cfg", tokenizer_kwargs={}),
            "open_clip's tokenizer has 49408 tokens, the text tower embeds 814",
        ),
    ],
)
def test_faults_of_a_checkpoint_should_be_named(published, tmp_path, capsys, kind, change, message):
    directory = tmp_path / "checkpoint"
    shutil.copytree(published[kind], directory)
    change(directory)
    assert message in fault(capsys, tmp_path, "--clip", str(directory))


def test_weights_that_are_missing_should_be_named(published, tmp_path, capsys):
    from safetensors.torch import load_file, save_file

    directory = tmp_path / "checkpoint"
    shutil.copytree(published["clip"], directory)
    state = load_file(directory / "model.safetensors")
    state.pop("text_projection.weight")
    save_file(state, str(directory / "model.safetensors"), metadata={"format": "pt"})
    assert "lacks 1 weights, such as text_projection.weight" in fault(capsys, tmp_path, "--clip", str(directory))


@pytest.mark.parametrize(
    "options,message",
    [
        (["--clip", "{folder}/none"], "no such checkpoint: "),
        (["--clip", "{folder}"], "is not a checkpoint directory"),
        (["--clip", "{folder}/weights.pt"], "weights without its architecture; name it with --open-clip-model"),
        (["--clip", "{folder}/weights.pt", "--open-clip-model", "RN51"], "open_clip has no model 'RN51'"),
        (["--clip", "{folder}/weights.pt", "--open-clip-model", "RN50"], "does not load as RN50"),
        (["--clip", "{folder}/noise.pt", "--open-clip-model", "RN50"], "does not load as RN50"),
        (["--clip", "{folder}/weights.pt", "--open-clip-model", "ViT-B-16-SigLIP"], "is not supported"),
        (["--clip", "{clip}", "--open-clip-model", "RN50"], "is for open_clip's state dicts"),
        (["--clip", "{open_clip}", "--open-clip-model", "RN50"], "leave --open-clip-model out"),
        (["--clip", "{clip}", "--head", "{folder}/none.pt"], "no such checkpoint: "),
        (["--clip", "{clip}", "--head", "{folder}/noise.pt"], "is not a readable checkpoint of tensors"),
        (["--clip", "{clip}", "--head", "{folder}/weights.pt"], "no ML-Decoder head in it"),
        (
            ["--clip", "{clip}", "--head", "{folder}/head.pt"],
            "40 wide (decoder.embed_standart.weight), the image tower",
        ),
        (["--clip", "{clip}", "--reference", "{folder}/none"], "no such image folder"),
        (["--clip", "{clip}", "--reference", "{folder}"], "has 1 photos that decode"),
        (["--clip", "{clip}", "--template", "a photo"], "template 'a photo' lacks {}"),
        (["--clip", "{clip}", "--config", "x.toml", "--work", "y"], "takes no --config, --work"),
        (["--config", "x.toml"], "export needs --data, --text, --work, or --clip"),
    ],
)
def test_faults_of_options_should_be_named(published, tmp_path, capsys, options, message):
    import cv2

    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "weights.pt")
    (tmp_path / "noise.pt").write_bytes(b"not a checkpoint")
    head_file(tmp_path / "head.pt", features=40, labels=24)
    cv2.imwrite(str(tmp_path / "photo.png"), pictures(1, 32)[0])
    filled = [option.replace("{folder}", str(tmp_path)) for option in options]
    for name, path in published.items():
        filled = [option.replace("{" + name + "}", str(path)) for option in filled]
    assert message in fault(capsys, tmp_path, *filled)


def fault(capsys, tmp_path: Path, *options: str) -> str:
    output = tmp_path / "bundle"
    assert main(["export", "--output", str(output), *options]) == 2
    assert not (output / "bundle.json").exists()
    printed = capsys.readouterr().err.splitlines()
    lines = [line for line in printed if line.startswith("clip_decoder: ")]
    assert len(lines) == 1 and not any("Traceback" in line for line in printed)
    return lines[0]
