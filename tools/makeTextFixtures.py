"""Writes test/fixtures/text: what Python's tokenizers, sentencepiece and transformers do with awkward texts.

Run from the repository's root: python tools/makeTextFixtures.py
"""

import io
import itertools
import json
import logging
import random
import tempfile
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

logging.disable(logging.WARNING)
import transformers  # noqa: E402
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES  # noqa: E402

OUTPUT = Path(__file__).parent.parent / "test" / "fixtures" / "text"

NASTY = [
    "",
    " ",
    "\t\n",
    "The small editor opens every file.",
    "  two  spaces ",
    "no-break\u00a0em\u2003wide\u3000nel\u0085x\u180ey\ufeffz",
    "l'été d'Œuvre naïve",
    "ΑΣ ΣΊΣΥΦΟΣ ς",
    "İstanbul ıI ß ẞ ŉ",
    "ﬁne ½ ² Ⅷ ａｂｃ１２３",
    "中文字符測試 日本語カタカナ 한국어 𠀀𪛖",
    "🤗😀👨\u200d👩\u200d👧 emoji",
    "e\u0301 a\u0308\u0323 \u0301 Ａ\u0301",
    "▁under ▁▁ x▁y",
    "1234567890 3.14 12,5 v2.0.1",
    "<pad> text </s> and <unk>",
    ">>fr<< the file",
    ">>fr<<the file >>de<< again",
    ">> no tag << here",
    "can't won't I'll we'VE, isn't it ?",
    "...!!!??? «guillemets» „quotes“ — dash – x",
    "\x00\x01\x7f\ufffd control",
    "a" * 101 + " " + "b" * 100,
    "x $+<=>^`|~ € £",
    "\u200bzero\u200dwidth\u2028line\u2029par",
    "foo_bar(baz)[0] = {a: 'b'}; // c",
    "100% of $5.00 #1 @you a&b",
    "नमस्ते दुनिया مرحبا ١٢٣ שלום ไทย",
    "[CLS] hi [SEP] [MASK]x [UNK]",
    "tab\tsep\r\ncrlf",
    "The editor does not open. He 's here , I 'm n't .",
]


def fuzz(count: int) -> list[str]:
    rng = random.Random(7)
    ranges = [(32, 127), (97, 123), (97, 123), (160, 0x250), (0x300, 0x370), (0x2000, 0x2070), (0x4E00, 0x4E20), (0x1F600, 0x1F620)]
    text = lambda: "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randrange(1, 25)))
    return [text() for _ in range(count)]


def corpus() -> list[str]:
    """Sentences made of a few English and French words: our own, and enough to learn merges from."""
    english = (
        ["the", "a", "this", "every", "one of 12"],
        ["small", "graphical", "portable", "unused", "translated", "well-known"],
        ["editor", "library", "package", "printer's driver", "translation", "documentation"],
        ["opens", "contains", "installs", "translates", "documents", "doesn't remove"],
    )
    french = (
        ["le", "la", "l'", "cette", "chaque", "un des 34"],
        ["petit", "graphique", "traduite", "portable", "inutilisé", "réglée"],
        ["éditeur", "bibliothèque", "paquet", "traduction", "pilote d'imprimante", "documentation"],
        ["ouvre", "contient", "installe", "traduit", "documente", "n'enlève pas"],
    )
    rng = random.Random(3)
    lines = []
    for words, object_end in ((english, "file (version 2.0)."), (french, "fichier (version 2,0) !")):
        sentences = list(itertools.product(*words))
        for sentence in rng.sample(sentences, 220):
            text = " ".join(sentence) + " " + rng.choice(words[0]) + " " + object_end
            lines.append(text[0].upper() + text[1:])
    rng.shuffle(lines)
    return lines


STRINGS = NASTY + fuzz(120)
CORPUS = corpus()


def write(name: str, value) -> None:
    path = OUTPUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"
    path.write_text(text, encoding="utf-8")


def trained(tokenizer: Tokenizer, trainer) -> dict:
    tokenizer.train_from_iterator(CORPUS, trainer)
    encoded = [tokenizer.encode(text).ids for text in STRINGS]
    content = json.loads(tokenizer.to_str())["model"]
    return {
        "vocab": content["vocab"],
        "merges": content.get("merges"),
        "ids": encoded,
        "decoded": [tokenizer.decode(ids) for ids in encoded],
    }


def ends_with(token: str, identifier: int):
    return processors.TemplateProcessing(f"$A {token}", f"$A {token} $B {token}", [(token, identifier)])


def metaspace_bpe() -> dict:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    pieces = r"▁?\p{N}|▁?[\p{L}\p{M}]+|▁?[^\p{L}\p{M}\p{N}▁]+|▁"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Split(Regex(pieces), "isolated")]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = ends_with("</s>", 1)
    # max_token_length is exclusive there.
    return trained(
        tokenizer,
        trainers.BpeTrainer(
            vocab_size=250,
            min_frequency=2,
            special_tokens=["<pad>", "</s>", "<unk>"],
            max_token_length=17,
            show_progress=False,
        ),
    )


def byte_level_bpe() -> dict:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = ends_with("</s>", 1)
    return trained(
        tokenizer,
        trainers.BpeTrainer(
            vocab_size=380,
            min_frequency=2,
            special_tokens=["<pad>", "</s>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            max_token_length=17,
            show_progress=False,
        ),
    )


def word_piece() -> dict:
    """Few letters in many words of unlike counts, so that no two pairs tie: that trainer breaks ties at random."""
    rng = random.Random(5)
    words = sorted({"".join(rng.choices("abcdé", k=rng.randrange(2, 7))) for _ in range(60)})
    counts = {word: rng.randrange(100, 2000) for word in words}
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=60, min_frequency=2, special_tokens=["[PAD]", "[UNK]"], show_progress=False
    )
    tokenizer.train_from_iterator([(word + " ") * count for word, count in counts.items()], trainer)
    return {"counts": counts, "vocab": sorted(tokenizer.get_vocab())}


def bert() -> None:
    """Every character a word may need is in the vocabulary, so that a difference shows as a different id."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    characters = sorted({c for text in STRINGS for form in (text, text.lower()) for c in form if not c.isspace()})
    kept = [c for c in characters if ord(c) > 32]
    words = ["the", "The", "editor", "##s", "##a", "##b", "##ed", "not", "do", "does", "open", "small", "##fr", "été", "ete"]
    vocabulary = tokens + kept + ["##" + c for c in kept if c.isalpha() and ord(c) < 0x250] + words
    write("bert/vocab.txt", "".join(token + "\n" for token in dict.fromkeys(vocabulary)))
    variants = {
        "uncased": {},
        "cased": {"do_lower_case": False},
        "accents": {"strip_accents": False},
        "chinese": {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False},
    }
    expected = {}
    for name, settings in variants.items():
        vocab = {token: i for i, token in enumerate(dict.fromkeys(vocabulary))}
        tokenizer = transformers.BertTokenizer(vocab=vocab, **settings)
        ids = [tokenizer(text)["input_ids"] for text in STRINGS]
        expected[name] = {
            "settings": settings,
            "ids": ids,
            "decoded": [tokenizer.decode(i, skip_special_tokens=True) for i in ids],
            "cleaned": [tokenizer.decode(i, clean_up_tokenization_spaces=True) for i in ids[:31]],
        }
        if name == "uncased":
            pair = tokenizer("the editor", "does not open a small file")
            short = lambda n: tokenizer("the editor", "does not open a small file", truncation=True, max_length=n)
            cut = [{"maxLength": n, **short(n)} for n in range(4, 20)]
            expected[name]["pair"] = dict(pair)
            expected[name]["cut"] = [{k: v for k, v in entry.items() if k != "attention_mask"} for entry in cut]
    write("bert/expected.json", expected)


def sentence_piece(name: str, **options) -> sentencepiece.SentencePieceProcessor:
    path = OUTPUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(options.pop("lines", CORPUS)),
        model_writer=model,
        # The default rule would add 240 KB to each file.
        normalization_rule_name="identity",
        # The corpus has fewer pieces than asked for.
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        **options,
    )
    path.write_bytes(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def marian() -> None:
    directory = OUTPUT / "marian"
    english = [line for line in CORPUS if "file" in line]
    french = [line for line in CORPUS if "fichier" in line]
    source = sentence_piece("marian/source.spm", lines=english, vocab_size=120)
    target = sentence_piece("marian/target.spm", lines=french, vocab_size=130)
    pieces = [p.id_to_piece(i) for p in (source, target) for i in range(p.get_piece_size())]
    # A few pieces are missing from the numbered vocabulary, as in published models.
    kept = [p for p in dict.fromkeys(pieces) if p not in ("<s>", "<unk>", "</s>", "er", "ch")]
    vocabulary = ["</s>", "<unk>", *kept, ">>fr<<", ">>de<<", "<pad>"]
    write("marian/vocab.json", {token: i for i, token in enumerate(vocabulary)})
    write("marian/tokenizer_config.json", {"tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "fr"})
    tokenizer = transformers.MarianTokenizer.from_pretrained(directory)
    write("marian/expected.json", marian_expected(tokenizer, len(vocabulary)))
    separate = OUTPUT / "marian-separate"
    separate.mkdir(exist_ok=True)
    write("marian-separate/vocab.json", {t: i for i, t in enumerate(["</s>", "<unk>", *kept[:-20], "<pad>"])})
    write("marian-separate/target_vocab.json", {t: i for i, t in enumerate(["</s>", "<unk>", *kept[20:], "<pad>"])})
    write("marian-separate/tokenizer_config.json", {"tokenizer_class": "MarianTokenizer", "separate_vocabs": True})
    for file in ("source.spm", "target.spm"):
        (separate / file).write_bytes((directory / file).read_bytes())
    tokenizer = transformers.MarianTokenizer.from_pretrained(separate)
    write("marian-separate/expected.json", marian_expected(tokenizer, len(tokenizer.target_encoder)))


def marian_expected(tokenizer, size: int) -> dict:
    rng = random.Random(11)
    random_ids = [[rng.randrange(size) for _ in range(12)] for _ in range(40)]
    return {
        "source": [tokenizer(text)["input_ids"] for text in STRINGS],
        "target": [tokenizer(text_target=text)["input_ids"] for text in STRINGS],
        "randomIds": random_ids,
        "decoded": [tokenizer.decode(ids, skip_special_tokens=True) for ids in random_ids],
        "decodedAll": [tokenizer.decode(ids, skip_special_tokens=False) for ids in random_ids],
        "special": {"pad": tokenizer.pad_token_id, "eos": tokenizer.eos_token_id, "unk": tokenizer.unk_token_id},
    }


def m2m100() -> None:
    """Marian's pieces under M2M-100's names; special tokens come first, as in published vocabularies."""
    directory = OUTPUT / "m2m100"
    directory.mkdir(exist_ok=True)
    model = sentencepiece.SentencePieceProcessor(model_file=str(OUTPUT / "marian" / "source.spm"))
    pieces = [model.id_to_piece(i) for i in range(model.get_piece_size())]
    kept = [p for p in pieces if p not in ("<s>", "<unk>", "</s>", "er")]
    write("m2m100/vocab.json", {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>", *kept])})
    (directory / "sentencepiece.bpe.model").write_bytes((OUTPUT / "marian" / "source.spm").read_bytes())
    write("m2m100/tokenizer_config.json", {"tokenizer_class": "M2M100Tokenizer", "src_lang": "fr"})
    # Published directories list the languages, which makes them special tokens.
    codes = FAIRSEQ_LANGUAGE_CODES["m2m100"]
    write("m2m100/special_tokens_map.json", {"additional_special_tokens": [f"__{code}__" for code in codes]})
    tokenizer = transformers.M2M100Tokenizer.from_pretrained(directory)
    texts = [*STRINGS, "__de__ file", "a </s> file __en__", " <unk>x"]
    rng = random.Random(11)
    random_ids = [[rng.randrange(len(kept) + 104) for _ in range(12)] for _ in range(40)]
    write(
        "m2m100/expected.json",
        {
            "texts": texts[len(STRINGS) :],
            "ids": [tokenizer(text)["input_ids"] for text in texts],
            "randomIds": random_ids,
            "decoded": [tokenizer.decode(ids, skip_special_tokens=True) for ids in random_ids],
            "decodedAll": [tokenizer.decode(ids, skip_special_tokens=False) for ids in random_ids],
            "languages": {code: tokenizer.get_lang_id(code) for code in ("af", "en", "fr", "zu")},
        },
    )


def sentence_piece_models() -> None:
    plain = dict(vocab_size=150, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    sentence_piece("t5/spiece.model", **plain)
    write("t5/tokenizer_config.json", {"tokenizer_class": "T5Tokenizer"})
    tokenizer = transformers.T5Tokenizer.from_pretrained(OUTPUT / "t5")
    texts = [*CORPUS[:20], "<extra_id_0> opens <extra_id_12> file", "zzz </s> x", "a  b "]
    ids = [tokenizer(text)["input_ids"] for text in texts]
    pair = tokenizer("The editor", "opens")["input_ids"]
    decoded = [tokenizer.decode(i, skip_special_tokens=True) for i in ids]
    write("t5/expected.json", {"texts": texts, "ids": ids, "decoded": decoded, "pair": pair, "size": len(tokenizer)})

    model = sentence_piece(
        "bertGeneration/spiece.model", vocab_size=420, byte_fallback=True, pad_id=0, eos_id=1, bos_id=2, unk_id=3,
        user_defined_symbols=["<::::>"],
    )
    write("bertGeneration/tokenizer_config.json", {"tokenizer_class": "BertGenerationTokenizer"})
    tokenizer = transformers.BertGenerationTokenizer.from_pretrained(OUTPUT / "bertGeneration")
    rng = random.Random(13)
    random_ids = [[rng.randrange(model.get_piece_size()) for _ in range(12)] for _ in range(40)]
    write(
        "bertGeneration/expected.json",
        {
            "ids": [tokenizer(text)["input_ids"] for text in STRINGS],
            "pieces": [model.encode(text, out_type=str) for text in STRINGS],
            "randomPieces": [[model.id_to_piece(i) for i in ids] for ids in random_ids],
            "decodedPieces": [model.decode_pieces([model.id_to_piece(i) for i in ids]) for ids in random_ids],
        },
    )


def charsmap() -> None:
    """A SentencePiece table of normalization with one rule, "ab" to "A": the trie and the strings alone."""
    with tempfile.TemporaryDirectory() as directory:
        rules = Path(directory) / "rules.tsv"
        rules.write_text("61 62\t41\n")
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=150, hard_vocab_limit=False, minloglevel=2,
            num_threads=1, normalization_rule_tsv=str(rules),
        )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    (OUTPUT / "charsmap.bin").write_bytes(proto.normalizer_spec.precompiled_charsmap)


def main() -> None:
    write("strings.json", STRINGS)
    write("corpus.txt", "".join(line + "\n" for line in CORPUS))
    write("bpeMetaspace.json", metaspace_bpe())
    write("bpeByteLevel.json", byte_level_bpe())
    write("wordPieceTraining.json", word_piece())
    bert()
    marian()
    m2m100()
    sentence_piece_models()
    charsmap()


if __name__ == "__main__":
    main()
