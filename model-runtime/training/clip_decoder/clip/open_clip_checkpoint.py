# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""open_clip checkpoints: a directory with open_clip_config.json, a state dict with its model's name, OpenAI's archives."""

import json
import zipfile
from pathlib import Path

import open_clip
from open_clip.modified_resnet import ModifiedResNet
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transformer import ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn

from clip_decoder.clip.attention import AttentionPool, make_traceable
from clip_decoder.clip.bpe import bpe_tokenizer
from clip_decoder.clip.checkpoint import summary
from clip_decoder.clip.towers import PixelRule, Towers, last_attended
from clip_decoder.errors import ClipError

CONFIG = "open_clip_config.json"
TEMPLATES = ("a photo of a {}.",)
RESIZE = {"shortest": "SHORTEST_SIDE_CENTER_CROP", "squash": "SQUASH", "longest": "LETTERBOX"}


class VitTower(nn.Module):
    def __init__(self, visual: VisionTransformer):
        super().__init__()
        self.visual = make_traceable(visual)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        states = self.visual.transformer(self.visual._embeds(pixels))  # [B, T, C]
        return self.visual.ln_post(states), self._embedding(states)

    def patches(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See ``Towers.image``."""
        visual = self.visual
        states = visual._embeds(pixels)
        *blocks, last = visual.transformer.resblocks
        if not isinstance(last, ResidualAttentionBlock):
            raise ClipError(f"no patch embeddings from blocks of type {type(last).__name__}; leave --score-by out")
        for block in blocks:
            states = block(states)
        own = states[:, 1:]  # without the class token
        own = own + last.ls_1(last.attn.own_values(last.ln_1(own)))
        own = own + last.ls_2(last.mlp(last.ln_2(own)))
        return visual.ln_post(own) @ visual.proj, self._embedding(last(states))

    def _embedding(self, states: Tensor) -> Tensor:
        return self.visual._pool(states)[0] @ self.visual.proj


class ResNetTower(nn.Module):
    def __init__(self, visual: ModifiedResNet):
        super().__init__()
        self.visual = visual
        self.pool = AttentionPool(visual.attnpool)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = feature_map(self.visual, pixels)
        return features.flatten(2).transpose(1, 2), self.pool(features)

    def patches(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See ``Towers.image``."""
        features = feature_map(self.visual, pixels)
        return self.pool.own_values(features), self.pool(features)

    def without_pooling(self) -> "ResNetBody":
        return ResNetBody(self.visual)


class ResNetBody(nn.Module):
    """The ResNet without its attention pooling: features [B, T, C] and their mean [B, C]."""

    def __init__(self, visual: ModifiedResNet):
        super().__init__()
        self.visual = visual
        self.visual.attnpool = nn.Identity()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = feature_map(self.visual, pixels)
        return features.flatten(2).transpose(1, 2), features.mean((2, 3))


def feature_map(visual: ModifiedResNet, pixels: Tensor) -> Tensor:
    """[B, 3, S, S] -> [B, C, h, w]"""
    return visual.layer4(visual.layer3(visual.layer2(visual.layer1(visual.stem(pixels)))))


class CausalTextTower(nn.Module):
    """Anything after a text's end token has no effect, so short texts may stay short."""

    def __init__(self, text: nn.Module):
        super().__init__()
        self.token_embedding = text.token_embedding
        self.positional_embedding = text.positional_embedding
        self.transformer = make_traceable(text.transformer)
        self.ln_final = text.ln_final
        self.projection = text.text_projection
        self.register_buffer("attention", text.attn_mask)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        length = input_ids.shape[1]
        states = self.token_embedding(input_ids) + self.positional_embedding[:length]  # [L, S, H]
        states = self.transformer(states, attn_mask=self.attention[:length, :length])
        pooled = last_attended(self.ln_final(states), attention_mask)
        return self.projection(pooled) if isinstance(self.projection, nn.Linear) else pooled @ self.projection


def load_open_clip(path: Path, model_name: str | None, resize: str | None) -> Towers:
    """Reads a checkpoint; ``model_name`` is the architecture of a state dict, such as RN50 or ViT-B-32-quickgelu.

    ``resize`` replaces the checkpoint's rule. Raises ClipError, never downloads.
    """
    model = _model(path, model_name)
    visual, text = model.visual, getattr(model, "text", model)
    context = model.context_length
    tokenizer = bpe_tokenizer(_tokenizer(path, model_name, context))
    if tokenizer.get_vocab_size() != model.vocab_size:
        raise ClipError(
            f"{path}: open_clip's tokenizer has {tokenizer.get_vocab_size()} tokens, the text tower embeds"
            f" {model.vocab_size}; it was trained with another tokenizer, which this kit does not read"
        )
    rule = open_clip.get_model_preprocess_cfg(model)
    size = visual.image_size if isinstance(visual.image_size, int) else visual.image_size[0]
    return Towers(
        model_name or path.resolve().stem,
        _image_tower(visual, path).eval(),
        _text_tower(model, text, path).eval(),
        tokenizer,
        PixelRule(size, resize or RESIZE[rule.get("resize_mode", "shortest")], tuple(rule["mean"]), tuple(rule["std"])),
        context,
        model.logit_scale.exp().item(),
        None if model.logit_bias is None else model.logit_bias.item(),
        TEMPLATES,
    )


def _model(path: Path, name: str | None) -> nn.Module:
    try:
        if path.is_dir():
            _check_config(path)
            model = open_clip.create_model(f"local-dir:{path}", require_pretrained=True)
        elif _is_torch_script(path):
            model = open_clip.load_openai_model(str(path), precision="fp32", device="cpu")
        elif name is None:
            raise ClipError(
                f"{path} is a file of weights without its architecture; name it with --open-clip-model, such as RN50,"
                " ViT-B-32 or, for OpenAI's weights, ViT-B-32-quickgelu"
            )
        elif name not in open_clip.list_models():
            raise ClipError(f"open_clip has no model {name!r}; it has {', '.join(open_clip.list_models()[:8])} ...")
        else:
            _check_towers(open_clip.get_model_config(name), f"open_clip's model {name}")
            model = open_clip.create_model(name, pretrained=str(path), pretrained_text=False)
    except ClipError:
        raise
    except Exception as error:  # a broken file can make the library raise anything
        hint = "" if name is None else f" as {name} (is --open-clip-model the one it was trained as?)"
        raise ClipError(f"{path}: the checkpoint does not load{hint}: {summary(error)}") from error
    return model.float().eval()


def _check_config(directory: Path) -> None:
    path = directory / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))["model_cfg"]
        _check_towers(config, str(path))
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ClipError(f"{path} is not an open_clip configuration: {summary(error)}") from error


def _check_towers(config: dict, place: str) -> None:
    """Refuses towers of other libraries before open_clip tries to download what they name."""
    text, vision = config["text_cfg"], config["vision_cfg"]
    for part, key in ((text, "hf_model_name"), (text, "hf_tokenizer_name"), (vision, "timm_model_name")):
        if key in part:
            raise ClipError(
                f"{place}: {key} {part[key]!r} is not supported, only open_clip's own ViT and ResNet towers and tokenizer;"
                " if the checkpoint is also published for transformers, export that form"
            )


def _is_torch_script(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _tokenizer(path: Path, name: str | None, context: int) -> SimpleTokenizer:
    if path.is_dir():
        return open_clip.get_tokenizer(f"local-dir:{path}")
    return open_clip.get_tokenizer(name, context_length=context) if name else SimpleTokenizer(context_length=context)


def _image_tower(visual: nn.Module, path: Path) -> nn.Module:
    if isinstance(visual, ModifiedResNet):
        return ResNetTower(visual)
    if isinstance(visual, VisionTransformer) and visual.attn_pool is None:
        return VitTower(visual)
    raise ClipError(
        f"{path}: image towers of type {type(visual).__name__} with its pooling are not supported, only CLIP's"
        " ViT and ResNet"
    )


def _text_tower(model: nn.Module, text: nn.Module, path: Path) -> nn.Module:
    pool = getattr(text, "pool_type", None) or getattr(model, "text_pool_type", None)
    causal = getattr(text, "attn_mask", None) is not None and getattr(text, "cls_emb", None) is None
    if not causal or pool not in ("argmax", "eos") or text.text_projection is None:
        raise ClipError(f"{path}: only CLIP's text towers are supported (causal, read at the end token), not this one")
    return CausalTextTower(text)
