# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The frozen trunk's outputs, computed once per image and view and kept on disk.

A training step then starts at the first trained layer. View 0 is the image as a bundle would see it, the others are
augmented.
"""

import copy
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from clip_decoder.bundle.graphs import export_graph, open_graph
from clip_decoder.data.augmentation import CROP, NONE, augmented
from clip_decoder.data.images import ImageStore, decode

BATCH = 32
# pixels uint8 [B, S, S, 3] -> a module's outputs
Runner = Callable[[np.ndarray], list[np.ndarray]]


class TrunkGraph(nn.Module):
    """pixels uint8 [B, S, S, 3] -> trunk output [B, C, s, s] and the pretrained class logits [B, 1000]"""

    def __init__(self, backbone: nn.Module, first_trained_stage: int):
        super().__init__()
        self.backbone = backbone
        self.stage = first_trained_stage

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        trunk = self.backbone.trunk(pixels.permute(0, 3, 1, 2).float(), self.stage)
        return trunk, self.backbone.classify(self.backbone.top(trunk, self.stage))


class TrunkCache:
    """``trunk(view)``: float16 [N, C, s, s], memory-mapped. ``class_probabilities``: float32 [N, 1000], view-averaged."""

    def __init__(self, directory: Path, names: Sequence[str], views: int):
        self._directory = directory
        self.names = list(names)
        self.views = views
        self._trunks = [np.load(directory / f"trunk-{view}.npy", mmap_mode="r") for view in range(views)]

    def trunk(self, view: int) -> np.ndarray:
        return self._trunks[view]

    def draw(self, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """A random view of some rows."""
        return self.trunk(int(generator.integers(self.views)))[rows]

    def plain(self, rows: np.ndarray) -> np.ndarray:
        """Some rows of the view without augmentation."""
        return self.trunk(0)[rows]

    def class_probabilities(self) -> np.ndarray:
        total = np.zeros((len(self.names), 1000), np.float32)
        for view in range(self.views):
            logits = np.load(self._directory / f"logits-{view}.npy").astype(np.float32)
            exponentials = np.exp(logits - logits.max(1, keepdims=True))
            total += exponentials / exponentials.sum(1, keepdims=True)
        return total / self.views


def readable_images(store: ImageStore, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names that are there and decode, and those that are not."""
    good, bad = [], []
    for name in tqdm(names, desc="check images", unit="image", disable=None):
        (good if name in store and decode(store.read(name)) is not None else bad).append(name)
    return good, bad


def build_trunk_cache(
    directory: Path,
    store: ImageStore,
    names: Sequence[str],
    backbone: nn.Module,
    first_trained_stage: int,
    size: int,
    rule: str,
    views: int,
    augmentation: str = CROP,
    device: torch.device | None = None,
) -> TrunkCache:
    """Computes what ``directory`` lacks, on ``device``. Every image must decode (see ``readable_images``).

    Raises ValueError when the directory holds a cache of other images or settings.
    """
    directory.mkdir(parents=True, exist_ok=True)
    key = {"names": list(names), "stage": first_trained_stage, "size": size, "rule": rule}
    if augmentation != CROP:
        key["augmentation"] = augmentation
    key_file = directory / "cache.json"
    if key_file.exists() and json.loads(key_file.read_text()) != key:
        raise ValueError(f"{directory} holds a cache of other images or settings; delete it or name another folder")
    key_file.write_text(json.dumps(key))

    missing = [view for view in range(views) if not (directory / f"logits-{view}.npy").exists()]
    if not missing:
        return TrunkCache(directory, names, views)
    outputs = ["trunk", "logits"]
    run = graph_runner(TrunkGraph(backbone.eval(), first_trained_stage), size, outputs, directory / "trunk.onnx", device)
    shape = run(np.zeros((1, size, size, 3), np.uint8))[0].shape[1:]

    for view in missing:
        trunk = np.lib.format.open_memmap(directory / f"trunk-{view}.npy", "w+", np.float16, (len(names), *shape))
        logits = np.zeros((len(names), 1000), np.float16)
        starts = range(0, len(names), BATCH)

        def batch(start: int, view: int = view) -> np.ndarray:
            generator = np.random.default_rng([view, start])
            kind = augmentation if view else NONE
            return np.stack([_pixels(store, name, size, rule, kind, generator) for name in names[start : start + BATCH]])

        with ThreadPoolExecutor(1) as reader:  # one reader: tar files are not safe to share
            following = reader.submit(batch, 0)
            for start in tqdm(starts, desc=f"trunk, view {view}", unit="batch", disable=None):
                pixels = following.result()
                if start + BATCH < len(names):
                    following = reader.submit(batch, start + BATCH)
                trunk[start : start + BATCH], logits[start : start + BATCH] = run(pixels)
        trunk.flush()
        np.save(directory / f"logits-{view}.npy", logits)
    return TrunkCache(directory, names, views)


def graph_runner(
    module: nn.Module, size: int, outputs: Sequence[str], graph: Path, device: torch.device | None
) -> Runner:
    """ONNX Runtime, from the file ``graph``, is the faster of the two on a CPU; a GPU runs the module itself."""
    if device is not None and device.type != "cpu":
        return module_runner(module, device)
    export_graph(
        module,
        {"pixels": torch.zeros(2, size, size, 3, dtype=torch.uint8)},
        {name: {0: "B"} for name in outputs},
        {"pixels": {0: "B"}},
        graph,
    )
    session = open_graph(graph)
    return lambda pixels: session.run(None, {"pixels": pixels})


def module_runner(module: nn.Module, device: torch.device) -> Runner:
    moved = copy.deepcopy(module).to(device).eval()

    def run(pixels: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            return [one.float().cpu().numpy() for one in moved(torch.from_numpy(pixels).to(device))]

    return run


def _pixels(store: ImageStore, name: str, size: int, rule: str, kind: str, generator: np.random.Generator) -> np.ndarray:
    image = decode(store.read(name))
    if image is None:
        raise ValueError(f"{name} does not decode")
    return augmented(image, size, rule, kind, generator)
