# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic pixels for a bundle's self-test: made by a formula, so that no photo has to ship with the code."""

import numpy as np


def synthetic_pixels(images: int, size: int) -> np.ndarray:
    """uint8 [images, size, size, 3]; channel c of image i at row y and column x is

    round(127.5 + 127.5 sin((i + 1) (c + 2) 2 pi x / size + (i + 2) (c + 1) 2 pi y / size + i + c))

    Smooth waves that differ by image and channel, over the full range of values.
    """
    i = np.arange(images)[:, None, None, None]
    y = np.arange(size)[None, :, None, None]
    x = np.arange(size)[None, None, :, None]
    c = np.arange(3)[None, None, None, :]
    phase = 2 * np.pi / size * ((i + 1) * (c + 2) * x + (i + 2) * (c + 1) * y) + i + c
    return np.round(127.5 + 127.5 * np.sin(phase)).astype(np.uint8)
