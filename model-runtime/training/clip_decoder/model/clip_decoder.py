# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""CLIP-Decoder (Ali and Khan 2024, arXiv 2406.14830): an image encoder in a text encoder's space, and ML-Decoder on top."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from clip_decoder.model.ml_decoder import MLDecoder, MLDecoderConfig, TokenProjection

INITIAL_TEMPERATURE = 0.07
MAX_SCALE = 100.0


class ImageProjection(nn.Module):
    """Maps pooled features to the text encoder's space, as the sum of two paths.

    One is linear, as in CLIP. The other uses what the backbone was pretrained to name: its class probabilities
    times the classes' text vectors (ConSE, Norouzi et al. 2014). The linear path begins at zero, so that an untrained
    model is that training-free baseline, and the small data that follows can only add to it.

    pooled [B, C], class_logits [B, K] -> unit rows [B, D]
    """

    def __init__(self, channels: int, class_texts: Tensor):
        super().__init__()
        self.linear = nn.Linear(channels, class_texts.shape[1])
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.class_texts = nn.Parameter(class_texts.clone())  # [K, D]

    def forward(self, pooled: Tensor, class_logits: Tensor) -> Tensor:
        named = torch.softmax(class_logits.float(), dim=-1) @ self.class_texts  # [B, D]
        return F.normalize(named + self.linear(pooled).float(), dim=-1)


class ClipDecoder(nn.Module):
    """Backbone, image projection and decoder with a learned temperature.

    Pixels are float or uint8 RGB in [0, 255], [B, 3, S, S]; label vectors [L, D] come from a frozen text encoder.
    The image embedding itself is the decoder's last token: the one in the space of the labels.
    """

    def __init__(self, backbone: nn.Module, class_texts: Tensor, decoder: MLDecoderConfig):
        super().__init__()
        label_size = class_texts.shape[1]
        self.backbone = backbone
        self.tokens = TokenProjection(backbone.feature_channels, decoder.width)
        self.embedding_token = nn.Linear(label_size, decoder.width) if decoder.embedding_token else None
        self.projection = ImageProjection(backbone.feature_channels, class_texts)
        self.decoder = MLDecoder(decoder, label_size)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / INITIAL_TEMPERATURE)))
        # The cosine branch's own scale and offset: the contrastive temperature is far too sharp for a sigmoid.
        self.cosine_log_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.cosine_bias = nn.Parameter(torch.tensor(-4.0))

    def heads(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """features [B, C, h, w] -> tokens [B, h*w (+ 1), W], embedding [B, D] of unit norm."""
        pooled = features.mean((2, 3))  # [B, C]
        embedding = self.projection(pooled, self.backbone.classifier(pooled))
        patches = self.tokens(features)  # [B, h*w, W]
        if self.embedding_token is None:
            return patches, embedding
        # Unit vectors have small entries; scaled to unit variance they start on a par with the features.
        last = F.relu(self.embedding_token(embedding * embedding.shape[1] ** 0.5)).unsqueeze(1)  # [B, 1, W]
        return torch.cat([patches, last.to(patches.dtype)], 1), embedding

    def encode(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        return self.heads(self.backbone(pixels.float()))

    def cosine_logits(self, embedding: Tensor, labels: Tensor) -> Tensor:
        """embedding [B, D], labels [L, D] -> [B, L]"""
        return self.cosine_log_scale.exp() * embedding @ labels.T + self.cosine_bias

    def contrastive_scale(self) -> Tensor:
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def training_mode(self) -> None:
        """Batch statistics stay those of the pretrained network."""
        self.train()
        self.backbone.eval()

    def trained_parts(self, first_stage: int) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The parameters that are new, and those of the pretrained network that go on learning."""
        slow = [
            *self.backbone.top_parameters(first_stage),
            *self.backbone.classifier.parameters(),
            self.projection.class_texts,
        ]
        apart = {id(parameter) for parameter in (*slow, *self.backbone.parameters())}
        return [one for one in self.parameters() if id(one) not in apart], slow
