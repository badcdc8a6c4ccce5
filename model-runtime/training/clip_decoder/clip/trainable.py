# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's towers as the start of training: the image tower learns, the text tower stays as it is."""

import copy
from dataclasses import replace
from pathlib import Path

import torch

from clip_decoder.bundle.self_test import synthetic_pixels
from clip_decoder.clip.open_clip_checkpoint import ResNetTower
from clip_decoder.clip.text_graph import export_text_graph
from clip_decoder.clip.towers import Towers
from clip_decoder.config import Config
from clip_decoder.model.tower_decoder import TowerDecoder

TEXT_GRAPH, TOKENIZER = "text_encoder.onnx", "tokenizer.json"


def for_towers(config: Config, towers: Towers) -> Config:
    """The configuration with the checkpoint's input size and text tower."""
    text = replace(
        config.text, graph=TEXT_GRAPH, tokenizer=TOKENIZER, max_tokens=towers.context, pooling="NONE"
    )
    return replace(config, image=replace(config.image, size=towers.pixels.size), text=text)


def write_text_tower(towers: Towers, folder: Path) -> Path:
    """The text tower's graph and tokenizer, as a bundle has them."""
    folder.mkdir(parents=True, exist_ok=True)
    export_text_graph(towers, folder / TEXT_GRAPH)
    towers.tokenizer.save(str(folder / TOKENIZER), pretty=False)
    return folder


def tower_decoder(towers: Towers, config: Config) -> TowerDecoder:
    """A model whose tower begins with the checkpoint's weights; ``towers`` keep theirs."""
    tower = copy.deepcopy(towers.image)
    label_size = _output_sizes(tower, towers.pixels.size)[1]
    pooled = isinstance(tower, ResNetTower) and not config.image.attention_pooling
    if pooled:
        tower = tower.without_pooling()
    feature_size, embedding_size = _output_sizes(tower, towers.pixels.size)
    projection = torch.nn.Linear(embedding_size, label_size) if pooled else torch.nn.Identity()
    rule = towers.pixels
    mean, std = (rule.mean, rule.std) if config.image.pixels == "normalised" else ((0.0,) * 3, (1.0,) * 3)
    return TowerDecoder(tower, projection, feature_size, label_size, mean, std, config.decoder)


def _output_sizes(tower: torch.nn.Module, size: int) -> tuple[int, int]:
    with torch.no_grad():
        features, embedding = tower(torch.from_numpy(synthetic_pixels(1, size)).permute(0, 3, 1, 2) / 255)
    return features.shape[-1], embedding.shape[-1]
