# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""How long a bundle's graphs take per image on one core, by the number of labels."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from clip_decoder.bundle.description import read_description
from clip_decoder.bundle.self_test import synthetic_pixels

BATCH = 8
REPEATS = 9


@dataclass(frozen=True)
class BundleTiming:
    """Milliseconds per image, medians over runs of a batch; ``decoder`` by the number of labels."""

    encoder: float
    decoder: dict[int, float]


def time_bundle(directory: Path, labels: Sequence[int]) -> BundleTiming:
    """Times the graphs with one thread each, on synthetic pixels and random label vectors.

    Measures processor time, which equals wall-clock time on an idle core: other programs hardly disturb it.
    """
    description = read_description(directory)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1

    def session(part: str) -> onnxruntime.InferenceSession:
        path = directory / description[part]["file"]
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    encoder, decoder = session("image"), session("decoder")
    pixels = synthetic_pixels(BATCH, description["image"]["size"])
    tokens, _ = encoder.run(None, {"pixels": pixels})
    generator = np.random.default_rng(0)
    by_count = {}
    for count in labels:
        vectors = generator.normal(size=(count, description["image"]["embeddingSize"])).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        by_count[count] = _median(lambda given=vectors: decoder.run(None, {"tokens": tokens, "labels": given}))
    return BundleTiming(_median(lambda: encoder.run(None, {"pixels": pixels})), by_count)


def _median(run: Callable[[], object]) -> float:
    run()
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return float(np.median(seconds) * 1000 / BATCH)
