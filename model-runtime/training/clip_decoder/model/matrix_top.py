# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The upper EfficientNet-Lite blocks as matrix products, for training on CPUs.

PyTorch's depthwise convolutions are slow backwards on CPUs (most of a training step). On the small maps near the top of
the network a depthwise convolution is cheaper as one S x S' matrix per channel, and with channels first everything
else is a single matrix product, batch normalisation folded in. Statistics stay frozen; everything else is trained.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, relu6

from clip_decoder.model.efficientnet_lite import EfficientNetLite, InvertedResidual, PaddedConv


class MatrixTop(nn.Module):
    """``forward``: the trunk's output [B, C, S, S] -> features [B, 1280, S', S'], equal to ``backbone.top``.

    Holds no parameters of its own: it reads, and so trains, those of the backbone it is made from.
    """

    def __init__(self, backbone: EfficientNetLite, first_trained_stage: int, size: int):
        super().__init__()
        self._backbone = [backbone]  # hidden in a list: a submodule would be in the state dict twice
        self._blocks = list(backbone.blocks[backbone.start_of(first_trained_stage) :])
        self._patterns = []
        for block in self._blocks:
            conv, padding = _depthwise(block)
            pattern, size = _placement(conv, padding, size)
            self._patterns.append(pattern)

    def forward(self, x: Tensor) -> Tensor:
        y = self._through_blocks(x)
        head = self._backbone[0].head
        y = relu6(_pointwise(head[0], head[1], y))  # [1280, B, S'*S']
        return _as_map(y)

    def body(self, x: Tensor) -> Tensor:
        """``forward`` without the final convolution."""
        return _as_map(self._through_blocks(x))

    def _through_blocks(self, x: Tensor) -> Tensor:
        y = x.flatten(2).transpose(0, 1)  # [C, B, S*S]
        for block, pattern in zip(self._blocks, self._patterns, strict=True):
            z = y
            if isinstance(block.expand, nn.Sequential):
                z = relu6(_pointwise(block.expand[0], block.expand[1], z))
            z = relu6(_filter(block, pattern, z))
            z = _pointwise(block.project[0], block.project[1], z)
            y = y + z if block.residual else z
        return y


def _as_map(y: Tensor) -> Tensor:
    """[C, B, S*S] -> [B, C, S, S]"""
    side = round(y.shape[2] ** 0.5)
    return y.transpose(0, 1).reshape(y.shape[1], -1, side, side)


def _folded(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The scale and offset, per channel, of a batch normalisation with frozen statistics."""
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def _pointwise(conv: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    scale, offset = _folded(norm)
    weight = conv.weight.flatten(1) * scale[:, None]  # [out, in]
    columns = x.reshape(x.shape[0], -1)  # [in, B*S]
    return torch.addmm(offset[:, None], weight, columns).view(-1, *x.shape[1:])  # [out, B, S]


def _filter(block: InvertedResidual, pattern: Tensor, x: Tensor) -> Tensor:
    conv, _ = _depthwise(block)
    scale, offset = _folded(block.depthwise[1])
    taps = conv.weight.flatten(1) * scale[:, None]  # [C, k*k]
    matrices = (taps @ pattern.flatten(1)).view(-1, *pattern.shape[1:])  # [C, S, S']
    return torch.baddbmm(offset[:, None, None], x, matrices)  # [C, B, S] x [C, S, S'] -> [C, B, S']


def _depthwise(block: InvertedResidual) -> tuple[nn.Conv2d, tuple[int, int]]:
    """The block's depthwise convolution with its (before, after) padding."""
    conv = block.depthwise[0]
    if isinstance(conv, PaddedConv):
        return conv.conv, (conv.pad.padding[0], conv.pad.padding[1])
    return conv, (conv.padding[0], conv.padding[0])


def _placement(conv: nn.Conv2d, padding: tuple[int, int], size: int) -> tuple[Tensor, int]:
    """Which kernel tap lies between which input and output position, float [k*k, S, S']; and the output side."""
    kernel, stride = conv.kernel_size[0], conv.stride[0]
    out = (size + sum(padding) - kernel) // stride + 1
    inputs = torch.arange(size)
    outputs = torch.arange(out)
    tap = inputs[:, None] - (outputs[None, :] * stride - padding[0])  # [size, out]
    inside = (tap >= 0) & (tap < kernel)
    taps = tap[:, None, :, None] * kernel + tap[None, :, None, :]  # [y, x, y', x']
    valid = inside[:, None, :, None] & inside[None, :, None, :]
    positions = torch.where(valid, taps, kernel * kernel).reshape(size * size, out * out)
    return one_hot(positions, kernel * kernel + 1)[..., :-1].permute(2, 0, 1).float().contiguous(), out
