"""Writes test/fixtures/generation/groupBeam.json: diverse beam search, as transformers had it up to 4.51.

The model is that of makeGenerationFixtures.py. Run with transformers 4.51.3 (tokenizers 0.21.1, huggingface-hub 0.30.2),
the rest as in tools/requirements.txt:

    python tools/makeGroupBeamFixtures.py
"""

import itertools
import json
import pathlib

import torch
from transformers import GenerationConfig, __version__

from makeGenerationFixtures import INPUTS, MODELS, NAMES, HashConfig, HashModel

NAMES = NAMES | dict(numBeamGroups="num_beam_groups", diversityPenalty="diversity_penalty")
# Padding counts as taken in groups that are done, unless it cannot be chosen.
NO_PADDING = [[0]]


def cases():
    sizes = [(4, 2), (3, 3), (6, 2)]
    for (beams, groups), penalty, stopping in itertools.product(sizes, [0.3, 2.5], [True, False, "never"]):
        yield dict(numBeams=beams, numBeamGroups=groups, diversityPenalty=penalty, earlyStopping=stopping,
                   maxNewTokens=10)
    extras = [dict(lengthPenalty=0.0), dict(lengthPenalty=2.0, earlyStopping="never"), dict(noRepeatNgramSize=2),
              dict(minNewTokens=5), dict(sequenceBias=[[[4], 1.0], [[9, 4], -2.0]]), dict(forcedBosTokenId=9),
              dict(forcedEosTokenId=1, maxNewTokens=4), dict(maxNewTokens=1), dict(maxNewTokens=2)]
    for extra in extras:
        yield dict(numBeams=6, numBeamGroups=3, diversityPenalty=1.1, **{"maxNewTokens": 9, **extra})


def run(model, case):
    options = {NAMES[name]: value for name, value in case.items()}
    width = max(map(len, INPUTS))
    beams = case["numBeams"]
    with torch.no_grad():
        output = model.generate(
            input_ids=torch.tensor([ids + [0] * (width - len(ids)) for ids in INPUTS]),
            attention_mask=torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in INPUTS]),
            num_return_sequences=beams, use_cache=False, return_dict_in_generate=True, output_scores=True,
            bad_words_ids=NO_PADDING, **options)
    outputs = []
    for row, sequence in enumerate(output.sequences.tolist()):
        ids = sequence[1 : 1 + case["maxNewTokens"]]
        ends = model.generation_config.eos_token_id
        end = next((i for i in range(len(ids)) if ids[i] in ends), len(ids))
        if row % beams == 0:
            outputs.append([])
        one = [ids[: end + 1], round(output.sequences_scores[row].item(), 6)]
        # What several groups have found counts once.
        if one[0] not in [known for known, _ in outputs[-1]]:
            outputs[-1].append(one)
    return outputs


def main():
    assert __version__.startswith("4.51"), __version__
    # Of several end tokens it would show the first, whichever came.
    spec = MODELS["one end"]
    model = HashModel(HashConfig(spec["vocab_size"], spec["end_bias"], spec["seed"])).eval()
    model.generation_config = GenerationConfig(eos_token_id=spec["eos"], pad_token_id=0, decoder_start_token_id=0)
    lines = [json.dumps(dict(options=case, outputs=run(model, case)), separators=(",", ":")) for case in cases()]
    path = pathlib.Path(__file__).parent.parent / "test/fixtures/generation/groupBeam.json"
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(len(lines), "cases,", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
