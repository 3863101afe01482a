"""Makes test/fixtures/generation/logits.json: the unprocessed logits of every new token that transformers returns.

    python tools/makeLogitsFixtures.py

Models are those of test/fixtures/models; `output_logits=True` of greedy and beam search, whose rows `beam_indices` names.
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM

ROOT = Path(__file__).resolve().parent.parent / "test" / "fixtures"
CASES = [dict(max_new_tokens=6, min_new_tokens=4, no_repeat_ngram_size=2),
         dict(num_beams=3, num_return_sequences=2, max_new_tokens=6, repetition_penalty=1.3, forced_eos_token_id="end")]


def run(model, source, case):
    end = model.generation_config.eos_token_id
    case = {name: end if value == "end" else value for name, value in case.items()}
    output = model.generate(input_ids=torch.tensor([source]), do_sample=False, output_logits=True,
                            return_dict_in_generate=True, **{"num_beams": 1, **case})
    rows = []
    for row, sequence in enumerate(output.sequences.tolist()):
        ids = sequence[1:]
        ids = ids[: ids.index(end) + 1] if end in ids else ids
        picked = output.beam_indices[row].tolist() if case.get("num_beams") else [row] * len(ids)
        logits = [output.logits[step][picked[step]] for step in range(len(ids))]
        rows.append(dict(ids=ids, logits=[[round(value, 5) for value in one.tolist()] for one in logits]))
    return rows


def main():
    lines = []
    for name in ["marian", "bart"]:
        model = AutoModelForSeq2SeqLM.from_pretrained(ROOT / "models" / name).eval()
        inputs = json.loads((ROOT / "models" / name / "expected.json").read_text())["inputs"]
        for ids, mask in list(zip(inputs["input_ids"], inputs["attention_mask"]))[:2]:
            source = [token for token, kept in zip(ids, mask) if kept]
            for case in CASES:
                row = dict(model=name, source=source, options=case, sequences=run(model, source, case))
                lines.append(json.dumps(row, separators=(",", ":")))
    path = ROOT / "generation" / "logits.json"
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
