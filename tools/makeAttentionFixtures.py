"""Makes test/fixtures/generation/attention.json: how transformers' decoders read the source while they generate.

    python tools/makeAttentionFixtures.py

Models and beam searches are those of test/fixtures/models. For each output the cross-attention of the last layer averaged
over heads, and of the first layer's head 1, is computed by one pass over the whole output; what `generate` returns of
greedy search, step by step, must be the same.
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM, EncoderDecoderModel

ROOT = Path(__file__).resolve().parent.parent / "test" / "fixtures"
NAMES = ["marian", "marian-relu-unshared", "bart", "mbart", "m2m100", "pegasus", "t5", "t5-gated", "mt5",
         "encoder-decoder", "encoder-decoder-projected"]


def load(name):
    path = ROOT / "models" / name
    kind = EncoderDecoderModel if name.startswith("encoder-decoder") else AutoModelForSeq2SeqLM
    return kind.from_pretrained(path, attn_implementation="eager").eval()


def cut(row, pad, end):
    """Ids after the start token, up to the end token."""
    rest = row[1:]
    if end in rest:
        return rest[: rest.index(end) + 1]
    while rest and rest[-1] == pad:
        rest.pop()
    return rest


def attention(model, source, sequence):
    """[layers][1, heads, target, source] of each token after the start token."""
    with torch.no_grad():
        output = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([sequence[:-1]]),
                       output_attentions=True, use_cache=False)
    return output.cross_attentions


def check_greedy(model, source):
    """transformers' own record of a search is what one pass over its output computes."""
    output = model.generate(input_ids=torch.tensor([source]), max_new_tokens=8, num_beams=1, do_sample=False,
                            output_attentions=True, return_dict_in_generate=True)
    sequence = output.sequences[0].tolist()
    whole = attention(model, source, sequence)
    for step, layers in enumerate(output.cross_attentions):
        for layer, weights in enumerate(layers):
            assert torch.allclose(weights[0, :, -1], whole[layer][0, :, step], atol=1e-6)


def rounded(tensor):
    return [[round(value, 7) for value in row] for row in tensor.tolist()]


def main():
    result = {}
    for name in NAMES:
        model = load(name)
        expected = json.loads((ROOT / "models" / name / "expected.json").read_text())
        config = model.generation_config
        case = next(case for case in expected["generate"] if case["name"] == "beam")
        inputs = expected["inputs"]
        rows = []
        for ids, mask, sequence in list(zip(inputs["input_ids"], inputs["attention_mask"], case["sequences"]))[:3]:
            source = [token for token, kept in zip(ids, mask) if kept]
            check_greedy(model, source)
            target = cut(sequence, config.pad_token_id, config.eos_token_id)
            layers = attention(model, source, [sequence[0], *target])
            rows.append(dict(source=source, newTokens=case["options"].get("max_new_tokens", 16), ids=target, last=rounded(layers[-1][0].mean(0)),
                             first=rounded(layers[0][0][1])))
        result[name] = rows
    path = ROOT / "generation" / "attention.json"
    lines = [f"{json.dumps(name)}:{json.dumps(rows, separators=(',', ':'))}" for name, rows in result.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
