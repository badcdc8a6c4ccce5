# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Configuration of a bundle as small readable TOML files, checked key by key."""

import tomllib
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from clip_decoder.bundle.writer import BundleIdentity
from clip_decoder.data.augmentation import AUGMENTATIONS, CROP
from clip_decoder.data.evidence import EvidenceConfig
from clip_decoder.errors import ConfigError
from clip_decoder.losses import AsymmetricLossConfig
from clip_decoder.model.ml_decoder import MLDecoderConfig


@dataclass(frozen=True)
class ImageConfig:
    """The image side.

    ``backbone``: an EfficientNet-Lite, or ``clip`` for the image tower of ``--clip``, all of which learns. Of an
    EfficientNet, stages before ``first_trained_stage`` stay frozen, and their output is cached. For a CLIP tower, the
    checkpoint gives ``size``; ``attention_pooling`` keeps a ResNet's pooling instead of a mean and a new projection;
    ``pixels`` are ``normalised`` as the checkpoint says or left in [0, 1] (``unit``). ``augmentation``:
    ``augmentation.py``.
    """

    backbone: str
    size: int = 224
    resize: str = "SQUASH"
    first_trained_stage: int = 5
    augmentation: str = CROP
    attention_pooling: bool = False
    pixels: str = "normalised"

    def __post_init__(self):
        if self.augmentation not in AUGMENTATIONS:
            raise ValueError(f"augmentation must be one of {', '.join(AUGMENTATIONS)}, got {self.augmentation!r}")
        if self.pixels not in ("normalised", "unit"):
            raise ValueError(f"pixels must be normalised or unit, got {self.pixels!r}")


@dataclass(frozen=True)
class TextConfig:
    """The text tower's file names (in the folder or jar given on the command line) and how it is used.

    ``templates`` are served with the bundle; ``training_templates``, where given, are added in training, which uses
    more wordings than a worker has time for. ``centred``: whether the labels' mean is subtracted from every text vector.
    """

    graph: str = "all-minilm-l6-v2-q.onnx"
    tokenizer: str = "all-minilm-l6-v2-q-tokenizer.json"
    max_tokens: int = 64
    pooling: str = "MEAN"
    templates: tuple[str, ...] = ("a photo of a {}.", "{}")
    training_templates: tuple[str, ...] = ()
    centred: bool = True


@dataclass(frozen=True)
class DataConfig:
    """``kind``: ``everyday`` (the default bundle's sources), ``csv`` (image,labels) or ``nus-wide``.

    ``views``: cached renditions of each image, the first unchanged, the others augmented. ``labels``: the label file,
    beside the configuration. ``unseen_share`` of the labels, drawn with ``label_split_seed``, is kept from training.
    ``unseen_source`` also keeps out the labels that bear the names which that single-label source gives its photos.
    ``judged``: a file beside the configuration (image,label,right) of tags that were judged by eye; ``people``: one (image)
    of photos of other things that also show people, or where that is unclear.

    ``teach`` learns from ``scenery``, a file (image,present,unsure) of words that captions leave out, from ``indoors``, one
    for words of rooms and tables, from ``photos``, a folder in the data with its own labels.csv (image,judged,labels), and
    from ``streets``, a file of photos of that folder that were judged for the names of its list ``coco80``;
    ``words`` (name,prompts,called) says what lists call the words, and which words join the vocabulary.
    """

    kind: str
    labels: str = ""
    judged: str = ""
    scenery: str = ""
    indoors: str = ""
    photos: str = ""
    streets: str = ""
    words: str = ""
    people: str = ""
    views: int = 4
    unseen_share: float = 0.0
    unseen_source: str = ""
    label_split_seed: int = 0
    extra_word_minimum: int = 12
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)


@dataclass(frozen=True)
class TrainingConfig:
    """Optimisation: ``adamw`` or ``adam`` on a one-cycle schedule. Unless ``decay_everything``, weights of one dimension
    (biases, norms, temperatures) do not decay. ``gradient_norm``: 0 does not clip. ``cosine_weight``: of the asymmetric
    loss over cosines, beside the decoder's. ``images_per_source``: how many of each source a batch holds, by source name. ``labels_per_step``
    are drawn for all images together; of these, the decoder is asked about ``labels_per_image`` for each image (0:
    all)."""

    steps: int
    images_per_source: dict[str, int]
    labels_per_step: int = 150
    shown_labels_per_step: int = 40
    labels_per_image: int = 0
    head_rate: float = 1e-3
    backbone_rate: float = 3e-4
    optimizer: str = "adamw"
    weight_decay: float = 0.05
    decay_everything: bool = True
    warmup_share: float = 0.15
    ema_decay: float = 0.995
    gradient_norm: float = 5.0
    cosine_weight: float = 1.0
    contrastive_weight: float = 1.0
    distillation_weight: float = 15.0
    feature_dropout: float = 0.1
    loss: AsymmetricLossConfig = field(default_factory=AsymmetricLossConfig)

    def __post_init__(self):
        if self.optimizer not in ("adam", "adamw"):
            raise ValueError(f"optimizer must be adam or adamw, got {self.optimizer!r}")


@dataclass(frozen=True)
class TaggingConfig:
    """What a bundle does by default when it tags.

    ``precision``: the share of tags that must be right; it sets the threshold. ``taught_precision``: the same for each word
    that ``teach`` gives a head; ``headless``: judged words that it gives none; ``stated_thresholds``: by word, instead of those
    that it would choose. ``guarded``: labels that must hardly
    ever be given to photos without them, and must be right more often than others. ``candidate_cutoff``,
    ``candidate_prior_weight``: BUNDLE.md, *Scores*; measured with the exported bundle. ``blended``: whether the cosine
    counts beside the decoder.
    """

    precision: float = 0.75
    taught_precision: float = 0.7
    headless: tuple[str, ...] = ()
    stated_thresholds: dict[str, float] = field(default_factory=dict)
    guarded: tuple[str, ...] = ()
    top_k: int = 10
    candidate_cutoff: float = -6.4
    candidate_prior_weight: float = 0.6
    blended: bool = True


@dataclass(frozen=True)
class SplitsConfig:
    """How unseen labels are measured: ``count`` runs of the whole training, each with different labels kept from it."""

    count: int = 0
    unseen_share: float = 0.2
    unseen_source: str = ""


@dataclass(frozen=True)
class Config:
    """One published bundle."""

    bundle: BundleIdentity
    image: ImageConfig
    data: DataConfig
    training: TrainingConfig
    text: TextConfig = field(default_factory=TextConfig)
    decoder: MLDecoderConfig = field(default_factory=MLDecoderConfig)
    tagging: TaggingConfig = field(default_factory=TaggingConfig)
    splits: SplitsConfig = field(default_factory=SplitsConfig)
    seed: int = 1


def read_config(path: Path) -> Config:
    """Reads a TOML file. Raises ConfigError for a missing file, broken TOML, an unknown, missing or mistyped key."""
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"no such configuration: {path}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return _build(Config, values, str(path), "")


def _build(kind: type, values: Any, path: str, prefix: str) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: [{prefix.rstrip('.')}] must be a table, got {values!r}")
    hints = get_type_hints(kind)
    known = {one.name: one for one in fields(kind)}
    for key in values:
        if key not in known:
            raise ConfigError(f"{path}: unknown key {prefix}{key}; known are {', '.join(known)}")
    arguments = {}
    for name, one in known.items():
        if name in values:
            arguments[name] = _value(hints[name], values[name], path, prefix + name)
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ConfigError(f"{path}: missing key {prefix}{name}")
    try:
        return kind(**arguments)
    except ValueError as error:
        raise ConfigError(f"{path}: {prefix.rstrip('.') or 'configuration'}: {error}") from error


def _value(kind: Any, value: Any, path: str, key: str) -> Any:
    if is_dataclass(kind):
        return _build(kind, value, path, key + ".")
    origin = get_origin(kind) or kind
    if origin is tuple and isinstance(value, list):
        return tuple(_value(get_args(kind)[0], item, path, key) for item in value)
    if origin is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, origin) or (origin is int and isinstance(value, bool)):
        raise ConfigError(f"{path}: {key} must be of type {origin.__name__}, got {value!r}")
    return value
