# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""A world in miniature, to compare recipes in minutes: patterns in colours, and a CLIP that has seen all of them.

A label is a colour and a pattern. Each of them occurs with others too, so a label that training never saw can be
recognised, as with real words.
"""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import open_clip
import torch
from torch import nn

from clip_decoder.losses import contrastive_loss

COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 180, 60),
    "blue": (50, 70, 220),
    "yellow": (230, 210, 50),
    "purple": (150, 60, 190),
    "white": (245, 245, 245),
}
PATTERNS = ("square", "ring", "cross", "ladder", "fence")
LABELS = tuple(f"{colour} {pattern}" for colour in COLOURS for pattern in PATTERNS)
MOST_SHOWN = 4
CELL, CELLS = 8, 4  # pixels a cell, cells a side
SIZES = {"train": 600, "calibrate": 150, "test": 400}
TEXT = {"context_length": 32, "width": 32, "heads": 4, "layers": 2}
TOWERS = {
    "ViT": {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 48, "head_width": 12, "patch_size": 8},
        "text_cfg": TEXT,
    },
    "ResNet": {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16, "patch_size": None},
        "text_cfg": TEXT,
    },
}
PRETRAINING_STEPS = 400
PRETRAINING_BATCH = 64
PRETRAINING_RATE = 2e-3


def write_photos(folder: Path, seed: int) -> None:
    """``labels.csv`` and its images."""
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "labels.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "labels", "split"))
        for split, count in SIZES.items():
            for number in range(count):
                shown = _drawn(generator)
                name = f"{split}-{number:04d}.png"
                cv2.imwrite(str(folder / name), _picture(shown, generator)[:, :, ::-1])
                writer.writerow((name, "|".join(LABELS[label] for label in shown), split))


def write_clip(folder: Path, tower: str, seed: int) -> None:
    """An open_clip directory with ``tower``, taught by pictures with captions, of all labels."""
    folder.mkdir(parents=True, exist_ok=True)
    config = TOWERS[tower]
    mean, deviation = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
    preprocessing = {"mean": list(mean), "std": list(deviation), "resize_mode": "squash"}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": preprocessing}), encoding="utf-8"
    )
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False)
    _teach(model, config["vision_cfg"]["image_size"], mean, deviation, np.random.default_rng(seed))
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")


def _teach(model: nn.Module, size: int, mean, deviation, generator: np.random.Generator) -> None:
    tokenizer = open_clip.SimpleTokenizer(context_length=TEXT["context_length"])
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (mean, deviation))
    optimizer = torch.optim.Adam(model.parameters(), lr=PRETRAINING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PRETRAINING_RATE, total_steps=PRETRAINING_STEPS)
    model.train()
    for _ in range(PRETRAINING_STEPS):
        shown = [_drawn(generator) for _ in range(PRETRAINING_BATCH)]
        pictures = np.stack([cv2.resize(_picture(one, generator), (size, size)) for one in shown])
        pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255  # [B, 3, S, S]
        captions = ["a photo of " + ", ".join(f"a {LABELS[label]}" for label in one) + "." for one in shown]
        images = model.encode_image((pixels - mean) / deviation, normalize=True)
        texts = model.encode_text(tokenizer(captions), normalize=True)
        loss = contrastive_loss(images, texts, model.logit_scale.exp())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()


def _drawn(generator: np.random.Generator) -> np.ndarray:
    """Different labels, in any order."""
    return generator.permutation(len(LABELS))[: generator.integers(1, MOST_SHOWN + 1)]


def _picture(shown: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """RGB uint8 [32, 32, 3] with each label in a cell of its own."""
    image = generator.normal(generator.integers(80, 176), 12, (CELL * CELLS, CELL * CELLS, 3))
    colours = list(COLOURS.values())
    for label, cell in zip(shown, generator.permutation(CELLS * CELLS), strict=False):
        colour = np.array(colours[label // len(PATTERNS)]) + generator.normal(0, 12, 3)
        top, left = cell // CELLS * CELL, cell % CELLS * CELL
        image[top : top + CELL, left : left + CELL][SHAPES[label % len(PATTERNS)]] = colour
    return np.clip(image, 0, 255).astype(np.uint8)


def _shapes() -> list[np.ndarray]:
    """The patterns as bool [8, 8]."""
    rows, columns = np.indices((CELL, CELL))
    edge = np.minimum(np.minimum(rows, CELL - 1 - rows), np.minimum(columns, CELL - 1 - columns))
    middle = (CELL - 1) / 2
    return [
        edge >= 0,
        edge < 2,
        (abs(rows - middle) < 1) | (abs(columns - middle) < 1),
        rows % 4 < 2,
        columns % 4 < 2,
    ]


SHAPES = _shapes()
