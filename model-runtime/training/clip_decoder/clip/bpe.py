# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""open_clip's byte pair tokenizer in the tokenizers library's terms, so that its JSON form can be served."""

from ftfy.chardata import LIGATURES, WIDTH_MAP
from open_clip.tokenizer import SimpleTokenizer
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing

from clip_decoder.clip.casing import lower_case

WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
# twice: open_clip unescapes twice
ENTITIES = 2 * (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&"))


def bpe_tokenizer(original: SimpleTokenizer) -> Tokenizer:
    """The same token ids as ``original`` gives, start and end token included, without its padding.

    open_clip cleans texts with ftfy. The parts of that which matter for label texts are done here too: typographic
    quotes, ligatures, full-width letters, the commonest HTML entities. Its repair of wrongly decoded text is not done.
    """
    start, end = original.all_special_ids[:2]
    names = {index: token for token, index in original.encoder.items()}
    merges = sorted(original.bpe_ranks, key=original.bpe_ranks.get)
    tokenizer = Tokenizer(
        BPE(
            vocab=dict(original.encoder),
            merges=[merge for merge in merges if len(merge) == 2],
            continuing_subword_prefix="",
            end_of_word_suffix="</w>",
            unk_token=names[end],
        )
    )
    tokenizer.normalizer = normalizers.Sequence(_cleaning())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.post_processor = TemplateProcessing(
        single=f"{names[start]} $A {names[end]}", special_tokens=[(names[start], start), (names[end], end)]
    )
    tokenizer.add_special_tokens([names[start], names[end]])
    return tokenizer


def _cleaning() -> list[normalizers.Normalizer]:
    single = {chr(code): replaced for code, replaced in {**WIDTH_MAP, **LIGATURES}.items()}
    return [
        *(normalizers.Replace(character, replaced) for character, replaced in single.items()),
        normalizers.Replace(Regex("[\u02bc\u2018-\u201b]"), "'"),
        normalizers.Replace(Regex("[\u201c-\u201f]"), '"'),
        *(normalizers.Replace(entity, replaced) for entity, replaced in ENTITIES),
        normalizers.NFC(),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
        *lower_case(),
    ]
