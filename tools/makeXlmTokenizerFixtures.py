"""Writes test/fixtures/text/xlmRoberta: what transformers' XLMRobertaTokenizer does with awkward texts.

    python tools/makeXlmTokenizerFixtures.py

Needs transformers 4.44.2, sentencepiece 0.2.1 and protobuf: the last version that runs the SentencePiece model itself, as
those did who trained the checkpoints.
"""

import io
import json
import random
from pathlib import Path

import sentencepiece
import transformers

TEXT = Path(__file__).parent.parent / "test" / "fixtures" / "text"
OUTPUT = TEXT / "xlmRoberta"


def train():
    model = io.BytesIO()
    lines = (TEXT / "corpus.txt").read_text(encoding="utf-8").splitlines()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=120,
        normalization_rule_name="identity",  # nmt_nfkc, the published models' own, takes 240 kB
        minloglevel=2,
        num_threads=1,
    )
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "sentencepiece.bpe.model").write_bytes(model.getvalue())
    # As the published directories: no class is named.
    (OUTPUT / "config.json").write_text(json.dumps({"model_type": "xlm-roberta"}) + "\n")
    (OUTPUT / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 512}) + "\n")


def main():
    train()
    tokenizer = transformers.XLMRobertaTokenizer(
        str(OUTPUT / "sentencepiece.bpe.model"), clean_up_tokenization_spaces=False
    )
    strings = json.loads((TEXT / "strings.json").read_text(encoding="utf-8"))
    own = ["The <mask> opens", "x<mask>y", "a </s> file <unk>x", "Every  <mask> <mask>."]
    rng = random.Random(17)
    random_ids = [[rng.randrange(len(tokenizer)) for _ in range(12)] for _ in range(40)]
    expected = {
        "size": len(tokenizer),
        "texts": own,
        "ids": [tokenizer(text)["input_ids"] for text in [*strings, *own]],
        "pair": tokenizer("The editor", "opens")["input_ids"],
        "mask": tokenizer.mask_token_id,
        "randomIds": random_ids,
        "decoded": [tokenizer.decode(ids, skip_special_tokens=True) for ids in random_ids],
        "decodedAll": [tokenizer.decode(ids, skip_special_tokens=False) for ids in random_ids],
    }
    text = json.dumps(expected, ensure_ascii=True, separators=(",", ":"))
    (OUTPUT / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
