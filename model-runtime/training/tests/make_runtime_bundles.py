# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the Java tests' three exported bundles, beside what PyTorch and the original tokenizers compute for them.

Random weights, a few thousand of them: what is tested is that the runtime computes what the original libraries do. Run it
from anywhere (``python make_runtime_bundles.py``) after a change to the exporter or the format.

``expected.json`` of each bundle: ``labels`` and ``scores`` (self-test images x labels, from the PyTorch model itself), and
``texts``, each with the ``ids`` that the original tokenizer gives it.
"""

import json
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import open_clip
import torch
import torch.nn.functional as F
import transformers
from clip_world import head_file, hugging_face_siglip, open_clip_directory, texts

from clip_decoder.__main__ import main as clip_decoder
from clip_decoder.bundle.self_test import synthetic_pixels
from clip_decoder.clip.patches import SHARPNESS

TARGET = Path(__file__).parents[2] / "src/test/resources/io/tagstream/bundles"
NAMES = ("dog", "Crème brûlée", "T-shirt", "New York skyline", "“smart quotes”", "日本の寺", "rock'n'roll band")
TEXT_COUNT = 100
CLIP = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 8, "head_width": 4, "patch_size": 8},
    "text_cfg": {"context_length": 77, "width": 8, "heads": 2, "layers": 1},
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_clip(Path(folder), TARGET / "clip")
        make_siglip(Path(folder), TARGET / "siglip")
        make_patches(Path(folder), TARGET / "patches")


def make_clip(folder: Path, target: Path) -> None:
    """open_clip's ViT with a decoder head."""
    checkpoint = open_clip_directory(folder / "clip", CLIP, merges=100)
    head = head_file(folder / "head.pt", features=8, labels=8, width=16, hidden=16)
    export(checkpoint, target, "--head", str(folder / "head.pt"), "--head-labels", "unit")
    model = open_clip.create_model(f"local-dir:{checkpoint}").eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{checkpoint}")
    with torch.no_grad():
        labels = model.encode_text(tokenizer([f"a photo of a {name}." for name in NAMES]), normalize=True)
        visual = model.visual
        pixels = normalised(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
        features = visual.ln_post(visual.transformer(visual._embeds(pixels)))
        scores = torch.sigmoid(head(features, labels))
    ids = {text: [tokenizer.sot_token_id, *tokenizer.encode(text), tokenizer.eot_token_id] for text in chosen_texts()}
    write_expected(target, scores, ids)


def make_siglip(folder: Path, target: Path) -> None:
    """transformers' SigLIP, scored by its own scale and bias."""
    tower = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    checkpoint = hugging_face_siglip(folder / "siglip", text=tower, vision=tower, normalization="identity")
    export(checkpoint, target)
    model = transformers.SiglipModel.from_pretrained(checkpoint).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    prompts = [f"This is a photo of {name}." for name in NAMES]
    with torch.no_grad():
        inputs = tokenizer(prompts, padding="max_length", return_tensors="pt")
        pixels = normalised((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        scores = torch.sigmoid(model(input_ids=inputs.input_ids, pixel_values=pixels).logits_per_image)
    write_expected(target, scores, {text: tokenizer(text).input_ids for text in chosen_texts()})


def make_patches(folder: Path, target: Path) -> None:
    """open_clip's ViT without a head, scored by patch tokens."""
    checkpoint = open_clip_directory(folder / "patches", CLIP, merges=100)
    photos = folder / "photos"
    photos.mkdir()
    pixels = np.random.default_rng(17).integers(0, 256, (32, 32, 32, 3), np.uint8)
    pixels[:, 8:24, 8:24] //= np.arange(1, 33, dtype=np.uint8)[:, None, None, None]
    for number, photo in enumerate(pixels):
        cv2.imwrite(str(photos / f"{number:02d}.png"), photo[:, :, ::-1])
    export(checkpoint, target, "--score-by", "patches", "--reference", str(photos))
    model = open_clip.create_model(f"local-dir:{checkpoint}").eval()
    visual = model.visual
    tokenizer = open_clip.get_tokenizer(f"local-dir:{checkpoint}")

    def encode(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        *blocks, last = visual.transformer.resblocks
        states = visual._embeds(pixels)
        for block in blocks:
            states = block(states)
        count = states.shape[1]
        alone = torch.full((count, count), float("-inf")).fill_diagonal_(0)
        patches = visual.ln_post(last(states, attn_mask=alone))[:, 1:] @ visual.proj
        return F.normalize(patches, dim=-1), model.encode_image(pixels, normalize=True)

    with torch.no_grad():
        labels = model.encode_text(tokenizer([f"a photo of a {name}." for name in NAMES]), normalize=True)
        moments = (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
        patches, embeddings = encode(scaled(pixels, *moments))
        background, whole = (patches @ labels.T).flatten(0, 1), embeddings @ labels.T
        patches, embeddings = encode(normalised(*moments))
        fits = (patches @ labels.T - background.mean(0)) / background.std(0, correction=0)
        logits = torch.log(torch.exp(SHARPNESS * fits).mean(1)) / SHARPNESS
        z = (embeddings @ labels.T - whole.mean(0)) / whole.std(0, correction=0)
        scoring = json.loads((target / "bundle.json").read_text())["scoring"]
        odds = scoring["decoderWeight"] * logits + scoring["cosineWeight"] * z + scoring["bias"]
    ids = {text: [tokenizer.sot_token_id, *tokenizer.encode(text), tokenizer.eot_token_id] for text in chosen_texts()}
    write_expected(target, torch.sigmoid(odds), ids)


def export(checkpoint: Path, target: Path, *options: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    provenance = "Random weights made by model-runtime/training/tests/make_runtime_bundles.py."
    arguments = ["--clip", str(checkpoint), "--output", str(target), "--license", "Apache-2.0"]
    if clip_decoder(["export", *arguments, "--provenance", provenance, *options]):
        raise SystemExit("the export failed")


def normalised(mean: tuple[float, ...], deviation: tuple[float, ...]) -> torch.Tensor:
    return scaled(synthetic_pixels(2, 32), mean, deviation)


def scaled(pixels: np.ndarray, mean: tuple[float, ...], deviation: tuple[float, ...]) -> torch.Tensor:
    pixels = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    return (pixels - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(deviation).view(1, 3, 1, 1)


def chosen_texts() -> list[str]:
    return texts()[:TEXT_COUNT]


def write_expected(target: Path, scores: torch.Tensor, ids: dict[str, list[int]]) -> None:
    expected = {
        "labels": NAMES,
        "scores": np.round(scores.numpy().astype(float), 6).tolist(),
        "texts": [{"text": text, "ids": found} for text, found in ids.items()],
    }
    (target / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
