# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The text encoder's graph of a bundle, and the proof that it computes what the text tower does."""

from pathlib import Path

import numpy as np
import torch

from clip_decoder.bundle.graphs import PARITY_TOLERANCE, check_parity, export_graph, open_graph
from clip_decoder.clip.towers import TextGraph, Towers
from clip_decoder.errors import ExportError

TEXTS = ["dog", "a photo of a cat.", "two people walking along a river at sunset, seen from behind", "café"]


def export_text_graph(towers: Towers, path: Path) -> float:
    """Writes the graph; returns its largest difference from PyTorch, or between texts alone and together."""
    graph = TextGraph(towers.text)
    ids, mask = towers.tokenize(TEXTS)
    free = {0: "L", 1: "S"}
    export_graph(
        graph,
        {"input_ids": ids, "attention_mask": mask},
        {"embedding": {0: "L"}},
        {"input_ids": free, "attention_mask": free},
        path,
    )
    worst = check_parity(path, graph, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    with torch.no_grad():
        together = graph(ids, mask).numpy()
    session = open_graph(path)
    for row, text in enumerate(TEXTS):
        ids, mask = towers.tokenize([text])
        alone = session.run(None, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0][0]
        worst = max(worst, float(np.abs(alone - together[row]).max()))
    if not worst <= PARITY_TOLERANCE:
        raise ExportError(f"{path.name}: a text's embedding changes by {worst:.2e} with the texts beside it")
    return worst
