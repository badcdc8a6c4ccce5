# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""ML-Decoder's zero-shot head (Ridnik et al. 2021, arXiv 2111.12933): label embeddings are the queries, image tokens the
memory, and no self-attention, so that a label's logit depends on that label and the image alone."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clip_decoder.model.dropout import ByteDropout


@dataclass(frozen=True)
class MLDecoderConfig:
    """Sizes of the head. The paper's: width 768, 8 heads, 2048 hidden units.

    ``embedding_token``: whether the image embedding is one more token, which the paper does not have.
    """

    width: int = 768
    heads: int = 8
    hidden: int = 2048
    dropout: float = 0.1
    embedding_token: bool = True

    def __post_init__(self):
        if self.width % self.heads:
            raise ValueError(f"decoder width {self.width} is not a multiple of its {self.heads} heads")


class MLDecoder(nn.Module):
    """tokens [B, T, W] (already projected, see ``TokenProjection``) and labels [L, D] -> logits [B, L].

    Q = ReLU(E Wp + bp); q = LN(Q + Q'); a = LN(q + MHA(q, Z, Z)); h = LN(a + W2 ReLU(W1 a)); logit = h w + c,
    with Q' = dropout(Q), and w and c shared by all labels.
    """

    def __init__(self, config: MLDecoderConfig, label_size: int):
        super().__init__()
        width = config.width
        self.config = config
        self.query = nn.Linear(label_size, width)
        self.query_norm = nn.LayerNorm(width)
        self.attention_query = nn.Linear(width, width)
        self.attention_key = nn.Linear(width, width)
        self.attention_value = nn.Linear(width, width)
        self.attention_output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, config.hidden)
        self.output = nn.Linear(config.hidden, width)
        self.output_norm = nn.LayerNorm(width)
        self.logit = nn.Linear(width, 1)
        self.dropout = ByteDropout(config.dropout)

    def forward(self, tokens: Tensor, labels: Tensor, chosen: Tensor | None = None) -> Tensor:
        """``chosen`` [B, M], optional: each image's own M rows of ``labels``; the logits are then [B, M]."""
        heads = self.config.heads
        head_width = self.config.width // heads
        batch, count = tokens.shape[0], tokens.shape[1]
        projected = F.relu(self.query(labels))  # [L, W]
        queries = self.query_norm(projected + self.dropout(projected))  # [L, W]; the same for every image

        q = self.attention_query(queries).view(-1, heads, head_width).transpose(0, 1)  # [H, L, W/H]
        if chosen is not None:
            q = q[:, chosen].transpose(0, 1)  # [B, H, M, W/H]
            queries = queries[chosen]  # [B, M, W]
        k = self.attention_key(tokens).view(batch, count, heads, head_width).transpose(1, 2)  # [B, H, T, W/H]
        v = self.attention_value(tokens).view(batch, count, heads, head_width).transpose(1, 2)  # [B, H, T, W/H]
        weights = torch.softmax(q @ k.transpose(2, 3) * head_width**-0.5, dim=-1)  # [B, H, L, T]
        attended = (weights @ v).transpose(1, 2).reshape(batch, -1, self.config.width)  # [B, L, W]

        a = self.attention_norm(queries + self.dropout(self.attention_output(attended)))  # [B, L, W]
        h = self.output(self.dropout(F.relu(self.hidden(a))))  # [B, L, W]
        h = self.output_norm(a + self.dropout(h))  # [B, L, W]
        return self.logit(h).squeeze(-1)  # [B, L]


class TokenProjection(nn.Module):
    """Z = ReLU(X We + be): the decoder's view of the image features, kept on the encoder's side of a bundle.

    features [B, C, h, w] -> tokens [B, h*w, W]
    """

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.project = nn.Linear(channels, width)

    def forward(self, features: Tensor) -> Tensor:
        return F.relu(self.project(features.flatten(2).transpose(1, 2)))
