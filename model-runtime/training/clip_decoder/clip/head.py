# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads ML-Decoder's zero-shot heads as Alibaba-MIIL/ML_Decoder and aliman80/ML_Decoder save them.

Both keep the head under ``head.`` (``fc.`` on a ResNet): ``decoder.embed_standart`` projects image features,
``wordvec_proj`` the label vectors (absent where they have the decoder's width already), ``decoder.layers.0`` is the one
decoder layer, ``decoder.duplicate_pooling`` [W, 1] and its bias [1] the logit that all labels share. The image tower
that it was trained with is saved beside it, under ``body.`` or at the top level.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from clip_decoder.clip.checkpoint import read_state_dict
from clip_decoder.errors import ClipError
from clip_decoder.model.ml_decoder import MLDecoder, MLDecoderConfig

# not in the state dict: both repositories build the layer with this many
HEADS = 8
ANCHOR = "decoder.embed_standart.weight"
BODY = "body."
LAYER = "decoder.layers.0."
LINEARS = {"linear1": "hidden", "linear2": "output", "multihead_attn.out_proj": "attention_output"}
NORMS = {"norm1": "query_norm", "norm2": "attention_norm", "norm3": "output_norm"}


@dataclass(frozen=True)
class Head:
    """``projection``: image features [.., C] -> tokens [.., W] before the ReLU. ``decoder`` takes label vectors [L, E].

    ``image_tower``: the weights beside the head in its file, none where it was saved alone.
    """

    projection: nn.Linear
    decoder: MLDecoder
    image_tower: dict[str, Tensor]

    @property
    def feature_size(self) -> int:
        return self.projection.in_features

    @property
    def label_size(self) -> int:
        return self.decoder.query.in_features

    def check_fits(self, feature_size: int, label_size: int) -> None:
        """Raises ClipError where the head was trained on features or label vectors of other widths."""
        if self.feature_size != feature_size:
            raise ClipError(
                f"the head reads image features {self.feature_size} wide ({ANCHOR}), the image tower gives features"
                f" {feature_size} wide; pass the --clip checkpoint whose image tower the head was trained on"
            )
        if self.label_size != label_size:
            raise ClipError(
                f"the head reads label vectors {self.label_size} wide (wordvec_proj.weight), the text tower gives"
                f" vectors {label_size} wide; pass the --clip checkpoint whose text tower the head was trained with"
                + ("; 300 is the width of word vectors, which no CLIP gives" if self.label_size == 300 else "")
            )

    def for_unit_labels(self, norm: float) -> "Head":
        """The same head for label vectors scaled to unit norm, where it was trained on ones of the given norm."""
        with torch.no_grad():
            self.decoder.query.weight *= norm
        return self


def read_head(path: Path) -> Head:
    """Raises ClipError for a file that is not a checkpoint, or holds no such head or one with fixed classes."""
    everything = read_state_dict(path)
    prefix = _prefix(everything, path)
    state = {name.removeprefix(prefix): value.float() for name, value in everything.items() if name.startswith(prefix)}
    tower = {
        name.removeprefix(BODY): value.float() for name, value in everything.items() if not name.startswith(prefix)
    }
    if "decoder.query_embed.weight" in state:
        raise ClipError(
            f"{path}: the head has {len(state['decoder.query_embed.weight'])} learned queries, so it knows a fixed set of"
            " classes; only the zero-shot form, whose queries are label texts, can be served"
        )
    if any(name.startswith("decoder.layers.1.") for name in state):
        raise ClipError(f"{path}: the head has more than one decoder layer; only one can be served")
    take = _Taker(state, path)
    embed = take("decoder.embed_standart.weight")  # [W, C]
    width = embed.shape[0]
    if width % HEADS:
        raise ClipError(f"{path}: decoder width {width} is not a multiple of its {HEADS} attention heads")
    pooling = take("decoder.duplicate_pooling")
    if pooling.shape != (width, 1):
        raise ClipError(
            f"{path}: decoder.duplicate_pooling has shape {list(pooling.shape)}, the zero-shot form has [{width}, 1]"
        )
    query, query_bias = _query(state, take, width)
    hidden = take(LAYER + "linear1.weight")  # [H, W]
    decoder = MLDecoder(MLDecoderConfig(width, HEADS, hidden.shape[0], dropout=0.0), query.shape[1])
    values = {"query.weight": query, "query.bias": query_bias, "logit.weight": pooling.T}
    values["logit.bias"] = take("decoder.duplicate_pooling_bias")
    for given, ours in (LINEARS | NORMS).items():
        for part in ("weight", "bias"):
            values[f"{ours}.{part}"] = take(f"{LAYER}{given}.{part}")
    for part in ("weight", "bias"):
        packed = take(f"{LAYER}multihead_attn.in_proj_{part}")  # [3 W, W] or [3 W]
        if len(packed) != 3 * width:
            raise ClipError(f"{path}: {LAYER}multihead_attn.in_proj_{part} has {len(packed)} rows, not 3 x {width}")
        for ours, rows in zip(("query", "key", "value"), packed.chunk(3), strict=True):
            values[f"attention_{ours}.{part}"] = rows
    projection = nn.Linear(embed.shape[1], width)
    _load(decoder, values, path)
    _load(projection, {"weight": embed, "bias": take("decoder.embed_standart.bias")}, path)
    return Head(projection.eval(), decoder.eval(), tower)


def _prefix(state: dict[str, Tensor], path: Path) -> str:
    anchors = [name for name in state if name == ANCHOR or name.endswith("." + ANCHOR)]
    if not anchors:
        raise ClipError(f"{path}: no ML-Decoder head in it (no {ANCHOR}); it has {', '.join(list(state)[:3])} ...")
    return anchors[0].removesuffix(ANCHOR)


def _query(state: dict[str, Tensor], take: "_Taker", width: int) -> tuple[Tensor, Tensor]:
    if "wordvec_proj.weight" in state:
        return take("wordvec_proj.weight"), take("wordvec_proj.bias")
    return torch.eye(width), torch.zeros(width)


class _Taker:
    def __init__(self, state: dict[str, Tensor], path: Path):
        self._state = state
        self._path = path

    def __call__(self, name: str) -> Tensor:
        if name not in self._state:
            raise ClipError(f"{self._path}: the head lacks {name}")
        return self._state[name]


def _load(module: nn.Module, values: dict[str, Tensor], path: Path) -> None:
    try:
        module.load_state_dict(values)
    except RuntimeError as error:
        raise ClipError(f"{path}: the head's parts do not fit together: {' '.join(str(error).split())}") from error
