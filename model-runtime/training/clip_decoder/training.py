# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Training: the combined loss over mixed batches, with EMA, mixed precision and resume."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from clip_decoder.config import Config, TrainingConfig
from clip_decoder.data.class_probabilities import PlainClasses
from clip_decoder.data.dataset import LabelledImages, LabelSpace, SourceMix
from clip_decoder.data.photo_inputs import PhotoInputs
from clip_decoder.data.trunk_cache import TrunkCache
from clip_decoder.errors import ConfigError, DeviceError
from clip_decoder.losses import asymmetric_loss, contrastive_loss
from clip_decoder.model.clip_decoder import ClipDecoder
from clip_decoder.model.matrix_top import MatrixTop
from clip_decoder.model.tower_decoder import TowerDecoder

CHECKPOINT_EVERY = 100
# A caption names what mattered to somebody, the teacher one object: where there are captions, they take precedence.
CAPTIONED_DISTILLATION = 0.2
SAME_TEXT_COSINE = 0.999
PREDICTED = 128
_single = False
OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}

Model = ClipDecoder | TowerDecoder
Inputs = TrunkCache | PhotoInputs
# inputs on the device, and the share of features to drop -> tokens [B, T, W], embeddings [B, D]
Encoder = Callable[..., tuple[Tensor, Tensor]]


@dataclass
class TrainingData:
    """``center`` [D] is subtracted from every text vector; ``class_texts`` [1000, D] are not centred yet, and None where
    the image encoder was not trained on classes. ``cache``: what training reads, or the classes where a finished bundle is
    measured."""

    images: LabelledImages
    labels: LabelSpace
    cache: Inputs | PlainClasses
    cache_rows: np.ndarray
    class_texts: np.ndarray | None
    center: np.ndarray

    def centred(self, vectors: np.ndarray) -> np.ndarray:
        shifted = vectors.astype(np.float32) - self.center
        return (shifted / np.maximum(np.linalg.norm(shifted, axis=-1, keepdims=True), 1e-6)).astype(np.float32)


def pick_device(name: str) -> torch.device:
    """``auto``, ``cpu`` or ``cuda``. Raises DeviceError for ``cuda`` where there is none."""
    if name == "cuda" and not torch.cuda.is_available():
        raise DeviceError("--device cuda was asked for, but PyTorch sees no CUDA device; use --device cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


class Trainer:
    """Owns model, optimiser and moving average; ``run`` trains to the configured step and saves as it goes."""

    def __init__(self, config: Config, model: Model, data: TrainingData, device: torch.device, directory: Path):
        self.config, self.data, self.device, self.directory = config, data, device, directory
        self.model = model.to(device)
        self.step = 0
        training = config.training
        fast, slow = model.trained_parts(config.image.first_trained_stage)
        self.trained = [*fast, *slow]
        chosen = {id(parameter) for parameter in self.trained}
        for parameter in model.parameters():
            parameter.requires_grad = id(parameter) in chosen
        groups = parameter_groups(fast, slow, training)
        self.optimizer = OPTIMIZERS[training.optimizer](groups, weight_decay=training.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            [group["lr"] for group in groups],
            total_steps=training.steps,
            pct_start=training.warmup_share,
        )
        self.average = MovingAverage(model, training.ema_decay)
        self.encoder = encoder_for(model, config, data.cache, device)
        self.generator = np.random.default_rng(config.seed)
        self.mix = SourceMix(data.images, training.images_per_source, self.generator)
        self.label_vectors = data.centred(data.labels.vectors)  # [L, V, D]
        if training.distillation_weight > 0:
            if data.class_texts is None:
                raise ConfigError("training.distillation_weight must be 0: a CLIP tower has no ImageNet classes to teach")
            self.class_texts = data.centred(data.class_texts)  # [1000, D]
            self.class_probabilities = data.cache.class_probabilities()[data.cache_rows]  # [N, 1000]
        self.texts = None if data.images.texts is None else data.images.texts

    def run(self, progress: bool = True) -> list[float]:
        """Trains up to the configured number of steps; returns the loss of every step taken here."""
        losses = []
        bar = tqdm(total=self.config.training.steps, initial=self.step, desc="train", disable=None if progress else True)
        with bar:
            while self.step < self.config.training.steps:
                losses.append(self._step())
                self.step += 1
                bar.update()
                bar.set_postfix(loss=f"{np.mean(losses[-25:]):.3f}")
                if self.step % CHECKPOINT_EVERY == 0:
                    self.save()
        self.save()
        return losses

    def averaged_model(self) -> Model:
        """The model with the moving average's weights, in evaluation mode."""
        self.average.copy_to(self.model)
        return self.model.eval()

    def save(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = self.directory / "checkpoint.pt.new"
        torch.save(
            {
                "step": self.step,
                "model": self.model.state_dict(),
                "average": self.average.values,
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "generator": self.generator.bit_generator.state,
                "torch_generator": torch.get_rng_state(),
                "center": torch.from_numpy(self.data.center),
            },
            temporary,
        )
        temporary.replace(self.directory / "checkpoint.pt")  # if killed in between, the old file stays whole

    def resume(self, path: Path) -> None:
        """Continues from a checkpoint of the same configuration; CheckpointError for anything else."""
        state = read_checkpoint(path)
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise CheckpointError(f"{path} is a checkpoint of another model: {error}") from error
        self.average.values = {name: value.to(self.device) for name, value in state["average"].items()}
        self.generator.bit_generator.state = state["generator"]
        torch.set_rng_state(state["torch_generator"])
        self.step = state["step"]

    def _step(self) -> float:
        self.model.training_mode()
        rows = self.mix.next()  # [B]
        labels = self._draw_labels(rows)  # [L]
        renditions = self.generator.integers(0, self.label_vectors.shape[1], len(labels))
        vectors = self._tensor(self.label_vectors[labels, renditions])  # [L, D]
        targets = self._tensor(self.data.images.targets[rows][:, labels])  # [B, L]
        weights = self._tensor(self.data.images.weights[rows][:, labels])  # [B, L]
        inputs = as_inputs(self.data.cache.draw(self.data.cache_rows[rows], self.generator), self.device)

        with self._autocast():
            tokens, embedding = self.encoder(inputs, self.config.training.feature_dropout)
            chosen, chances = self._draw_pairs(targets, weights)  # [B, M]
            logits = self.model.decoder(tokens, vectors, chosen)  # [B, M]
        asked = targets.gather(1, chosen), weights.gather(1, chosen) / chances
        loss = asymmetric_loss(logits, *asked, self.config.training.loss)
        loss = loss + self._embedding_loss(rows, embedding.float(), vectors, targets, weights)

        self.optimizer.zero_grad()
        loss.backward()
        if self.config.training.gradient_norm > 0:
            nn.utils.clip_grad_norm_(self.trained, self.config.training.gradient_norm)
        self.optimizer.step()
        self.schedule.step()
        self.average.update(self.model, self.step)
        return float(loss.detach())

    def _embedding_loss(
        self, rows: np.ndarray, embedding: Tensor, vectors: Tensor, targets: Tensor, weights: Tensor
    ) -> Tensor:
        """The losses that do not involve the decoder."""
        training: TrainingConfig = self.config.training
        loss = embedding.new_zeros(())
        if training.cosine_weight > 0:
            cosines = self.model.cosine_logits(embedding, vectors)
            loss = training.cosine_weight * asymmetric_loss(cosines, targets, weights, training.loss)
        if self.texts is not None and training.contrastive_weight > 0:
            sentence = self.generator.integers(0, self.texts.shape[1], len(rows))
            texts = self._tensor(self.data.centred(self.texts[rows, sentence]))  # [B, D]
            same = texts @ texts.T > SAME_TEXT_COSINE
            loss = loss + training.contrastive_weight * contrastive_loss(
                embedding, texts, self.model.contrastive_scale(), same
            )
        if training.distillation_weight > 0:
            taught = F.normalize(self._tensor(self.class_probabilities[rows] @ self.class_texts), dim=-1)  # [B, D]
            captioned = self._tensor((self.data.images.sources[rows] == 0).astype(np.float32))  # [B]
            trust = 1 - captioned * (1 - CAPTIONED_DISTILLATION)
            loss = loss + training.distillation_weight * (trust * (1 - (embedding * taught).sum(1))).mean()
        return loss

    def _draw_pairs(self, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Which labels [B, M] each image asks the decoder about, and the chance [B, M] that it would.

        Labels that an image shows are always asked about. Of the many that it does not show, a random part stands for
        all: the decoder is most of a step's work, and each absent label contributes little.
        """
        count = targets.shape[1]
        asked = min(self.config.training.labels_per_image or count, count)
        shown = (targets > 0) & (weights > 0)
        order = self._tensor(self.generator.random(targets.shape, np.float32)) - 2 * shown.float()
        chosen = order.argsort(1)[:, :asked]  # [B, M]
        shows = shown.sum(1, keepdim=True)  # [B, 1]
        chance = ((asked - shows) / (count - shows).clamp(min=1)).clamp(min=1 / count, max=1)
        return chosen, torch.where(shown.gather(1, chosen), torch.ones_like(chance), chance)

    def _draw_labels(self, rows: np.ndarray) -> np.ndarray:
        """A share of each group, mostly the published group, and some of the labels that the single-label images show.

        Such an image has one positive among thousands of labels, which the decoder would otherwise hardly ever meet.
        """
        wanted = self.config.training.labels_per_step
        drawn = []
        for group, share in ((0, 1.0), (1, 0.25), (2, 0.33)):
            pool = np.flatnonzero((self.data.labels.groups == group) & self.data.labels.seen)
            drawn.append(self.generator.choice(pool, min(len(pool), round(wanted * share)), replace=False))
        images = self.data.images
        single = rows[images.sources[rows] > 1]
        shown = (images.targets[single] >= 0.5) & (images.weights[single] >= 0.5) & self.data.labels.seen
        more = np.setdiff1d(np.flatnonzero(shown.any(0)), np.concatenate(drawn))
        count = min(len(more), self.config.training.shown_labels_per_step)
        return np.concatenate([*drawn, self.generator.choice(more, count, replace=False)]).astype(int)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.device)

    def _autocast(self) -> contextlib.AbstractContextManager:
        return autocast(self.device)


class MovingAverage:
    """An exponential moving average of a model's floating-point state; it moves faster at first."""

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self.values = {n: v.detach().clone() for n, v in model.state_dict().items() if v.dtype.is_floating_point}

    def update(self, model: nn.Module, step: int) -> None:
        decay = min(self.decay, (step + 1) / (step + 20))
        state = model.state_dict()
        for name, value in self.values.items():
            value.mul_(decay).add_(state[name], alpha=1 - decay)

    def copy_to(self, model: nn.Module) -> None:
        model.load_state_dict({**model.state_dict(), **self.values})


class CheckpointError(ValueError):
    """A checkpoint that is missing, broken or from another model."""


def read_checkpoint(path: Path) -> dict:
    if not Path(path).is_file():
        raise CheckpointError(f"no such checkpoint: {path}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file can make the unpickler raise anything
        raise CheckpointError(f"{path} is not a readable checkpoint: {error}") from error


def load_average(model: Model, path: Path) -> np.ndarray:
    """Puts a checkpoint's averaged weights into ``model``; returns the text centre [D] it was trained with."""
    state = read_checkpoint(path)
    try:
        model.load_state_dict({**model.state_dict(), **state["average"]})
        return state["center"].numpy()
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"{path} is a checkpoint of another model: {error}") from error


def parameter_groups(fast: list[nn.Parameter], slow: list[nn.Parameter], training: TrainingConfig) -> list[dict]:
    """The optimiser's groups. Unless everything decays, biases, norms and temperatures do not (their sizes mean
    something)."""
    groups = []
    for parameters, rate in ((fast, training.head_rate), (slow, training.backbone_rate)):
        if training.decay_everything:
            groups.append({"params": parameters, "lr": rate})
            continue
        groups.append({"params": [one for one in parameters if one.ndim > 1], "lr": rate})
        groups.append({"params": [one for one in parameters if one.ndim <= 1], "lr": rate, "weight_decay": 0.0})
    return [group for group in groups if group["params"]]


def encoder_for(model: Model, config: Config, cache: Inputs, device: torch.device) -> Encoder:
    """From what the cache holds to tokens and embedding. A backbone's trained part is computed by matrix products on a
    CPU, by its own convolutions elsewhere."""
    if isinstance(model, TowerDecoder):
        return model.encode
    stage = config.image.first_trained_stage
    if device.type == "cpu":
        top = MatrixTop(model.backbone, stage, cache.trunk(0).shape[-1])
    else:
        top = partial(model.backbone.top, first_trained_stage=stage)
    return lambda trunk, dropout=0.0: model.heads(F.dropout2d(top(trunk), dropout) if dropout else top(trunk))


def as_inputs(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(device).float()


def autocast(device: torch.device) -> contextlib.AbstractContextManager:
    """bfloat16 for matrix products: on GPUs, and on CPUs that have instructions for it."""
    if _single:
        return contextlib.nullcontext()
    if device.type == "cuda" or "amx_bf16" in _cpu_flags() or "avx512_bf16" in _cpu_flags():
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


@contextlib.contextmanager
def single_precision() -> Iterator[None]:
    """No bfloat16 on any device: what a miniature learns in a few steps must not depend on the processor."""
    global _single
    before, _single = _single, True
    try:
        yield
    finally:
        _single = before


def _cpu_flags() -> str:
    information = Path("/proc/cpuinfo")
    return information.read_text() if information.exists() else ""


def predict(
    model: Model, encoder: Encoder, cache: Inputs, rows: np.ndarray, labels: np.ndarray, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Decoder logits [R, L] and embeddings [R, D] of some rows of a cache; labels [L, D] as served."""
    vectors = torch.from_numpy(labels).to(device)
    logits, embeddings = [], []
    for tokens, embedding in _encoded(model, encoder, cache, rows, device):
        with torch.inference_mode(), autocast(device):
            logits.append(model.decoder(tokens, vectors).float().cpu().numpy())
        embeddings.append(embedding)
    return np.concatenate(logits), np.concatenate(embeddings)


def encode(
    model: Model, encoder: Encoder, cache: Inputs, rows: np.ndarray, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens [T, W], averaged over some rows of a cache, and the rows' embeddings [R, D]."""
    total, embeddings = 0, []
    for tokens, embedding in _encoded(model, encoder, cache, rows, device):
        total = total + tokens.float().sum(0)
        embeddings.append(embedding)
    return (total / len(rows)).cpu().numpy(), np.concatenate(embeddings)


def _encoded(
    model: Model, encoder: Encoder, cache: Inputs, rows: np.ndarray, device: torch.device
) -> Iterator[tuple[Tensor, np.ndarray]]:
    model.eval()
    for start in range(0, len(rows), PREDICTED):
        part = as_inputs(cache.plain(rows[start : start + PREDICTED]), device)
        with torch.inference_mode(), autocast(device):
            tokens, embedding = encoder(part)
        yield tokens, embedding.float().cpu().numpy()
