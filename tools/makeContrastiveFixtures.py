"""Makes test/fixtures/generation/contrastive.json: contrastive search (Su et al. 2022, equation 5) over the tiny checkpoints
under test/fixtures/models, in the plainest way: no cache, one sentence and one candidate at a time, in float64.

    python tools/makeContrastiveFixtures.py

A case is kept where every choice was clear by 1e-4, so that a correct implementation can be compared token for token.
"""

import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, RepetitionPenaltyLogitsProcessor

ROOT = Path(__file__).resolve().parent.parent / "test" / "fixtures"
MODELS = {"marian": AutoModelForSeq2SeqLM, "bart": AutoModelForSeq2SeqLM, "t5": AutoModelForSeq2SeqLM,
          "gpt2": AutoModelForCausalLM}
CASES = [
    {"penalty_alpha": 0.6, "top_k": 4},
    {"penalty_alpha": 0.3, "top_k": 6, "repetition_penalty": 1.3},
    {"penalty_alpha": 0.9, "top_k": 3, "min_new_tokens": 6},
]
LENGTH = 12


def read(model, source, ids):
    """Logits after the last id, and the decoder's last hidden states of all ids."""
    ids = torch.tensor([ids])
    if model.config.is_encoder_decoder:
        out = model(input_ids=source, decoder_input_ids=ids, output_hidden_states=True)
        return out.logits[0, -1], out.decoder_hidden_states[-1][0]
    out = model(input_ids=ids, output_hidden_states=True)
    return out.logits[0, -1], out.hidden_states[-1][0]


def probabilities(model, ids, logits, case, count, end):
    logits = logits[None].clone()
    if "repetition_penalty" in case:
        logits = RepetitionPenaltyLogitsProcessor(case["repetition_penalty"])(torch.tensor([ids]), logits)
    if count <= case.get("min_new_tokens", 0):
        logits[0, end] = -torch.inf
    return logits[0].softmax(-1)


def search(model, source, prompt, case):
    """New tokens, their log-probabilities, and by how much the closest choice was won."""
    end = model.generation_config.eos_token_id
    forced = model.generation_config.forced_bos_token_id
    ids, logs, margin = list(prompt), [], 1.0
    for count in range(1, LENGTH + 1):
        logits, context = read(model, source, ids)
        if forced is not None and len(ids) == 1:
            ids.append(forced)
            logs.append(0.0)
            continue
        p = probabilities(model, ids, logits, case, count, end)
        top = p.topk(case["top_k"] + 1)
        margin = min(margin, (top.values[-2] - top.values[-1]).item() / top.values[-2].item())
        scores = []
        for value, token in zip(top.values[:-1], top.indices[:-1]):
            hidden = read(model, source, [*ids, token.item()])[1][-1]
            likeness = torch.nn.functional.cosine_similarity(context, hidden[None], dim=-1).max()
            scores.append(((1 - case["penalty_alpha"]) * value - case["penalty_alpha"] * likeness).item())
        best = max(range(len(scores)), key=scores.__getitem__)
        margin = min(margin, *(scores[best] - score for i, score in enumerate(scores) if i != best))
        ids.append(top.indices[best].item())
        logs.append(top.values[best].log().item())
        if ids[-1] == end:
            break
    return ids[len(prompt):], logs, margin


def main():
    results = []
    for name, kind in MODELS.items():
        model = kind.from_pretrained(ROOT / "models" / name).double().eval()
        expected = json.loads((ROOT / "models" / name / "expected.json").read_text())["inputs"]
        rows = [[i for i, keep in zip(ids, mask) if keep]
                for ids, mask in zip(expected["input_ids"], expected["attention_mask"])]
        for case in CASES:
            for row in rows:
                alone = not model.config.is_encoder_decoder
                prompt = row if alone else [model.generation_config.decoder_start_token_id]
                with torch.no_grad():
                    ids, logs, margin = search(model, torch.tensor([row]), prompt, case)
                print(name, case, ids, f"{margin:.1e}")
                if margin > 1e-4:
                    results.append({"model": name, "options": {**case, "max_new_tokens": LENGTH}, "input_ids": row,
                                    "ids": ids, "log_probabilities": [round(value, 6) for value in logs]})
    text = json.dumps({"transformers": transformers.__version__, "cases": results}, separators=(",", ":"))
    (ROOT / "generation" / "contrastive.json").write_text(text.replace('{"model"', '\n{"model"') + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
