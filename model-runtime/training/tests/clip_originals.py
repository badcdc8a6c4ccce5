# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint's own library computes, through its public interface: tokenizer, image and text embeddings."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
import transformers

from clip_decoder.bundle.self_test import synthetic_pixels


@dataclass(frozen=True)
class Original:
    """images: uint8 [B, S, S, 3] -> unit rows [B, D]. texts -> unit rows [L, D]. ids: a text's, without padding."""

    images: callable
    texts: callable
    ids: callable
    size: int
    scale: float
    bias: float | None


def original_open_clip(model: torch.nn.Module, tokenizer) -> Original:
    def images(pixels):
        mean, std = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
        return model.encode_image(normalised(pixels, mean, std), normalize=True).numpy()

    def ids(text):
        row = tokenizer([text])[0].tolist()
        return row[: row.index(tokenizer.eot_token_id) + 1]

    return Original(
        torch.no_grad()(images),
        torch.no_grad()(lambda texts: model.encode_text(tokenizer(texts), normalize=True).numpy()),
        ids,
        model.visual.image_size[0] if isinstance(model.visual.image_size, tuple) else model.visual.image_size,
        model.logit_scale.exp().item(),
        None,
    )


def original_hugging_face(directory: Path) -> Original:
    model = transformers.AutoModel.from_pretrained(directory).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    processor = transformers.AutoImageProcessor.from_pretrained(directory)
    length = model.config.text_config.max_position_embeddings

    def images(pixels):
        given = processor(list(pixels), return_tensors="pt", do_resize=False, do_center_crop=False)
        return F.normalize(model.get_image_features(**given).pooler_output, dim=-1).numpy()

    def texts(wanted):
        given = tokenizer(wanted, padding="max_length", truncation=True, max_length=length, return_tensors="pt")
        return F.normalize(model.get_text_features(**given).pooler_output, dim=-1).numpy()

    return Original(
        torch.no_grad()(images),
        torch.no_grad()(texts),
        lambda text: tokenizer(text, truncation=True, max_length=length).input_ids,
        model.config.vision_config.image_size,
        model.logit_scale.exp().item(),
        model.logit_bias.item() if model.config.model_type == "siglip" else None,
    )


def normalised(pixels: np.ndarray, mean, std) -> torch.Tensor:
    """uint8 [B, S, S, 3] -> float [B, 3, S, S]"""
    scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    return (scaled - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def pictures(count: int, size: int) -> np.ndarray:
    """Waves and noise: uint8 [count, size, size, 3]"""
    waves = synthetic_pixels(count, size)
    noise = np.random.default_rng(5).integers(0, 256, waves.shape, dtype=np.uint8)
    waves[1::2] = noise[1::2]
    return waves
