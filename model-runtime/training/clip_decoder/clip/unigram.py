# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""SigLIP's sentencepiece tokenizer in the tokenizers library's terms, so that its JSON form can be served."""

import string
from pathlib import Path

from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, normalizers
from tokenizers.models import Unigram
from tokenizers.processors import TemplateProcessing

from clip_decoder.clip.casing import lower_case
from clip_decoder.clip.checkpoint import summary
from clip_decoder.errors import ClipError

UNIGRAM = 1
SPACE = "\u2581"  # sentencepiece's sign for a space


def unigram_tokenizer(model: Path, end: str, lowers: bool) -> Tokenizer:
    """The same token ids as transformers' SiglipTokenizer gives for the sentencepiece file, without its padding.

    Lower case, no ASCII punctuation, no repeated spaces, then the pieces and the token ``end``.
    """
    proto = sentencepiece_model_pb2.ModelProto()
    try:
        proto.ParseFromString(model.read_bytes())
    except Exception as error:
        raise ClipError(f"{model} is no sentencepiece model: {summary(error)}") from error
    if proto.trainer_spec.model_type != UNIGRAM:
        raise ClipError(f"{model}: SigLIP's sentencepiece models are of type unigram, this one is not")
    pieces = [(piece.piece, piece.score) for piece in proto.pieces]
    ids = {piece: index for index, (piece, _) in enumerate(pieces)}
    if end not in ids:
        raise ClipError(f"{model} has no end token {end!r}: it is not this checkpoint's tokenizer")
    tokenizer = Tokenizer(
        Unigram(pieces, unk_id=proto.trainer_spec.unk_id, byte_fallback=proto.trainer_spec.byte_fallback)
    )
    steps = lower_case() if lowers else []
    steps += [
        normalizers.Replace(Regex("[" + "".join("\\" + sign for sign in string.punctuation) + "]"), ""),
        # before spaces are trimmed, as in the original: a text that begins with a space begins with two such signs
        normalizers.Prepend(SPACE),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
    ]
    if proto.normalizer_spec.precompiled_charsmap:
        steps.append(normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap))
    steps += [normalizers.Replace(Regex(" +"), " "), normalizers.Replace(" ", SPACE)]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.post_processor = TemplateProcessing(single=f"$A {end}", special_tokens=[(end, ids[end])])
    return tokenizer
