# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Scores by patch tokens, without training: a label may fit one corner of a photo that is about something else.

A class token sums a photo up, so that CLIP finds its main subject and misses the rest. Here each patch has an embedding
of its own, and a label's logit tells how well it fits the patches that it fits best. Both graphs have the form of any
bundle with a decoder: tokens are patch embeddings, and the decoder has no weights but the statistics of patches in
reference photos. A logit depends on the image, the label and these statistics, never on another label: there is no
softmax over labels.
"""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clip_decoder.bundle.scoring import SMALLEST_DEVIATION, Scoring, standardised_cosine
from clip_decoder.clip.towers import PixelRule, Towers

# How sharply the best patches count, in standard deviations: towards 0 a mean over patches, towards infinity their
# maximum, which a single odd patch decides.
SHARPNESS = 2.0
# The rest is the class token's.
PATCH_SHARE = 0.5
# Every label is a candidate: the class token, which alone decides on candidates, misses what only patches show.
NO_CUTOFF = -1000.0
BATCH = 16


class PatchGraph(nn.Module):
    """pixels uint8 [B, S, S, 3] RGB -> patch embeddings [B, P, D] and the embedding [B, D], all unit"""

    def __init__(self, tower: nn.Module, rule: PixelRule):
        super().__init__()
        self.tower = tower
        self.register_buffer("mean", torch.tensor(rule.mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(rule.std).view(1, 3, 1, 1) * 255)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        normalised = (pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std  # [B, 3, S, S]
        patches, embedding = self.tower.patches(normalised)
        return F.normalize(patches, dim=-1), F.normalize(embedding, dim=-1)


class PatchDecoder(nn.Module):
    """patch embeddings [B, P, D], labels [L, D] -> logits [B, L]

    Cosines are standardised label by label over the patches of reference photos, whose mean [D] and covariance give a
    label's mean and deviation; then a smooth maximum over patches, log(mean(exp(s z))) / s.
    """

    def __init__(self, mean: np.ndarray, root: np.ndarray, sharpness: float = SHARPNESS):
        """``root`` [D, D]: the covariance's square root."""
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean.astype(np.float32)))
        self.register_buffer("root", torch.from_numpy(root.astype(np.float32)))
        self.sharpness = sharpness

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        deviation = torch.linalg.vector_norm(labels @ self.root, dim=1).clamp(min=SMALLEST_DEVIATION)  # [L]
        z = ((tokens - self.mean) @ labels.T) / deviation  # [B, P, L]
        strongest = z.amax(1, keepdim=True)
        spread = torch.exp(self.sharpness * (z - strongest)).mean(1)  # [B, L]
        return strongest.squeeze(1) + torch.log(spread) / self.sharpness


def patch_graphs(towers: Towers, pixels: np.ndarray) -> tuple[PatchGraph, PatchDecoder]:
    """Both graphs; the statistics are those of reference photos, pixels uint8 [R, S, S, 3]."""
    graph = PatchGraph(towers.image, towers.pixels).eval()
    count, total, products = 0, 0.0, 0.0
    with torch.no_grad():
        for at in range(0, len(pixels), BATCH):
            patches = graph(torch.from_numpy(pixels[at : at + BATCH]))[0].flatten(0, 1).double()  # [., D]
            count, total, products = count + len(patches), total + patches.sum(0), products + patches.T @ patches
    mean = total / count
    values, vectors = torch.linalg.eigh(products / count - torch.outer(mean, mean))
    root = vectors * values.clamp(min=0).sqrt()
    return graph, PatchDecoder(mean.numpy(), root.numpy()).eval()


def patch_scoring(
    by_class_token: Scoring,
    graph: PatchGraph,
    decoder: PatchDecoder,
    pixels: np.ndarray,
    labels: np.ndarray,
    share: float = PATCH_SHARE,
) -> Scoring:
    """The scores of a bundle without a head, but over both kinds of evidence, standardised and added.

    The sum has the spread over reference photos, pixels [R, S, S, 3], and common labels, unit rows [L, D], that the class
    token's z had, so that scale and bias stay meaningful.
    """
    given = torch.from_numpy(labels)
    with torch.no_grad():
        parts = [graph(torch.from_numpy(pixels[at : at + BATCH])) for at in range(0, len(pixels), BATCH)]
        pooled = np.concatenate([decoder(patches, given).numpy() for patches, _ in parts])  # [R, L]
    embeddings = np.concatenate([embedding.numpy() for _, embedding in parts])
    z = standardised_cosine(embeddings, labels, embeddings)
    middle, spread = float(pooled.mean()), float(pooled.std(0).mean())
    whole = float((share * (pooled - middle) / spread + (1 - share) * z).std(0).mean())
    decoder_weight = by_class_token.cosine_weight * share / (spread * whole)
    return replace(
        by_class_token,
        decoder_weight=round(decoder_weight, 6),
        cosine_weight=round(by_class_token.cosine_weight * (1 - share) / whole, 6),
        bias=round(by_class_token.bias - decoder_weight * middle, 6),
        candidate_cutoff=NO_CUTOFF,
    )
