# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Heads trained with their own image tower or their own pixel range: gives them the tokens they were trained on."""

import copy

import torch
from open_clip.modified_resnet import ModifiedResNet
from torch import Tensor, nn

from clip_decoder.clip.towers import PixelRule
from clip_decoder.errors import ClipError

# weights that a head does not need: the authors' code removes the pooling
POOLING = "attnpool."
COUNTER = "num_batches_tracked"


class TwoTowers(nn.Module):
    """Embeddings of one tower beside the features of another: normalised pixels [B, 3, S, S], as for every image tower.

    ``undo``: the features are computed from pixels in [0, 1].
    """

    def __init__(self, embeds: nn.Module, reads: nn.Module, undo: PixelRule | None):
        super().__init__()
        self.embeds = embeds
        self.reads = reads
        self.undo = undo is not None
        if undo is not None:
            self.register_buffer("mean", torch.tensor(undo.mean).view(1, 3, 1, 1))
            self.register_buffer("std", torch.tensor(undo.std).view(1, 3, 1, 1))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features, _ = self.reads(pixels * self.std + self.mean if self.undo else pixels)
        return features, self.embeds(pixels)[1]


def tower_of_head(image: nn.Module, weights: dict[str, Tensor], rule: PixelRule, unit_pixels: bool) -> nn.Module:
    """``image`` itself where the head reads its features; else both, at twice the cost.

    ``weights``: the image tower that was saved with the head, empty for none. Raises ClipError where it is not the
    checkpoint's ResNet.
    """
    undo = rule if unit_pixels else None
    if not weights:
        return TwoTowers(image, image, undo) if unit_pixels else image
    visual = getattr(image, "visual", None)
    if not isinstance(visual, ModifiedResNet):
        raise ClipError(
            "the head's file holds the image tower that it was trained with, which replaces CLIP's ResNets only; pass"
            " --clip an open_clip or OpenAI checkpoint with that ResNet, or a file with the head alone if it was trained on"
            " the unchanged tower of the --clip checkpoint"
        )
    own = {name: value for name, value in visual.state_dict().items() if not name.startswith(POOLING)}
    wrong = [name for name in own if COUNTER not in name and _shape(weights, name) != tuple(own[name].shape)]
    wrong += [name for name in weights if name not in visual.state_dict()]
    if wrong:
        raise ClipError(
            "the head's file holds the image tower that it was trained with, and that is not the --clip checkpoint's"
            f" ResNet: they differ in {len(wrong)} weights, such as {wrong[0]} ({_shape(weights, wrong[0])} against"
            f" {_shape(visual.state_dict(), wrong[0])})"
        )
    if all(torch.equal(weights[name], value) for name, value in own.items() if name in weights):
        return TwoTowers(image, image, undo) if unit_pixels else image
    trained = copy.deepcopy(image)
    trained.visual.load_state_dict(weights, strict=False)
    return TwoTowers(image, trained.eval(), undo)


def _shape(state: dict[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(state[name].shape) if name in state else None
