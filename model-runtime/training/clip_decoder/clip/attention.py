# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's multi-head attention in operations whose shapes still follow the input once they are traced."""

import torch
import torch.nn.functional as F
from open_clip.modified_resnet import AttentionPool2d
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Replaces an nn.MultiheadAttention with ``batch_first`` whose inputs are the same, and uses its weights."""

    def __init__(self, original: nn.MultiheadAttention):
        super().__init__()
        self.original = original

    def forward(
        self, query: Tensor, _key: Tensor, _value: Tensor, attn_mask: Tensor | None = None, **_: object
    ) -> tuple[Tensor, None]:
        """query [B, S, H], attn_mask [S, S], added to the energies -> [B, S, H] and None for the weights"""
        packed = F.linear(query, self.original.in_proj_weight, self.original.in_proj_bias)  # [B, S, 3 H]
        attended = attend(*packed.chunk(3, dim=-1), self.original.num_heads, attn_mask)
        return self.original.out_proj(attended), None

    def own_values(self, states: Tensor) -> Tensor:
        """What each place would get if it attended to itself alone: [B, S, H] -> [B, S, H]"""
        return own_values(self.original, states)


class AttentionPool(nn.Module):
    """Replaces CLIP's ResNet pooling and uses its weights: the mean attends to itself and every place.

    features [B, C, h, w] -> [B, D]
    """

    def __init__(self, original: AttentionPool2d):
        super().__init__()
        self.original = original

    def forward(self, features: Tensor) -> Tensor:
        pool = self.original
        places = features.flatten(2).transpose(1, 2)  # [B, T, C]
        places = torch.cat([places.mean(1, keepdim=True), places], 1) + pool.positional_embedding
        query = pool.q_proj(places[:, :1])  # [B, 1, C]
        attended = attend(query, pool.k_proj(places), pool.v_proj(places), pool.num_heads, None)
        return pool.c_proj(attended).squeeze(1)

    def own_values(self, features: Tensor) -> Tensor:
        """What pooling would give if there were only one place, for each: features [B, C, h, w] -> [B, h*w, D]"""
        return self.original.c_proj(self.original.v_proj(features.flatten(2).transpose(1, 2)))


def own_values(attention: nn.MultiheadAttention, states: Tensor) -> Tensor:
    """``SelfAttention.own_values`` of PyTorch's own module."""
    width = attention.embed_dim
    values = F.linear(states, attention.in_proj_weight[2 * width :], attention.in_proj_bias[2 * width :])
    return attention.out_proj(values)


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """query [B, Q, H], key and value [B, S, H], mask [Q, S] or None -> [B, Q, H]"""
    width = int(query.shape[-1]) // heads
    query, key, value = (part.unflatten(2, (heads, width)).transpose(1, 2) for part in (query, key, value))
    energies = query @ key.transpose(2, 3) * width**-0.5  # [B, heads, Q, S]
    if mask is not None:
        energies = energies + mask
    return (torch.softmax(energies, -1) @ value).transpose(1, 2).flatten(2)


def make_traceable(module: nn.Module) -> nn.Module:
    """Replaces every nn.MultiheadAttention in ``module``, which must use them for self-attention."""
    for name, child in module.named_children():
        if isinstance(child, nn.MultiheadAttention):
            setattr(module, name, SelfAttention(child))
        else:
            make_traceable(child)
    return module
