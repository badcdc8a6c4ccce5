# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints with random weights, saved as the libraries that read them save theirs, tiny or in full size."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import open_clip
import sentencepiece
import torch
import transformers
from open_clip.tokenizer import SimpleTokenizer, default_bpe
from safetensors.torch import save_file
from torch import nn

LABELS = """dog|cat|red apple|golden retriever|New York skyline|traffic light|ice cream|T-shirt|rock'n'roll band|
mother-in-law|3D printer|Boeing 747|49ers fan|C++ book|24/7 shop|50% off sign|São Paulo|crème brûlée|Zürich|smörgåsbord|
naïve art|façade|日本の寺|東京タワー|한국 음식|Москва|ΑΘΗΝΑ ΟΔΟΣ|Ελλάδα|हिन्दी|עברית|العربية|ไทย|🐶|🏳️‍🌈 flag|👩‍👩‍👧 family|
“smart quotes”|‘single’|don’t|it's|they'll|we've|I'm|can't've|ﬁreﬂy|ﬃ|ｆｕｌｌｗｉｄｔｈ|№ 5|½ moon|x²|Ⅷ|…|—dash—|–|a/b|a\\b|a_b|
#hashtag|@handle|e-mail: a@b.c|https://example.org/a?b=c&d=e|!!!|???|$100|€5|£3|¥7|(parentheses)|[brackets]|{braces}|<b>bold</b>|
&amp; ampersand|salt &lt; pepper|"double"|  leading|trailing  |two  spaces|tab\there|new\nline|ALL CAPS|MiXeD|ß STRASSE|İstanbul|ǅ|
e\u0301te\u0301|\u200bzero width|soft\u00adhyphen|nbsp\u00a0here|a|I|.|""".replace("|\n", "|").split("|")
TEMPLATES = ("{}", "a photo of a {}.", "This is a photo of {}!")
LONG = [" ".join([word] * 120) for word in ("sunset", "antidisestablishmentarianism", "犬", "3.14", "rock'n'roll")]


def texts() -> list[str]:
    """Over 200 texts: labels as people write them, unicode, punctuation, and some longer than any context."""
    return [template.format(label) for template in TEMPLATES for label in LABELS] + LONG


def vocabulary(folder: Path, merges: int | None) -> Path:
    """open_clip's own vocabulary file, or its first ``merges`` merges."""
    if merges is None:
        return Path(default_bpe())
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")[: merges + 1]
    path = folder / "bpe.txt.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    return path


def shaken(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Random weights that keep activations alive: biases that matter, batch norm statistics of what passes through."""
    torch.manual_seed(seed)
    model = make()
    norms = {name: module for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)}
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear) and module.bias is not None:
                module.bias.uniform_(-0.05, 0.05)
        for name, norm in norms.items():
            norm.momentum = None  # a plain average over what follows
            # small residual branches, as in trained models: large random ones magnify every rounding error a
            # hundredfold
            norm.weight.uniform_(*((0.05, 0.15) if ".bn3" in name and "layer" in name else (0.8, 1.2)))
        if norms:
            model.train().visual(torch.randn(8, 3, *2 * (model.visual.image_size,)).cumsum(3) / 4)
    return model.eval()


def hugging_face_tokenizer(folder: Path, merges: int | None, context: int = 77) -> transformers.CLIPTokenizer:
    simple = SimpleTokenizer(bpe_path=str(vocabulary(folder, merges)))
    renamed = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary_ids = {renamed.get(token, token): index for token, index in simple.encoder.items()}
    pairs = [pair for pair in sorted(simple.bpe_ranks, key=simple.bpe_ranks.get) if len(pair) == 2]
    return transformers.CLIPTokenizer(vocab=vocabulary_ids, merges=pairs, model_max_length=context)


def hugging_face_clip(folder: Path, *, merges: int | None = 300, size: int = 32, patch: int = 8, **sizes) -> Path:
    """A directory as CLIPModel, CLIPTokenizer and CLIPImageProcessor write it."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = hugging_face_tokenizer(folder, merges)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = (
        tower
        | sizes.get("text", {})
        | {
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
    )
    vision = tower | sizes.get("vision", {}) | {"image_size": size, "patch_size": patch}
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=sizes.get("projection", 24))
    shaken(lambda: transformers.CLIPModel(config), 11).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    transformers.CLIPImageProcessor(
        size={"shortest_edge": size}, crop_size={"height": size, "width": size}
    ).save_pretrained(folder)
    return folder


def sentencepiece_model(path: Path, pieces: int, normalization: str = "nmt_nfkc") -> Path:
    """A unigram model as SigLIP's: pad 0, end 1, unknown 2."""
    model = io.BytesIO()
    corpus = [text.lower() for text in texts()[:-5]] * 3
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus),
        model_writer=model,
        vocab_size=pieces,
        model_type="unigram",
        normalization_rule_name=normalization,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        character_coverage=0.98,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())
    return path


def hugging_face_siglip(folder: Path, *, pieces: int = 200, size: int = 32, patch: int = 8, **sizes) -> Path:
    """A directory as SiglipModel, SiglipTokenizer and SiglipImageProcessor write it."""
    folder.mkdir(parents=True, exist_ok=True)
    spiece = sentencepiece_model(folder / "spiece.model", pieces, sizes.get("normalization", "nmt_nfkc"))
    # as in the published ones: padding is attended to, so no attention mask is requested
    tokenizer = transformers.SiglipTokenizer(
        str(spiece), model_max_length=sizes.get("context", 64), model_input_names=["input_ids"]
    )
    tower = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = (
        tower
        | sizes.get("text", {})
        | {
            "vocab_size": sizes.get("vocabulary", tokenizer.vocab_size),
            "max_position_embeddings": sizes.get("context", 64),
            "projection_size": sizes.get("text", tower)["hidden_size"],
            "pad_token_id": 1,
            "eos_token_id": 1,
            "bos_token_id": None,
        }
    )
    vision = tower | sizes.get("vision", {}) | {"image_size": size, "patch_size": patch}
    config = transformers.SiglipConfig(text_config=text, vision_config=vision)
    model = shaken(lambda: transformers.SiglipModel(config), 12)
    with torch.no_grad():
        model.logit_scale.fill_(2.0)
        model.logit_bias.fill_(-3.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    transformers.SiglipImageProcessor(size={"height": size, "width": size}).save_pretrained(folder)
    return folder


TINY_TEXT = {"context_length": 77, "width": 32, "heads": 4, "layers": 2}
TINY_VIT = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 8, "patch_size": 8},
    "text_cfg": TINY_TEXT,
}
TINY_RESNET = {
    "embed_dim": 128,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16, "patch_size": None},
    "text_cfg": TINY_TEXT,
}


def open_clip_directory(folder: Path, config: dict, merges: int | None = 300) -> Path:
    """A directory in the layout of open_clip's push to the Hugging Face hub."""
    folder.mkdir(parents=True, exist_ok=True)
    bpe = vocabulary(folder, merges)
    size = SimpleTokenizer(bpe_path=str(bpe)).vocab_size
    text = config["text_cfg"] | {"vocab_size": size}
    if merges is not None:
        text["tokenizer_kwargs"] = {"bpe_path": str(bpe)}
    config = config | {"text_cfg": text}
    preprocess = {
        "mean": list(open_clip.OPENAI_DATASET_MEAN),
        "std": list(open_clip.OPENAI_DATASET_STD),
        "resize_mode": "shortest",
    }
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": preprocess}), encoding="utf-8"
    )
    model = shaken(lambda: open_clip.create_model(f"local-dir:{folder}", load_weights=False, pretrained_text=False), 13)
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(state, str(folder / "open_clip_model.safetensors"))
    return folder


class OriginalHead(nn.Module):
    """ML-Decoder's zero-shot head under the names of its published state dicts, from PyTorch's own layers."""

    def __init__(self, features: int, labels: int, width: int = 32, hidden: int = 64):
        super().__init__()
        if labels != width:
            self.wordvec_proj = nn.Linear(labels, width)
        layer = nn.Module()
        layer.norm1, layer.norm2, layer.norm3 = (nn.LayerNorm(width) for _ in range(3))
        layer.multihead_attn = nn.MultiheadAttention(width, 8)
        layer.linear1, layer.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.decoder = nn.Module()
        self.decoder.layers = nn.ModuleList([layer])
        self.decoder.embed_standart = nn.Linear(features, width)
        self.decoder.duplicate_pooling = nn.Parameter(nn.init.xavier_normal_(torch.empty(width, 1)))
        self.decoder.duplicate_pooling_bias = nn.Parameter(torch.randn(1))
        for norm in (layer.norm1, layer.norm2, layer.norm3):
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.2, 0.2)
        nn.init.uniform_(layer.multihead_attn.in_proj_bias, -0.2, 0.2)

    def forward(self, features, labels):
        """features [B, T, C], labels [L, E] -> logits [B, L]"""
        layer = self.decoder.layers[0]
        memory = self.decoder.embed_standart(features).relu().transpose(0, 1)  # [T, B, W]
        queries = self.wordvec_proj(labels) if hasattr(self, "wordvec_proj") else labels
        queries = layer.norm1(2 * queries.relu()).unsqueeze(1).expand(-1, len(features), -1)  # [L, B, W]
        attended = layer.norm2(queries + layer.multihead_attn(queries, memory, memory)[0])
        answers = layer.norm3(attended + layer.linear2(layer.linear1(attended).relu()))
        logits = answers @ self.decoder.duplicate_pooling + self.decoder.duplicate_pooling_bias
        return logits.squeeze(-1).T


def head_file(
    path: Path, features: int, labels: int, width: int = 32, hidden: int = 64, **saved: torch.Tensor
) -> OriginalHead:
    """A head, beside whatever is ``saved`` with it."""
    torch.manual_seed(14)
    head = OriginalHead(features, labels, width, hidden).eval()
    state = {f"head.{name}": value for name, value in head.state_dict().items()}
    torch.save(state | saved, path)
    return head
