# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""What a command works with: configuration, data and (trained) model."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from clip_decoder.bundle.scoring import familiarity, nearness, standardised_cosine
from clip_decoder.config import Config, read_config
from clip_decoder.errors import ConfigError
from clip_decoder.model.efficientnet_lite import EfficientNetLite
from clip_decoder.pipeline import (
    CLIP,
    Folders,
    build_model,
    load_backbone,
    open_text_encoder,
    open_towers,
    prepare,
    prepare_measured,
)
from clip_decoder.text import TextEncoder, fill_templates
from clip_decoder.training import Model, TrainingData, encode, encoder_for, load_average, pick_device, predict

if TYPE_CHECKING:
    from clip_decoder.clip.towers import Towers

TYPICAL_STEPS = 100
TYPICAL_LABELS = 600
TYPICAL_RATE = 0.02


@dataclass
class Reference:
    """What scores are relative to: unit image embeddings [R, D], the tokens [T, W] of a typical photo, labels [V, D].

    The labels determine an image's nearness and a label's familiarity; V is 0 where scores use neither.
    """

    embeddings: np.ndarray
    tokens: np.ndarray
    labels: np.ndarray

    def relative(self, embeddings: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Standardised cosines [N, L], less each image's nearness to labels in general."""
        z = standardised_cosine(embeddings, labels, self.embeddings)
        return z - nearness(embeddings, self.labels, self.embeddings)[:, None]

    def trusted(self, logits: np.ndarray, prior: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """A decoder's logits [N, L], as far as they can be trusted: for unfamiliar labels, the prior [L] stands in."""
        share = familiarity(labels, self.labels)
        return share * logits + (1 - share) * prior

    def save(self, path: Path) -> None:
        np.savez(path, embeddings=self.embeddings, tokens=self.tokens, labels=self.labels)

    @staticmethod
    def read(path: Path) -> "Reference":
        with np.load(path) as stored:
            return Reference(stored["embeddings"], stored["tokens"], stored["labels"])


@dataclass
class Opened:
    """The data of one configuration."""

    config: Config
    config_path: Path
    folders: Folders
    data: TrainingData

    def served_labels(self) -> np.ndarray:
        """The published labels' vectors [L, D], as a bundle computes them."""
        return self.data.centred(self.data.labels.vectors[self.data.labels.published(), 0])

    def text_encoder(self) -> TextEncoder:
        return open_text_encoder(self.config, self.folders)[0]

    def name_vectors(self, text: TextEncoder, names: list[str]) -> np.ndarray:
        """Vectors [L, D] of names that are not labels of the configuration, made with its served templates."""
        templates = self.config.text.templates
        return self.data.centred(np.stack([text.label_vector(fill_templates(name, templates)) for name in names]))


@dataclass
class Prepared(Opened):
    """Data and model of one configuration; ``project`` and ``predict`` work on the model in place."""

    model: Model
    device: torch.device

    def __post_init__(self):
        self._start = self._projection_state()
        self._learned = self._start

    def load(self, checkpoint: Path) -> "Prepared":
        """Puts a checkpoint's averaged weights into the model."""
        self.data.center = load_average(self.model, checkpoint)
        self.model.to(self.device).eval()
        self._learned = self._projection_state()
        return self

    def project(self, share: float) -> None:
        """Weights between the training-free projection and the learned one (Wortsman et al. 2022, WiSE-FT).

        A small training set improves what it covers and degrades the rest; a point in between keeps most of both.
        """
        mixed = {
            name: start + share * (self._learned[name] - start.to(self._learned[name].device))
            for name, start in self._start.items()
        }
        self.model.load_state_dict({**self.model.state_dict(), **mixed})

    def predict(self, rows: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Decoder logits [R, L] and embeddings [R, D] of unaugmented images; labels [L, D] as served."""
        encoder = encoder_for(self.model, self.config, self.data.cache, self.device)
        return predict(self.model, encoder, self.data.cache, self.data.cache_rows[rows], labels, self.device)

    def reference(self, rows: np.ndarray) -> Reference:
        """Embeddings and typical tokens of some photos, and the published labels that were seen in training.

        With data of one kind only, there are no labels here and the tokens are averages: the blend is left to the fit.
        """
        labels = self.served_labels()[self.data.labels.seen[self.data.labels.published()]]
        encoder = encoder_for(self.model, self.config, self.data.cache, self.device)
        tokens, embeddings = encode(self.model, encoder, self.data.cache, self.data.cache_rows[rows], self.device)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        if self.config.data.kind != "everyday":
            return Reference(embeddings, tokens, labels[:0])
        taught = self.data.centred(self.data.labels.vectors[self.data.labels.seen, 0])
        taught = taught[np.random.default_rng(self.config.seed).permutation(len(taught))[:TYPICAL_LABELS]]
        logits, _ = self.predict(rows, taught)
        tokens = typical_tokens(self.model.decoder, tokens, taught, logits.mean(0))
        return Reference(embeddings, tokens, labels)

    def prior(self, reference: Reference, labels: np.ndarray) -> np.ndarray:
        """The decoder's logits [L] for a typical photo."""
        with torch.inference_mode():
            tokens = torch.from_numpy(reference.tokens[None]).to(self.device)
            return self.model.decoder(tokens, torch.from_numpy(labels).to(self.device))[0].float().cpu().numpy()

    def _projection_state(self) -> dict[str, torch.Tensor]:
        parts = ("projection.", "backbone.classifier.")
        return {name: value.detach().clone() for name, value in self.model.state_dict().items() if name.startswith(parts)}


def typical_tokens(decoder: nn.Module, start: np.ndarray, labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Tokens [T, W] for which the decoder gives labels [L, D] the logits that it gives on average over photos, logits
    [L].

    An average of photos' tokens is not a typical photo: its logits are far below the average logits. So these tokens,
    the start, are moved by gradient descent until their logits match that average.
    """
    device = next(decoder.parameters()).device
    tokens = torch.from_numpy(start.astype(np.float32))[None].to(device).requires_grad_()
    labels, logits = torch.from_numpy(labels).to(device), torch.from_numpy(logits).to(device)
    decoder.eval()
    optimizer = torch.optim.Adam([tokens], lr=TYPICAL_RATE)
    for _ in range(TYPICAL_STEPS):
        loss = (decoder(tokens.clamp(min=0), labels)[0].float() - logits).square().mean()
        (tokens.grad,) = torch.autograd.grad(loss, [tokens])  # the decoder itself stays as it is
        optimizer.step()
    return tokens.detach().clamp(min=0)[0].cpu().numpy()


def prepare_towers(
    config: Config, config_path: Path, folders: Folders, towers: "Towers", device: torch.device
) -> Prepared:
    """An untrained model that begins with a checkpoint's towers; their text graph is in the work folder."""
    from clip_decoder.clip.trainable import for_towers, tower_decoder

    config = for_towers(config, towers)
    data = prepare(config, config_path, folders, None, device)
    torch.manual_seed(config.seed)
    return Prepared(config, config_path, folders, data, tower_decoder(towers, config), device)


def open_prepared(config_path: Path, folders: Folders, device: str, config: Config | None = None) -> Prepared:
    """An untrained model with its data; ``config`` replaces what the file holds."""
    config = config or read_config(config_path)
    chosen = pick_device(device)
    if config.image.backbone == CLIP:
        return prepare_towers(config, config_path, folders, open_towers(config, config_path, folders), chosen)
    backbone = _backbone(config, config_path, folders)
    data = prepare(config, config_path, folders, backbone, chosen)
    return Prepared(config, config_path, folders, data, build_model(config, backbone, data), chosen)


def open_measured(config_path: Path, folders: Folders, device: str) -> Opened:
    """Data to measure a bundle with: the images that no training uses. Computes nothing that only training needs."""
    config = read_config(config_path)
    if config.image.backbone == CLIP:
        return open_prepared(config_path, folders, device, config)
    backbone = _backbone(config, config_path, folders)
    return Opened(config, config_path, folders, prepare_measured(config, config_path, folders, backbone, pick_device(device)))


def _backbone(config: Config, config_path: Path, folders: Folders) -> EfficientNetLite:
    if folders.clip is not None:
        raise ConfigError(f"{config_path}: --clip is for image.backbone {CLIP!r}, this is {config.image.backbone!r}")
    return load_backbone(config, folders.weights)
