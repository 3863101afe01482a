"""Writes test/fixtures/generation/transformers.json: what transformers' own search makes of a tiny model.

The model's logits are a hash of the source and of the whole token history (hashLogits.py), so that the fixture needs no weights and every search decision is
covered by arithmetic that both sides agree on exactly. Run with the versions of tools/requirements.txt:

    python tools/makeGenerationFixtures.py
"""

import itertools
import json
import pathlib

import torch
from transformers import GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from hashLogits import hash_ids, hash_logits

class HashConfig(PretrainedConfig):
    model_type = "hash"

    def __init__(self, vocab_size=16, end_bias=0.0, seed=1, **kwargs):
        self.vocab_size = vocab_size
        self.end_bias = end_bias
        self.seed = seed
        super().__init__(is_encoder_decoder=True, **kwargs)


class HashEncoder(torch.nn.Module):
    main_input_name = "input_ids"

    def __init__(self, config):
        super().__init__()
        self.config = config

    def forward(self, input_ids, attention_mask=None, **_):
        rows = []
        for ids, mask in zip(input_ids, attention_mask):
            value = hash_ids(ids[mask.bool()][None], torch.tensor([self.config.seed]))
            # Two halves, each exact in float32.
            rows.append(torch.stack([value >> 16, value & 0xFFFF], dim=-1).float())
        return BaseModelOutput(last_hidden_state=torch.stack(rows))


class HashModel(PreTrainedModel, GenerationMixin):
    config_class = HashConfig
    main_input_name = "input_ids"

    def __init__(self, config):
        super().__init__(config)
        self.encoder = HashEncoder(config)
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.post_init()

    def get_encoder(self, *_, **__):
        return self.encoder

    def forward(self, input_ids=None, attention_mask=None, decoder_input_ids=None, encoder_outputs=None, **_):
        halves = encoder_outputs.last_hidden_state[:, 0].long()
        source = (halves[:, 0] << 16) | halves[:, 1]
        ends = self.generation_config.eos_token_id
        logits = hash_logits(source, decoder_input_ids, self.config.vocab_size, ends, self.config.end_bias, self.config.seed)
        return Seq2SeqLMOutput(logits=logits[:, None])

    def prepare_inputs_for_generation(self, input_ids, encoder_outputs=None, **_):
        return {"decoder_input_ids": input_ids, "encoder_outputs": encoder_outputs}


MODELS = {
    "one end": dict(vocab_size=16, eos=[1], end_bias=1.5, seed=7),
    "three ends": dict(vocab_size=30, eos=[1, 2, 5], end_bias=0.5, seed=8),
}
INPUTS = [[5, 6, 7, 8], [9, 3], [4, 4, 4, 11, 12]]


def cases():
    greedy = [dict(), dict(noRepeatNgramSize=1), dict(noRepeatNgramSize=2), dict(noRepeatNgramSize=3),
              dict(repetitionPenalty=1.3), dict(minNewTokens=6), dict(repetitionPenalty=0.8, noRepeatNgramSize=2)]
    yield from (dict(model=m, options=dict(maxNewTokens=14, **o)) for m in MODELS for o in greedy)
    for beams, penalty, stopping in itertools.product([2, 4, 8], [0.0, 0.6, 1.0, 2.0], [True, False, "never"]):
        options = dict(numBeams=beams, maxNewTokens=12, lengthPenalty=penalty, earlyStopping=stopping)
        yield dict(model="one end", options=options)
    extras = [dict(lengthPenalty=-0.5), dict(noRepeatNgramSize=1), dict(noRepeatNgramSize=2), dict(noRepeatNgramSize=3),
              dict(repetitionPenalty=1.3), dict(repetitionPenalty=0.7), dict(minNewTokens=5), dict(minNewTokens=9),
              dict(repetitionPenalty=1.3, noRepeatNgramSize=2, minNewTokens=3, lengthPenalty=0.6, earlyStopping=True)]
    for model, beams, extra in itertools.product(MODELS, [2, 4], extras):
        yield dict(model=model, options=dict(numBeams=beams, maxNewTokens=12, **extra))
    for stopping in [True, False, "never"]:
        yield dict(model="three ends", options=dict(numBeams=8, maxNewTokens=12, earlyStopping=stopping))
    yield dict(model="one end", options=dict(numBeams=4, maxNewTokens=1))
    yield dict(model="one end", options=dict(numBeams=4, maxNewTokens=40, earlyStopping="never", minNewTokens=30))
    rules = [dict(forced_eos_token_id=1), dict(forced_bos_token_id=9), dict(bad_words_ids=[[0], [7], [8]]),
             dict(bad_words_ids=[[0], [7], [8]], renormalize_logits=True), dict(suppress_tokens=[3, 4]),
             dict(forced_eos_token_id=1, forced_bos_token_id=9, bad_words_ids=[[0]], renormalize_logits=True)]
    for rule, options in itertools.product(rules, [
        dict(maxNewTokens=6), dict(numBeams=4, maxNewTokens=6),
        dict(numBeams=4, maxNewTokens=9, minNewTokens=4, noRepeatNgramSize=2, repetitionPenalty=1.3)]):
        yield dict(model="one end", options=options, rules=rule)
    for options in [dict(maxNewTokens=6), dict(numBeams=4, maxNewTokens=8, noRepeatNgramSize=2, minNewTokens=4),
                    dict(numBeams=4, maxNewTokens=8, repetitionPenalty=1.3)]:
        yield dict(model="one end", options=options, prompt=[0, 6, 11, 6])
        yield dict(model="one end", options=options, prompt=[6, 11, 6])
    for rule in [dict(forced_bos_token_id=9), dict(forced_eos_token_id=1)]:
        yield dict(model="one end", options=dict(numBeams=2, maxNewTokens=5), rules=rule, prompt=[0, 6])


def controls():
    """Options that say which tokens may come, each alone and all together."""
    alone = [dict(suppressTokens=[3, 4]), dict(beginSuppressTokens=[3, 4, 7, 8, 11, 12, 15]),
             dict(badWordsIds=[[1], [7], [4, 4], [6, 6, 6]]), dict(badWordsIds=[[9, 5], [0, 3], [12, 9, 2]]),
             dict(sequenceBias=[[[3], 2.5], [[7], -4.0]]), dict(sequenceBias=[[[4], 1.5], [[9, 4], 1.0], [[2, 9, 4], -9.5]]),
             dict(eosTokenId=[1, 7]), dict(eosTokenId=4), dict(forcedBosTokenId=9), dict(forcedEosTokenId=1),
             dict(forcedBosTokenId=9, beginSuppressTokens=[2, 5, 6, 9, 10, 13, 14]),
             dict(exponentialDecayLengthPenalty=[2, 1.3]), dict(exponentialDecayLengthPenalty=[0, 1.01]),
             dict(exponentialDecayLengthPenalty=[3, 2.5], repetitionPenalty=1.3),
             dict(encoderNoRepeatNgramSize=1), dict(encoderNoRepeatNgramSize=2), dict(encoderRepetitionPenalty=1.8),
             dict(encoderRepetitionPenalty=0.5), dict(encoderRepetitionPenalty=1.5, repetitionPenalty=1.4)]
    together = [dict(sequenceBias=[[[4], 1.5], [[9, 4], 1.0], [[8], -1.0]], badWordsIds=[[3], [5, 6]], noRepeatNgramSize=2,
                     repetitionPenalty=1.2, minNewTokens=3, exponentialDecayLengthPenalty=[4, 1.2]),
                dict(sequenceBias=[[[4], 1.5]], encoderRepetitionPenalty=1.3, repetitionPenalty=0.8,
                     encoderNoRepeatNgramSize=2, exponentialDecayLengthPenalty=[4, 1.5], suppressTokens=[2])]
    for beams, extra in itertools.product([1, 3], alone + together):
        options = dict(maxNewTokens=10, **extra)
        yield dict(model="one end", options=dict(numBeams=beams, **options) if beams > 1 else options)
    yield dict(model="one end", options=dict(numBeams=3, maxNewTokens=9, **together[0]), rules=dict(renormalize_logits=True))
    yield dict(model="one end", options=dict(numBeams=3, maxNewTokens=9, badWordsIds=[[11, 4], [6, 3]]), prompt=[0, 6, 11])
    for beams, rules in itertools.product([1, 2, 4], [{}, dict(renormalize_logits=True), dict(no_repeat_ngram_size=2)]):
        options = dict(maxNewTokens=9, **(dict(numBeams=beams) if beams > 1 else {}))
        yield dict(model="one end", options=options, rules=rules, allowed=True)
    yield dict(model="three ends", options=dict(numBeams=3, maxNewTokens=9, exponentialDecayLengthPenalty=[1, 1.6]))


NAMES = dict(numBeams="num_beams", maxNewTokens="max_new_tokens", minNewTokens="min_new_tokens",
             lengthPenalty="length_penalty", earlyStopping="early_stopping", noRepeatNgramSize="no_repeat_ngram_size",
             repetitionPenalty="repetition_penalty", temperature="temperature", topK="top_k", topP="top_p", minP="min_p",
             suppressTokens="suppress_tokens", beginSuppressTokens="begin_suppress_tokens", badWordsIds="bad_words_ids",
             sequenceBias="sequence_bias", eosTokenId="eos_token_id", forcedBosTokenId="forced_bos_token_id",
             forcedEosTokenId="forced_eos_token_id", exponentialDecayLengthPenalty="exponential_decay_length_penalty",
             encoderNoRepeatNgramSize="encoder_no_repeat_ngram_size", encoderRepetitionPenalty="encoder_repetition_penalty",
             typicalP="typical_p", epsilonCutoff="epsilon_cutoff", etaCutoff="eta_cutoff")


def allowed_tokens(sentence, ids):
    """The same in transformers.test.ts: 1 and a third of the other tokens, which changes with all it is told."""
    return [1] + [token for token in range(2, 16) if (token + 2 * sentence + len(ids) + ids[-1].item()) % 3 == 0]


def run(model, case):
    # One by one where padding would count as a token of the source.
    alone = any(name.startswith("encoder") for name in case["options"])
    groups = [[ids] for ids in INPUTS] if alone else [INPUTS]
    return [outputs for group in groups for outputs in run_batch(model, case, group)]


def run_batch(model, case, inputs):
    options = {NAMES[name]: value for name, value in case["options"].items()} | case.get("rules", {})
    beams = options.get("num_beams", 1)
    width = max(map(len, inputs))
    prompt = case.get("prompt")
    with torch.no_grad():
        output = model.generate(
            input_ids=torch.tensor([ids + [0] * (width - len(ids)) for ids in inputs]),
            attention_mask=torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in inputs]),
            decoder_input_ids=torch.tensor([prompt] * len(inputs)) if prompt else None,
            num_return_sequences=beams, use_cache=False, return_dict_in_generate=True, output_scores=True,
            prefix_allowed_tokens_fn=allowed_tokens if case.get("allowed") else None, **options)
    ends = options.get("eos_token_id", model.generation_config.eos_token_id)
    ends = ends if isinstance(ends, list) else [ends]
    outputs = []
    for row, sequence in enumerate(output.sequences.tolist()):
        ids = sequence[1:]
        start = len(prompt) - (prompt[0] == 0) if prompt else 0
        end = next((i for i in range(start, len(ids)) if ids[i] in ends), len(ids))
        ids = ids[: end + 1]
        if beams == 1:
            # The model's own log-probability of what was chosen (0 where it was forced), averaged over the new tokens.
            total = 0.0
            for i in range(start, len(ids)):
                if "forced_bos_token_id" in options and i == 0:
                    continue
                if "forced_eos_token_id" in options and i - start == options["max_new_tokens"] - 1:
                    continue
                history = torch.tensor([[0] + ids[:i]])
                encoded = model.encoder(torch.tensor([inputs[row]]), torch.ones(1, len(inputs[row])))
                logits = model(decoder_input_ids=history, encoder_outputs=encoded).logits[0, -1]
                total += logits.log_softmax(-1)[ids[i]].item()
            outputs.append([[ids, round(total / (len(ids) - start), 6)]])
        else:
            if row % beams == 0:
                outputs.append([])
            outputs[-1].append([ids, round(output.sequences_scores[row].item(), 6)])
    return outputs


def warped(beams):
    """Probabilities that transformers samples from, after its warpers: with several beams these keep two tokens."""
    logits = torch.tensor([[0.2, 1.5, -1, 2.1, 0.9, 0.199, -3, 1.1]])
    rows = []
    shapes = [(dict(temperature=t, topK=k, topP=p)) for t, k, p in [
        (1.0, 50, 1.0), (0.5, 50, 1.0), (0.7, 3, 1.0), (1.0, 50, 0.6), (1.5, 4, 0.9), (1.5, 0, 0.85), (2.0, 0, 0.3),
        (1.0, 1, 1.0), (1.0, 0, 0.0)]]
    shapes += [dict(topK=0, **{name: value}) for name, values in [
        ("minP", [0.05, 0.3, 0.6, 1.0]), ("typicalP", [0.1, 0.3, 0.5, 0.9, 0.99]),
        ("epsilonCutoff", [0.01, 0.1, 0.2, 0.9]), ("etaCutoff", [0.01, 0.1, 0.5, 0.99])] for value in values]
    shapes += [dict(temperature=1.5, topK=6, topP=0.95, minP=0.1), dict(temperature=0.8, topK=0, minP=0.05, typicalP=0.8),
               dict(topK=7, topP=0.9, typicalP=0.7, epsilonCutoff=0.1),
               dict(temperature=2.0, topK=0, minP=0.02, typicalP=0.95, epsilonCutoff=0.02, etaCutoff=0.2)]
    for options in shapes:
        config = GenerationConfig(do_sample=True, num_beams=beams, **{NAMES[name]: value for name, value in options.items()})
        config._eos_token_tensor = None  # then two tokens are kept beside beams
        model = HashModel(HashConfig())
        processors = model._get_logits_processor(config, 1)
        scores = processors(torch.zeros(1, 1, dtype=torch.long), logits.clone())
        rows.append(dict(options=options, probabilities=[round(p, 7) for p in scores.softmax(-1)[0].tolist()]))
    return dict(logits=[round(value, 4) for value in logits[0].tolist()], rows=rows)


def main():
    models = {}
    for name, spec in MODELS.items():
        model = HashModel(HashConfig(spec["vocab_size"], spec["end_bias"], spec["seed"])).eval()
        model.generation_config = GenerationConfig(eos_token_id=spec["eos"], pad_token_id=0, decoder_start_token_id=0)
        models[name] = model
    lines = [json.dumps({**case, "outputs": run(models[case["model"]], case)}, separators=(",", ":"))
             for case in itertools.chain(cases(), controls())]
    path = pathlib.Path(__file__).parent.parent / "test/fixtures/generation/transformers.json"
    head = json.dumps(dict(models=MODELS, inputs=INPUTS, warped=warped(1), beamWarped=warped(2)))[:-1]
    path.write_text(head + ',"cases":[\n' + ",\n".join(lines) + "\n]}\n")
    print(len(lines), "cases,", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
