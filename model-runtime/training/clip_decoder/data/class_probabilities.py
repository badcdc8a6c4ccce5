# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""What the pretrained backbone says about photos as a bundle sees them: its 1,000 classes, and nothing in between."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from clip_decoder.data.images import ImageStore, batches
from clip_decoder.data.trunk_cache import graph_runner

BATCH = 32


class ClassGraph(nn.Module):
    """pixels uint8 [B, S, S, 3] -> the pretrained class logits [B, 1000]"""

    def __init__(self, backbone: nn.Module):
        super().__init__()
        self.backbone = backbone

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        return (self.backbone.classify(self.backbone(pixels.permute(0, 3, 1, 2).float())),)


class PlainClasses:
    """``class_probabilities``: float32 [N, 1000], from one view of each photo, without augmentation."""

    def __init__(self, logits: np.ndarray):
        self._logits = logits

    @staticmethod
    def compute(
        record: Path,
        store: ImageStore,
        names: Sequence[str],
        backbone: nn.Module,
        size: int,
        rule: str,
        device: torch.device | None = None,
    ) -> "PlainClasses":
        """Reads the file ``record``; computes and writes it where it is missing, or of other photos or settings."""
        key = json.dumps({"names": list(names), "size": size, "rule": rule})
        if record.is_file():
            with np.load(record) as stored:
                if stored["key"].item() == key:
                    return PlainClasses(stored["logits"])
        record.parent.mkdir(parents=True, exist_ok=True)
        run = graph_runner(ClassGraph(backbone.eval()), size, ["logits"], record.with_suffix(".onnx"), device)
        parts = [run(pixels)[0] for pixels in batches(store, names, size, rule, "classes", BATCH)]
        logits = np.concatenate(parts).astype(np.float16)
        np.savez(record, key=np.array(key), logits=logits)
        return PlainClasses(logits)

    def class_probabilities(self) -> np.ndarray:
        logits = self._logits.astype(np.float32)
        exponentials = np.exp(logits - logits.max(1, keepdims=True))
        return exponentials / exponentials.sum(1, keepdims=True)
