# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""CLIP and SigLIP checkpoints as ``save_pretrained`` of transformers writes them, tokenizer and preprocessor included."""

import json
from pathlib import Path

import transformers
from tokenizers import Tokenizer
from torch import Tensor, nn

from clip_decoder.clip.attention import own_values
from clip_decoder.clip.checkpoint import summary
from clip_decoder.clip.towers import PixelRule, Towers, last_attended, pad_to
from clip_decoder.clip.unigram import unigram_tokenizer
from clip_decoder.errors import ClipError

MODELS = {"clip": transformers.CLIPModel, "siglip": transformers.SiglipModel}
TEMPLATES = {"clip": ("a photo of a {}.",), "siglip": ("This is a photo of {}.",)}
# transformers' marker for configurations older than the field: the end token is the one with the largest id
LEGACY_END = 2


class ClipImageTower(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.vision = model.vision_model
        self.project = model.visual_projection

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        output = self.vision(pixel_values=pixels)
        return self.vision.post_layernorm(output.last_hidden_state), self.project(output.pooler_output)

    def patches(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See ``Towers.image``."""
        vision = self.vision
        states = vision.pre_layrnorm(vision.embeddings(pixels))
        *layers, last = vision.encoder.layers
        for layer in layers:
            states = layer(states, attention_mask=None)
        own = states[:, 1:]  # without the class token
        own = own + last.self_attn.out_proj(last.self_attn.v_proj(last.layer_norm1(own)))
        own = own + last.mlp(last.layer_norm2(own))
        pooled = vision.post_layernorm(last(states, attention_mask=None)[:, 0])
        return self.project(vision.post_layernorm(own)), self.project(pooled)


class ClipTextTower(nn.Module):
    """Causal: anything after a text's end token has no effect, so short texts may stay short."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.encoder = model.text_model
        self.project = model.text_projection

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state  # [L, S, H]
        return self.project(last_attended(states, attention_mask))


class SiglipImageTower(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.vision = model.vision_model

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        output = self.vision(pixel_values=pixels)
        return output.last_hidden_state, output.pooler_output

    def patches(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See ``Towers.image``."""
        output = self.vision(pixel_values=pixels)
        head = self.vision.head
        own = own_values(head.attention, output.last_hidden_state)
        return own + head.mlp(head.layernorm(own)), output.pooler_output


class SiglipTextTower(nn.Module):
    """Every position attends to every other, padding included, and the last is pooled: texts must have full length."""

    def __init__(self, model: nn.Module, length: int, pad_id: int, pads_left: bool):
        super().__init__()
        self.encoder = model.text_model
        self.length = length
        self.pad_id = pad_id
        self.pads_left = pads_left

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        padded = pad_to(input_ids, attention_mask, self.length, self.pad_id, self.pads_left)
        return self.encoder(input_ids=padded).pooler_output


def load_hugging_face(directory: Path, resize: str | None) -> Towers:
    """Reads a checkpoint directory. ``resize`` replaces the preprocessor's rule. Raises ClipError, never downloads."""
    kind = _model_type(directory)
    model = _model(directory, MODELS[kind])
    loaded = _read("tokenizer", directory, transformers.AutoTokenizer)
    context = model.config.text_config.max_position_embeddings
    tokenizer = _serve_form(loaded, directory)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    _check_tokenizer(tokenizer, model.config, directory)
    if kind == "clip":
        image, text = ClipImageTower(model), ClipTextTower(model)
    else:
        pads_left = loaded.padding_side == "left"
        image, text = SiglipImageTower(model), SiglipTextTower(model, context, loaded.pad_token_id, pads_left)
    size = model.config.vision_config.image_size
    return Towers(
        directory.resolve().name,
        image.eval(),
        text.eval(),
        tokenizer,
        _pixel_rule(_read("image preprocessor", directory, transformers.AutoImageProcessor), size, resize, directory),
        context,
        model.logit_scale.exp().item(),
        model.logit_bias.item() if kind == "siglip" else None,
        TEMPLATES[kind],
    )


def _model_type(directory: Path) -> str:
    path = directory / "config.json"
    try:
        kind = json.loads(path.read_text(encoding="utf-8")).get("model_type")
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise ClipError(f"{path} is not a model configuration: {error}") from error
    if kind not in MODELS:
        raise ClipError(f"{path}: model_type is {kind!r}; this kit exports {' and '.join(MODELS)}")
    return kind


def _model(directory: Path, model_class: type) -> nn.Module:
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    try:
        model, report = model_class.from_pretrained(
            directory, local_files_only=True, output_loading_info=True, attn_implementation="eager"
        )
    except Exception as error:  # a broken file can make the library raise anything
        raise ClipError(f"{directory}: the model does not load: {summary(error)}") from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise ClipError(f"{directory}: the checkpoint lacks {len(missing)} weights, such as {', '.join(missing[:3])}")
    return model.float().eval()


def _read(what: str, directory: Path, loader: type):
    try:
        return loader.from_pretrained(directory, local_files_only=True)
    except Exception as error:  # as above
        raise ClipError(
            f"{directory}: the {what} does not load (copy its files there, as save_pretrained writes them):"
            f" {summary(error)}"
        ) from error


def _serve_form(loaded, directory: Path) -> Tokenizer:
    if loaded.is_fast:
        return Tokenizer.from_str(loaded.backend_tokenizer.to_str())
    if isinstance(loaded, transformers.SiglipTokenizer):
        return unigram_tokenizer(Path(loaded.vocab_file), loaded.eos_token, loaded.do_lower_case)
    raise ClipError(f"{directory}: a {type(loaded).__name__} has no tokenizer.json form; add the tokenizer.json file")


def _check_tokenizer(tokenizer: Tokenizer, config, directory: Path) -> None:
    rows = config.text_config.vocab_size
    largest = max(tokenizer.get_vocab(with_added_tokens=True).values())
    if largest >= rows:
        raise ClipError(
            f"{directory}: the tokenizer has token ids up to {largest}, the text tower embeds {rows} tokens; the tokenizer"
            " files belong to another checkpoint"
        )
    if config.model_type != "clip":
        return
    expected = config.text_config.eos_token_id
    expected = largest if expected == LEGACY_END else expected
    found = tokenizer.encode("a").ids[-1]
    if found != expected:
        raise ClipError(
            f"{directory}: the tokenizer ends texts with token {found}, the text tower reads them at token {expected}; the"
            " tokenizer files belong to another checkpoint"
        )


def _pixel_rule(processor, size: int, resize: str | None, directory: Path) -> PixelRule:
    mean = tuple(processor.image_mean) if processor.do_normalize else (0.0, 0.0, 0.0)
    std = tuple(processor.image_std) if processor.do_normalize else (1.0, 1.0, 1.0)
    if abs(processor.rescale_factor * 255 - 1) > 1e-6:
        raise ClipError(f"{directory}: rescale_factor is {processor.rescale_factor}, only 1/255 can be served")
    return PixelRule(size, resize or _resize_rule(processor, size, directory), mean, std)


def _resize_rule(processor, size: int, directory: Path) -> str:
    given = dict(processor.size)
    cropped = dict(processor.crop_size) if processor.do_center_crop else None
    if (given.get("height"), given.get("width")) == (size, size) and cropped is None:
        return "SQUASH"
    if given.get("shortest_edge") == size and cropped in (None, {"height": size, "width": size}):
        return "SHORTEST_SIDE_CENTER_CROP"
    raise ClipError(
        f"{directory}: its preprocessor resizes to {given} and crops {cropped} for a tower of {size} pixels, for which"
        " BUNDLE.md has no rule; choose the nearest with --resize"
    )
