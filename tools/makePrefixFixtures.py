"""Writes test/fixtures/conventions/{prefix,alternatives}-*.json: biased prefixes, and alternatives after a prefix.

CTranslate2's `prefix_bias_beta` and `return_alternatives`, and biased beam search of transformers by a logits processor,
all with the checkpoint test/fixtures/conventions/marian (makeConventionsFixtures.py).

CTranslate2 remembers for each place of the beam, not for each hypothesis, whether it has left the prefix. With several beams
it is asked only where that is the same: with beta^length > 1 - beta the hypothesis that agrees has the first place. For
alternatives it reads all of a longer prefix as the start token, since Marian's start token is a zero embedding.
"""

import pathlib
import tempfile

import ctranslate2
import torch
import transformers
from makeConventionsFixtures import EOS, OUTPUT, PAD, ctranslate2_translator, inputs, perturb, stable, write
from transformers import LogitsProcessor, LogitsProcessorList, MarianMTModel

PREFIXES = [[11, 25], [40], [33, 12, 7]]


def biased_cases(beams):
    for number, prefix in enumerate(PREFIXES):
        for beta in [0.2, 0.5, 0.9] if beams == 1 else [0.7, 0.9]:
            yield dict(numBeams=beams, numReturnSequences=beams, lengthPenalty=[1.0, 0.6, 0.0][number], maxNewTokens=10,
                       prefixBiasBeta=beta, prefix=prefix)


def ctranslate2_cases():
    for beams in [1, 2, 4]:
        yield from biased_cases(beams)
    for prefix in [[], [40], [11], [33]]:
        for beams, returned in [(1, 3), (2, 5), (4, 4)]:
            yield dict(numBeams=beams, numReturnSequences=returned, maxNewTokens=8, returnAlternatives=True, prefix=prefix)
    for least in [0.005, 0.013]:
        yield dict(numBeams=2, numReturnSequences=6, maxNewTokens=8, lengthPenalty=0.5, returnAlternatives=True,
                   minAlternativeExpansionProb=least, prefix=[40])
    yield dict(numBeams=1, numReturnSequences=4, maxNewTokens=1, returnAlternatives=True, prefix=[11])


def ctranslate2_runner(model, directory):
    translator = ctranslate2_translator(model, directory)

    def run(case, source):
        prefix, alternatives = case["prefix"], case.get("returnAlternatives", False)
        longest = case["maxNewTokens"] + (len(prefix) if alternatives else 0)
        result = translator.translate_batch(
            [[f"t{i}" for i in source]], target_prefix=[[f"t{i}" for i in prefix]] if prefix else None, return_scores=True,
            max_decoding_length=longest, beam_size=case["numBeams"], num_hypotheses=case["numReturnSequences"],
            length_penalty=case.get("lengthPenalty", 1.0), prefix_bias_beta=case.get("prefixBiasBeta", 0.0),
            return_alternatives=alternatives,
            min_alternative_expansion_prob=case.get("minAlternativeExpansionProb", 0.0))[0]
        ids = [[int(token[1:]) for token in tokens] for tokens in result.hypotheses]
        return [[one + [EOS] * (len(one) < longest), round(score, 6)] for one, score in zip(ids, result.scores)]

    return run


class Bias(LogitsProcessor):
    """(1 - beta) p + beta [token = next of the prefix], for as long as a hypothesis agrees with the prefix."""

    def __init__(self, prefix, beta):
        self.prefix, self.beta = prefix, beta

    def __call__(self, input_ids, scores):
        scores = scores.log_softmax(-1)
        for row, ids in enumerate(input_ids.tolist()):
            done = len(ids) - 1
            if done < len(self.prefix) and ids[1:] == self.prefix[:done]:
                biased = (1 - self.beta) * scores[row].exp()
                biased[self.prefix[done]] += self.beta
                scores[row] = biased.log()
        return scores


def transformers_cases():
    for beams in [1, 3, 4]:
        for prefix in PREFIXES:
            for beta in [0.3, 0.6]:
                yield dict(numBeams=beams, numReturnSequences=beams, maxNewTokens=10, prefixBiasBeta=beta, prefix=prefix)


def transformers_runner(model):
    def run(case, source):
        output = model.generate(
            torch.tensor([source]), num_beams=case["numBeams"], num_return_sequences=case["numReturnSequences"],
            max_new_tokens=case["maxNewTokens"], do_sample=False, output_scores=True, return_dict_in_generate=True,
            logits_processor=LogitsProcessorList([Bias(case["prefix"], case["prefixBiasBeta"])]))
        nbest = []
        for row, ids in enumerate(output.sequences.tolist()):
            ids = [token for token in ids if token != PAD]
            if case["numBeams"] > 1:
                score = output.sequences_scores[row].item()
            else:
                score = sum(step[0].log_softmax(-1)[token].item()
                            for step, token in zip(output.scores, ids)) / len(ids)
            nbest.append([ids, round(score, 6)])
        return nbest

    return run


def main(scratch):
    load = lambda: MarianMTModel.from_pretrained(OUTPUT / "marian", dtype=torch.float32).eval()
    exact, noisy = load(), load()
    perturb(noisy)
    sources = list(inputs(40))
    given, cases = stable(ctranslate2_cases(), ctranslate2_runner(exact, scratch / "exact"),
                          ctranslate2_runner(noisy, scratch / "perturbed"), sources, 6)
    head = dict(version=ctranslate2.__version__, inputs=given)
    write("prefix-ctranslate2", head, [case for case in cases if "prefixBiasBeta" in case["options"]])
    write("alternatives-ctranslate2", head, [case for case in cases if "returnAlternatives" in case["options"]])
    given, cases = stable(transformers_cases(), transformers_runner(exact), transformers_runner(noisy), sources[:16], 4)
    write("prefix-transformers", dict(version=transformers.__version__, inputs=given), cases)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        main(pathlib.Path(directory))
