# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Dropout that costs one random byte per entry: drawing PyTorch's masks is a fifth of a training step on a CPU."""

import torch
from torch import Tensor, nn

BYTES = 256


class ByteDropout(nn.Module):
    """``nn.Dropout`` with the probability rounded to a multiple of 1/256; draws from PyTorch's default generators."""

    def __init__(self, probability: float):
        super().__init__()
        if not 0 <= probability < 1:
            raise ValueError(f"a dropout probability is in [0, 1), got {probability}")
        self.dropped = min(round(probability * BYTES), BYTES - 1)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.dropped == 0:
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self.dropped
        return x * kept.to(x.dtype).mul_(BYTES / (BYTES - self.dropped))
