# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle's reference embeddings: from real photos or, without any, evenly over all directions."""

from pathlib import Path

import numpy as np
import torch

from clip_decoder.clip.towers import ImageGraph
from clip_decoder.data.images import ImageStore, decode, resize
from clip_decoder.errors import ClipError

MOST_PHOTOS = 512
FEWEST_PHOTOS = 32
BATCH = 16


def reference_photos(directory: Path, size: int, rule: str) -> np.ndarray:
    """uint8 [R, S, S, 3] of up to 512 photos, spread evenly over the folder's names; ClipError for fewer than 32."""
    pixels = []
    with ImageStore(directory) as store:
        names = sorted(store)
        for name in names[:: max(1, len(names) // MOST_PHOTOS)][:MOST_PHOTOS]:
            image = decode(store.read(name))
            if image is not None:
                pixels.append(resize(image, size, rule))
    if len(pixels) < FEWEST_PHOTOS:
        raise ClipError(
            f"{directory} has {len(pixels)} photos that decode; a label's cosine is standardised over at least"
            f" {FEWEST_PHOTOS} varied ones: add photos, or leave --reference out"
        )
    return np.stack(pixels)


def even_directions(width: int) -> np.ndarray:
    """Both ends of every axis: unit rows [2 D, D].

    Over them, every label has mean 0 and deviation 1 / sqrt(D), so that z is the plain cosine times sqrt(D).
    """
    return np.concatenate([np.eye(width, dtype=np.float32), -np.eye(width, dtype=np.float32)])


def embed(graph: ImageGraph, pixels: np.ndarray) -> np.ndarray:
    """uint8 [N, S, S, 3] -> unit rows [N, D]"""
    with torch.no_grad():
        rows = [graph(torch.from_numpy(pixels[at : at + BATCH]))[-1] for at in range(0, len(pixels), BATCH)]
    return torch.cat(rows).numpy()
