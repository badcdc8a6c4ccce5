# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints beside the libraries that they come from, and bundles beside their files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
from clip_originals import Original, original_hugging_face, original_open_clip
from clip_world import TINY_RESNET, TINY_VIT, hugging_face_clip, hugging_face_siglip, open_clip_directory, shaken

from clip_decoder.__main__ import main
from clip_decoder.bundle.graphs import open_graph
from clip_decoder.text import TextEncoder, fill_templates

LABELS = ("dog", "red car", "crème brûlée", "日本の寺")


@dataclass(frozen=True)
class Checkpoint:
    path: Path
    original: Original
    options: tuple[str, ...] = ()
    features: int = 0
    labels: int = 0


def open_clip_checkpoint(path: Path, features: int, labels: int) -> Checkpoint:
    model = open_clip.create_model(f"local-dir:{path}").eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{path}")
    return Checkpoint(path, original_open_clip(model, tokenizer), (), features, labels)


def open_clip_state_dict(folder: Path, name: str, features: int, labels: int) -> Checkpoint:
    """A training checkpoint, as open_clip's training saves it from several GPUs."""
    model = shaken(lambda: open_clip.create_model(name), 15)
    path = folder / "epoch_1.pt"
    state = {f"module.{key}": value for key, value in model.state_dict().items()}
    torch.save({"epoch": 1, "name": name, "state_dict": state}, path)
    original = original_open_clip(model, open_clip.get_tokenizer(name))
    return Checkpoint(path, original, ("--open-clip-model", name), features, labels)


def hugging_face(path: Path, features: int, labels: int) -> Checkpoint:
    return Checkpoint(path, original_hugging_face(path), (), features, labels)


def openai_archive(folder: Path, features: int, labels: int) -> Checkpoint:
    """A TorchScript archive, as OpenAI published its weights: the architecture follows from the shapes."""
    tower = {"layers": 1, "width": 64}
    config = {
        "embed_dim": 24,
        "quick_gelu": True,
        "vision_cfg": tower | {"image_size": 32, "head_width": 64, "patch_size": 8},
        "text_cfg": tower | {"context_length": 77, "vocab_size": 49408, "heads": 1},
    }
    # in half precision, as published
    model = shaken(lambda: open_clip.CLIP(**config), 16).half().float()
    mask = model.attn_mask
    del model.attn_mask  # a plain attribute in OpenAI's code, so it must not be a weight of the archive
    model.attn_mask = mask
    tokenizer = open_clip.SimpleTokenizer()
    example = (torch.zeros(1, 3, 32, 32), tokenizer(["dog"]))
    torch.jit.trace(model, example).save(str(folder / "ViT-tiny.pt"))
    return Checkpoint(folder / "ViT-tiny.pt", original_open_clip(model, tokenizer), (), features, labels)


BASE = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
TEXT = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 8}
TINY: dict[str, Callable[[Path], Checkpoint]] = {
    "transformers CLIP": lambda folder: hugging_face(hugging_face_clip(folder / "clip"), 32, 24),
    "transformers SigLIP": lambda folder: hugging_face(hugging_face_siglip(folder / "siglip"), 64, 64),
    "open_clip ViT": lambda folder: open_clip_checkpoint(open_clip_directory(folder / "vit", TINY_VIT), 32, 24),
    "open_clip ResNet": lambda folder: open_clip_checkpoint(open_clip_directory(folder / "rn", TINY_RESNET), 256, 128),
    "OpenAI archive": lambda folder: openai_archive(folder, 64, 24),
}
FULL_SIZE: dict[str, Callable[[Path], Checkpoint]] = {
    "transformers CLIP ViT-B/32": lambda folder: hugging_face(
        hugging_face_clip(folder / "b32", merges=None, size=224, patch=32, text=TEXT, vision=BASE, projection=512),
        768,
        512,
    ),
    "transformers CLIP ViT-B/16": lambda folder: hugging_face(
        hugging_face_clip(folder / "b16", merges=None, size=224, patch=16, text=TEXT, vision=BASE, projection=512),
        768,
        512,
    ),
    "transformers SigLIP-B/16": lambda folder: hugging_face(
        hugging_face_siglip(folder / "sb16", size=224, patch=16, text=BASE, vision=BASE, vocabulary=32000), 768, 768
    ),
    "open_clip ViT-B-32": lambda folder: open_clip_state_dict(folder, "ViT-B-32", 768, 512),
    "open_clip ViT-B-16-quickgelu": lambda folder: open_clip_state_dict(folder, "ViT-B-16-quickgelu", 768, 512),
    "open_clip RN50": lambda folder: open_clip_state_dict(folder, "RN50", 2048, 1024),
}


def export(checkpoint: Checkpoint, output: Path, *options: str) -> Path:
    arguments = ["export", "--clip", str(checkpoint.path), "--output", str(output)]
    assert main([*arguments, *checkpoint.options, *options]) == 0
    return output


def described(bundle: Path) -> dict:
    return json.loads((bundle / "bundle.json").read_text())


def run(bundle: Path, graph: str, **feed: np.ndarray) -> list[np.ndarray]:
    return open_graph(bundle / f"{graph}.onnx").run(None, feed)


def label_vectors(bundle: Path) -> np.ndarray:
    text = described(bundle)["text"]
    encoder = TextEncoder(bundle / text["file"], bundle / text["tokenizer"], text["maxTokens"], text["pooling"])
    return np.stack([encoder.label_vector(fill_templates(name, text["templates"])) for name in LABELS])
