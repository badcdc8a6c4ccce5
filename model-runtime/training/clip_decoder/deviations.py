# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Where our recipe deviates from the paper: the keys of each deviation, and what it is in a world in miniature.

Imports nothing: a wrong name is reported before PyTorch is loaded.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Deviation:
    """``keys`` of the configuration that differ between the paper's recipe and ours.

    ``small``: values by key for the miniature, where those of our configuration are made for 925 labels or a wide head.
    ``unmeasured``: why the miniature cannot show it. ``tower``: the image encoder that it concerns.
    """

    name: str
    keys: tuple[str, ...]
    small: dict[str, object] = field(default_factory=dict)
    unmeasured: str = ""
    tower: str = "ViT"


DEVIATIONS = (
    Deviation(
        "image encoder",
        ("image.backbone", "image.first_trained_stage"),
        unmeasured="an encoder is worth what it was pretrained on",
    ),
    Deviation("text encoder", (), unmeasured="an encoder is worth what it was pretrained on"),
    Deviation(
        "pooling of a ResNet", ("image.attention_pooling",), {"image.attention_pooling": True}, tower="ResNet"
    ),
    Deviation("pixels", ("image.pixels",), {"image.pixels": "unit"}),
    Deviation("head", ("decoder.width", "decoder.hidden"), {"decoder.width": 24, "decoder.hidden": 32}),
    Deviation("the embedding as one more token", ("decoder.embedding_token",)),
    Deviation("asymmetric loss", ("training.loss",)),
    Deviation("the same loss over cosines", ("training.cosine_weight",)),
    Deviation(
        "distillation of class names", ("training.distillation_weight",), unmeasured="a CLIP tower has no classes"
    ),
    Deviation("optimiser", ("training.optimizer", "training.head_rate", "training.backbone_rate")),
    Deviation("weight decay", ("training.weight_decay", "training.decay_everything")),
    Deviation("one-cycle warm-up", ("training.warmup_share",)),
    Deviation("average of weights", ("training.ema_decay",), unmeasured="both are the same up to step 3,780"),
    Deviation("clipped gradients", ("training.gradient_norm",)),
    Deviation("augmentation", ("image.augmentation",)),
    Deviation("dropped features", ("training.feature_dropout",)),
    Deviation(
        "labels at each step",
        ("training.labels_per_step", "training.labels_per_image"),
        {"training.labels_per_step": 12, "training.labels_per_image": 6},
    ),
    Deviation("wordings of a query", ("text.templates", "text.training_templates")),
    Deviation("text vectors", ("text.centred",)),
    Deviation("score", ("tagging.blended",)),
)
MEASURED = tuple(one for one in DEVIATIONS if not one.unmeasured)
