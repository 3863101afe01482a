"""Writes test/fixtures/conventions: n-best lists of other toolkits, which polybeam's `conventions` repeat.

Each toolkit needs Python packages of its own, so that each is run by itself; tools/README.md has the commands:

    python tools/makeConventionsFixtures.py ctranslate2
    python tools/makeConventionsFixtures.py marian
    python tools/makeConventionsFixtures.py fairseq
    python tools/makeConventionsFixtures.py unilm DIRECTORY  s2s-ft of a checkout of microsoft/unilm

CTranslate2 and Marian each read a tiny checkpoint that is written as well, whose start token is a zero embedding, as
theirs are. fairseq and UniLM search over logits that are a hash (hashLogits.py).

An input is taken only if the toolkit finds the same hypotheses with weights (or log-probabilities) perturbed by 1e-5.
"""

import importlib
import itertools
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).parent.parent
OUTPUT = ROOT / "test/fixtures/conventions"
# </s>, <unk> and <pad>, which starts the decoder.
EOS, UNK, PAD = 0, 1, 71


def write(name, head, cases):
    lines = [json.dumps(case, separators=(",", ":")) for case in cases]
    path = OUTPUT / f"{name}.json"
    path.write_text(json.dumps(head)[:-1] + ',"cases":[\n' + ",\n".join(lines) + "\n]}\n")
    print(name, len(lines), "cases,", path.stat().st_size, "bytes")


def inputs(count, seed=5):
    """Sources of 2 to 9 tokens and </s>."""
    state = seed
    for _ in range(count):
        ids = []
        state = (state * 1103515245 + 12345) % 2**31
        for _ in range(2 + state // 65536 % 8):
            state = (state * 1103515245 + 12345) % 2**31
            ids.append(2 + state // 65536 % 69)
        yield ids + [EOS]


def stable(cases, run, perturbed, sources, wanted):
    """Runs the cases on the first sources that give the same ids, perturbed or not, in every case."""
    cases = list(cases)
    found = {i: ([run(case, source) for case in cases]) for i, source in enumerate(sources)}
    again = {i: ([perturbed(case, source) for case in cases]) for i, source in enumerate(sources)}
    ids = lambda outputs: [[one for one, _ in nbest] for nbest in outputs]
    kept = [i for i in found if ids(found[i]) == ids(again[i])][:wanted]
    print("stable sources:", len(kept), "of", len(sources))
    assert len(kept) == wanted
    outputs = [dict(options=case, outputs=[found[i][at] for i in kept]) for at, case in enumerate(cases)]
    return [sources[i] for i in kept], outputs


# --- CTranslate2 ---


def make_checkpoint():
    """The checkpoint `marian` of test/fixtures/models, trained on to start from a zero embedding, as published ones do."""
    import torch
    from makeModelFixtures import train
    from transformers import GenerationConfig, MarianMTModel

    model = MarianMTModel.from_pretrained(ROOT / "test/fixtures/models/marian", dtype=torch.float32)
    shared = model.model.shared.weight
    with torch.no_grad():
        shared[PAD] = 0
        model.final_logits_bias[0, PAD] = 0
    fixed = torch.ones_like(shared)
    fixed[PAD] = 0
    shared.register_hook(lambda gradient: gradient * fixed)
    model = train(model, 0, [2, 3, 4, 5, 7, 9], PAD, 2, [], [EOS], steps=200)
    assert not shared[PAD].any()
    model.generation_config = GenerationConfig(
        bos_token_id=EOS, eos_token_id=EOS, pad_token_id=PAD, decoder_start_token_id=PAD, bad_words_ids=[[PAD]],
        forced_eos_token_id=EOS, renormalize_logits=True)
    model.save_pretrained(OUTPUT / "marian")
    return model


def perturb(model):
    import torch

    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1e-5 * torch.randn_like(parameter)
        model.model.shared.weight[PAD] = 0


def ctranslate2_cases():
    for beams, penalty in itertools.product([2, 4], [0.0, 0.6, 1.0, 2.0]):
        yield dict(numBeams=beams, numReturnSequences=beams, lengthPenalty=penalty, maxNewTokens=12)
    yield dict(numBeams=4, numReturnSequences=1, lengthPenalty=0.0, maxNewTokens=12)
    for patience in [0.5, 1.5, 3.0]:
        returned = max(1, min(4, round(4 * patience)))
        yield dict(numBeams=4, numReturnSequences=returned, patience=patience, maxNewTokens=12)
    extras = [dict(noRepeatNgramSize=1), dict(noRepeatNgramSize=2), dict(repetitionPenalty=1.5), dict(repetitionPenalty=0.7),
              dict(minNewTokens=0), dict(minNewTokens=6), dict(maxNewTokens=3), dict(maxNewTokens=1),
              dict(suppressTokens=[12, 30, 44]), dict(badWordsIds=[[51], [10, 56], [PAD]]),
              dict(repetitionPenalty=1.3, noRepeatNgramSize=2, minNewTokens=5, suppressTokens=[20]),
              dict(prompt=[11, 25]), dict(prompt=[40], lengthPenalty=0.0),
              dict(prompt=[33, 33, 12], repetitionPenalty=1.4, noRepeatNgramSize=2, minNewTokens=2)]
    for extra in extras:
        yield dict(numBeams=3, numReturnSequences=3, **{"maxNewTokens": 10, **extra})
    for extra in [dict(), dict(repetitionPenalty=1.5), dict(prompt=[25]), dict(lengthPenalty=0.3, minNewTokens=4)]:
        yield dict(maxNewTokens=10, **extra)


NAMES = dict(numBeams="beam_size", numReturnSequences="num_hypotheses", lengthPenalty="length_penalty",
             patience="patience", noRepeatNgramSize="no_repeat_ngram_size", repetitionPenalty="repetition_penalty")


def ctranslate2_translator(model, directory):
    import ctranslate2
    from ctranslate2.converters import TransformersConverter

    class Vocabulary:
        """What the converter asks of a tokenizer."""

        eos_token, unk_token = "t0", "t1"
        additional_special_tokens = []

        def get_vocab(self):
            return {f"t{i}": i for i in range(PAD)} | {"<pad>": PAD}

    class Converter(TransformersConverter):
        def load_tokenizer(self, tokenizer_class, path, **kwargs):
            return Vocabulary()

    model.save_pretrained(directory / "hf")
    Converter(str(directory / "hf")).convert(str(directory / "ct2"), force=True)
    return ctranslate2.Translator(str(directory / "ct2"), compute_type="float32", inter_threads=1)


def ctranslate2_runner(model, directory):
    translator = ctranslate2_translator(model, directory)

    def run(case, source):
        options = {NAMES[name]: value for name, value in case.items() if name in NAMES}
        prompt = case.get("prompt", [])
        longest = case["maxNewTokens"] + len(prompt)
        least = case["minNewTokens"] + len(prompt) if "minNewTokens" in case else 1
        banned = [ids for ids in case.get("badWordsIds", []) if ids != [PAD]]
        banned += [[token] for token in case.get("suppressTokens", [])]
        result = translator.translate_batch(
            [[f"t{i}" for i in source]], target_prefix=[[f"t{i}" for i in prompt]] if prompt else None,
            return_scores=True, max_decoding_length=longest, min_decoding_length=least,
            suppress_sequences=[[f"t{i}" for i in ids] for ids in banned] or None,
            **{"beam_size": 1, **options})[0]
        nbest = []
        for tokens, score in zip(result.hypotheses, result.scores):
            ids = [int(token[1:]) for token in tokens]
            # It leaves the end token out; what is shorter than the limit had one.
            nbest.append([ids + [EOS] * (len(ids) < longest), round(score, 6)])
        return nbest

    return run


def make_ctranslate2(scratch):
    import ctranslate2

    model = make_checkpoint()
    run = ctranslate2_runner(model, scratch / "exact")
    perturb(model)
    again = ctranslate2_runner(model, scratch / "perturbed")
    sources, cases = stable(ctranslate2_cases(), run, again, list(inputs(40)), 8)
    write("ctranslate2", dict(version=ctranslate2.__version__, inputs=sources), cases)


# --- Marian ---


def marian_cases():
    for beams, penalty in itertools.product([1, 2, 4, 6], [None, 0.6, 1.0]):
        extra = {} if penalty is None else dict(lengthPenalty=penalty)
        yield dict(numBeams=beams, numReturnSequences=beams, maxNewTokens=12, **extra)
    yield dict(numBeams=4, numReturnSequences=4, maxNewTokens=12, wordReward=0.4)
    yield dict(numBeams=4, numReturnSequences=4, maxNewTokens=4)
    yield dict(numBeams=4, numReturnSequences=4, maxNewTokens=1)
    yield dict(numBeams=3, numReturnSequences=3, maxNewTokens=10, lengthPenalty=0.8, prompt=[11, 25])
    yield dict(numBeams=2, numReturnSequences=2, maxNewTokens=10, prompt=[40])


def marian_weights():
    """
    Random weights by transformers' names. Marian's sines have other frequencies than transformers', which shows in small
    models: embeddings are so large beside them that they do not matter, but at the start, where both have position 0.
    """
    import numpy

    random = numpy.random.default_rng(2)
    normal = lambda scale, *shape: (scale * random.standard_normal(shape)).astype("float32")
    weights = {"final_logits_bias": normal(0.5, 1, PAD + 1), "lm_head.weight": normal(0.5, PAD + 1, 16)}
    weights["final_logits_bias"][0, EOS] += 5
    # Marian knows no padding token.
    weights["final_logits_bias"][0, PAD] = -1e4
    for side, blocks in [("encoder", ["self_attn"]), ("decoder", ["self_attn", "encoder_attn"])]:
        weights[f"model.{side}.embed_tokens.weight"] = normal(1e5, PAD + 1, 16)
        weights[f"model.{side}.embed_tokens.weight"][PAD] = 0
        for layer in range(2):
            prefix = f"model.{side}.layers.{layer}"
            norms = [f"{block}_layer_norm" for block in blocks] + ["final_layer_norm"]
            for name in [f"{block}.{product}" for block in blocks for product in ("q_proj", "k_proj", "v_proj", "out_proj")]:
                # The first self-attention reads embeddings.
                scale = 1e-5 if layer == 0 and name.startswith("self_attn") and not name.endswith("out_proj") else 0.4
                weights[f"{prefix}.{name}.weight"], weights[f"{prefix}.{name}.bias"] = normal(scale, 16, 16), normal(0.1, 16)
            for name, shape in [("fc1", (32, 16)), ("fc2", (16, 32))]:
                weights[f"{prefix}.{name}.weight"], weights[f"{prefix}.{name}.bias"] = normal(0.4, *shape), normal(0.1, shape[0])
            for name in norms:
                weights[f"{prefix}.{name}.weight"], weights[f"{prefix}.{name}.bias"] = 1 + normal(0.1, 16), normal(0.1, 16)
    return weights


def marian_parameters(weights):
    """A checkpoint of transformers under Marian's names, matrices transposed."""
    import numpy

    # Marian has no embedding of the padding token.
    parameters = {f"{side}_Wemb": weights[f"model.{side}.embed_tokens.weight"][:PAD] for side in ("encoder", "decoder")}
    parameters["decoder_ff_logit_out_W"] = weights["lm_head.weight"][:PAD]
    parameters["decoder_ff_logit_out_b"] = weights["final_logits_bias"][:, :PAD]
    products = {"q_proj": "q", "k_proj": "k", "v_proj": "v", "out_proj": "o"}
    blocks = {"self_attn": "self", "encoder_attn": "context"}
    for name, value in weights.items():
        parts = name.split(".")
        if parts[0] != "model" or parts[2] != "layers":
            continue
        prefix = f"{parts[1]}_l{int(parts[3]) + 1}"
        layer, kind = parts[4], parts[-1]
        if layer in blocks:
            parameters[f"{prefix}_{blocks[layer]}_{'W' if kind == 'weight' else 'b'}{products[parts[5]]}"] = value
        elif layer in ("fc1", "fc2"):
            parameters[f"{prefix}_ffn_{'W' if kind == 'weight' else 'b'}{layer[-1]}"] = value
        else:
            block = "ffn_ffn" if layer == "final_layer_norm" else f"{blocks[layer[: -len('_layer_norm')]]}_Wo"
            parameters[f"{prefix}_{block}_ln_{'scale' if kind == 'weight' else 'bias'}"] = value
    matrix = lambda name: name.rsplit("_", 1)[-1].startswith("W") and not name.endswith("Wemb")
    return {name: numpy.ascontiguousarray(value.T if matrix(name) else numpy.atleast_2d(value))
            for name, value in parameters.items()}


MARIAN = """\
type: transformer
dim-vocabs: [71, 71]
dim-emb: 16
enc-depth: 2
dec-depth: 2
transformer-heads: 4
transformer-dim-ffn: 32
transformer-ffn-depth: 2
transformer-ffn-activation: swish
transformer-decoder-autoreg: self-attention
transformer-preprocess: ""
transformer-postprocess: dan
transformer-postprocess-emb: d
tied-embeddings-all: false
tied-embeddings-src: false
tied-embeddings: false
skip: false
layer-normalization: false
right-left: false
lemma-dim-emb: 0
version: v1.12.0
"""


def marian_runner(weights, directory):
    import numpy
    import pymarian

    directory.mkdir()
    model = str(directory / "model.npz")
    config = numpy.frombuffer(MARIAN.encode() + b"\0", dtype=numpy.int8)
    numpy.savez(model, **{"special:model.yml": config, **marian_parameters(weights)})
    vocabulary = directory / "vocab.yml"
    names = ["</s>", "<unk>"] + [f"t{i}" for i in range(2, PAD)]
    vocabulary.write_text("".join(f'"{name}": {i}\n' for i, name in enumerate(names)))
    translators = {}

    def run(case, source):
        prompt = case.get("prompt", [])
        longest = case["maxNewTokens"] + len(prompt)
        options = dict(models=model, vocabs=[str(vocabulary)] * 2, beam_size=case["numBeams"], n_best=True, quiet=True,
                       cpu_threads=1, max_length_factor=(longest - 0.5) / len(source), normalize=case.get("lengthPenalty", 0.0),
                       word_penalty=-case.get("wordReward", 0.0))
        key = json.dumps(options)
        if key not in translators:
            translators[key] = pymarian.Translator(**options)
        text, settings = " ".join(f"t{i}" for i in source[:-1]), {}
        if prompt:
            text += "\t" + " ".join(f"t{i}" for i in prompt)
            settings = dict(force_decode="true", tsv="true", tsv_fields="2")
        nbest = []
        for line in "\n".join(translators[key].translate([text], **settings)).split("\n"):
            _, words, _, score = line.split("|||")
            ids = [int(word[1:]) for word in words.split()]
            nbest.append([ids + [EOS] * (len(ids) < longest), float(score)])
        return nbest

    return run


def make_marian(scratch):
    import numpy
    import pymarian
    from safetensors.numpy import save_file

    weights = marian_weights()
    directory = OUTPUT / "marian-sines"
    directory.mkdir(exist_ok=True)
    save_file(weights, directory / "model.safetensors", metadata=dict(format="pt"))
    config = json.loads((ROOT / "test/fixtures/models/marian/config.json").read_text())
    changes = dict(share_encoder_decoder_embeddings=False, tie_word_embeddings=False)
    (directory / "config.json").write_text(json.dumps(config | changes, indent=2) + "\n")
    generation = (ROOT / "test/fixtures/models/marian/generation_config.json").read_text()
    (directory / "generation_config.json").write_text(generation)
    random = numpy.random.default_rng(1)
    noisy = {name: value + (1e-5 * random.standard_normal(value.shape)).astype("float32") for name, value in weights.items()}
    run = marian_runner(weights, scratch / "exact")
    again = marian_runner(noisy, scratch / "perturbed")
    sources, cases = stable(marian_cases(), run, again, list(inputs(16)), 8)
    # It never writes an unknown word.
    cases = [case | dict(options=case["options"] | dict(suppressTokens=[UNK])) for case in cases]
    write("marian", dict(version=pymarian.__version__, inputs=sources), cases)


# --- searches over the hash function ---

HASH = dict(vocab_size=16, ends=[1], end_bias=1.5, seed=7)
HASH_INPUTS = [[i + 2, i % 5 + 3, i % 7 + 2] for i in range(12)]


def hash_rows(source, history, noise=0.0):
    """Logits [rows, vocab_size] after each row of `history`."""
    import torch
    from hashLogits import hash_ids, hash_logits

    seed = hash_ids(torch.tensor([source]), torch.tensor([HASH["seed"]])).expand(len(history))
    logits = hash_logits(seed, history, **HASH)
    return logits + noise * torch.sin(1000 * logits)


# --- fairseq ---


def fairseq_cases():
    for beams, penalty in itertools.product([1, 2, 4, 6], [0.0, 0.6, 1.0, 2.0]):
        yield dict(numBeams=beams, numReturnSequences=beams, lengthPenalty=penalty, maxNewTokens=12)
    extras = [dict(maxNewTokens=3), dict(maxNewTokens=2), dict(minNewTokens=0), dict(minNewTokens=5), dict(noRepeatNgramSize=2),
              dict(noRepeatNgramSize=3, maxNewTokens=20), dict(suppressTokens=[4, 9]), dict(prompt=[5]),
              dict(prompt=[9, 3, 3], noRepeatNgramSize=2), dict(prompt=[12, 4], minNewTokens=3, maxNewTokens=4)]
    for beams, extra in itertools.product([2, 5], extras):
        yield dict(numBeams=beams, numReturnSequences=beams, **{"maxNewTokens": 9, **extra})


def fairseq_runner(noise):
    import torch
    from fairseq.sequence_generator import EnsembleModel, SequenceGenerator

    class Dictionary:
        """0 pads and starts, 1 ends, 2 is the unknown word."""

        pad, eos, unk = (lambda self: 0), (lambda self: 1), (lambda self: 2)

        def __len__(self):
            return HASH["vocab_size"]

        def index(self, token):
            return int(token)

    class Scripted(EnsembleModel):
        def __init__(self):
            torch.nn.Module.__init__(self)
            self.models_size, self.has_incremental = 1, False

        def set_decoder_beam_size(self, size):
            pass

        def max_decoder_positions(self):
            return 1000

        def forward_encoder(self, net_input):
            return net_input["src_tokens"][0].tolist()

        def forward_decoder(self, tokens, source, states, temperature=1.0):
            return hash_rows(source, tokens, noise).log_softmax(-1), None

        def reorder_encoder_out(self, source, order):
            return source

        def reorder_incremental_state(self, states, order):
            pass

    def run(case, source):
        prompt = case.get("prompt", [])
        generator = SequenceGenerator(
            Scripted(), Dictionary(), beam_size=case["numBeams"], max_len_b=case["maxNewTokens"] + len(prompt) - 1,
            min_len=case["minNewTokens"] + len(prompt) if "minNewTokens" in case else 1,
            len_penalty=case.get("lengthPenalty", 1.0), no_repeat_ngram_size=case.get("noRepeatNgramSize", 0),
            tokens_to_suppress=[str(token) for token in case.get("suppressTokens", [])])
        blocker = generator.repeat_ngram_blocker
        if blocker is not None:
            # Without a GPU 0.12.2 compares the padding behind the tokens so far; its GPU kernel looks at those alone.
            cut = lambda tokens, lprobs, batch, beams, step: type(blocker).forward(
                blocker, tokens[:, : step + 1], lprobs, batch, beams, step)
            object.__setattr__(generator, "repeat_ngram_blocker", None)
            generator._modules.pop("repeat_ngram_blocker")
            object.__setattr__(generator, "repeat_ngram_blocker", cut)
        sample = dict(net_input=dict(src_tokens=torch.tensor([source]), src_lengths=torch.tensor([len(source)])))
        prefix = torch.tensor([prompt]) if prompt else None
        found = generator.generate([], sample, prefix_tokens=prefix, bos_token=0)[0]
        return [[one["tokens"].tolist(), round(one["score"].item(), 6)] for one in found]

    return run


def make_fairseq(scratch):
    import fairseq

    sources, cases = stable(fairseq_cases(), fairseq_runner(0), fairseq_runner(1e-5), HASH_INPUTS, 8)
    # It never chooses padding.
    cases = [case | dict(options=case["options"] | dict(badWordsIds=[[0]])) for case in cases]
    write("fairseq", dict(version=fairseq.__version__, inputs=sources), cases)


# --- UniLM ---


def unilm_cases():
    for beams, penalty in itertools.product([2, 3, 5], [None, 0.6, 1.0, 2.0]):
        extra = {} if penalty is None else dict(lengthPenalty=penalty)
        yield dict(numBeams=beams, numReturnSequences=beams, maxNewTokens=12, **extra)
    extras = [dict(maxNewTokens=3), dict(maxNewTokens=1), dict(minNewTokens=0), dict(minNewTokens=5),
              dict(noRepeatNgramSize=2), dict(noRepeatNgramSize=3, maxNewTokens=20),
              dict(noRepeatNgramSize=2, noRepeatNgramIgnore=[4, 9, 12]), dict(wordReward=0.3), dict(wordReward=-0.4)]
    for beams, extra in itertools.product([2, 4], extras):
        yield dict(numBeams=beams, numReturnSequences=beams, **{"maxNewTokens": 9, **extra})


def unilm_runner(decoder, choose, noise):
    import math
    import types

    import torch

    mask = 15
    # Forbidden words are marked by a tensor on the GPU.
    torch.Tensor.cuda = lambda self: self

    def frames_of(case, source):
        """Runs the decoder, in a model whose embeddings are ids and whose last layer is the logits."""
        begun = [*source, 0]

        def bert(ids, types_, positions, attention, prev_embedding=None, **_):
            known = ids[:, :-1] if prev_embedding is None else torch.cat([prev_embedding[..., 0].long(), ids[:, :-1]], 1)
            logits = hash_rows(source, known[:, len(source):], noise)
            layer = torch.zeros(*ids.shape, logits.shape[-1])
            layer[:, -1] = logits
            return ids[..., None].float(), [layer], None

        bert.rel_pos_bias = None
        model = types.SimpleNamespace(
            search_beam_size=case["numBeams"], pos_shift=False, bert=bert, cls=lambda hidden, *_, **__: (hidden, None),
            mask_word_id=mask, eos_id=1, min_len=case.get("minNewTokens", 1), ngram_size=case.get("noRepeatNgramSize", 3),
            forbid_duplicate_ngrams="noRepeatNgramSize" in case, length_penalty=case.get("lengthPenalty", 0.0),
            forbid_ignore_set=set(case.get("noRepeatNgramIgnore", [])) or None, div_func=decoder.get_div_func())
        length = len(begun) + case["maxNewTokens"]
        grid = torch.zeros(1, length, dtype=torch.long)
        with torch.no_grad():
            traces = decoder.BertForSeq2SeqDecoder.beam_search(
                model, torch.tensor([begun]), grid, grid, torch.ones(1, length, length))
        cut = {name: traces[name][0].tolist()[: case["maxNewTokens"]] for name in ("scores", "wids", "ptrs")}
        return cut, traces["pred_seq"][0].tolist()

    def run(case, source):
        traces, best = frames_of(case, source)
        reward = case.get("wordReward", 0.0)
        if reward:
            best = choose(traces, 1, -1, length_penalty=reward)
        penalty = case.get("lengthPenalty", 0.0)
        # Its search chooses one; the others are what it has finished, by the same score.
        nbest = []
        frames = traces["wids"]
        last = next((i for i, ids in enumerate(frames) if all(token == 1 for token in ids)), len(frames) - 1)
        for frame, place in itertools.product(range(last + 1), range(case["numBeams"])):
            if frames[frame][place] != 1 and frame != last:
                continue
            total, ids, at = traces["scores"][frame][place], [], place
            for back in range(frame, -1, -1):
                ids.insert(0, frames[back][at])
                at = traces["ptrs"][back][at]
            if total > -5000:
                nbest.append([ids, total / math.pow((5 + len(ids)) / 6, penalty) + reward * len(ids)])
        nbest.sort(key=lambda one: -one[1])
        assert best[: len(nbest[0][0])] == nbest[0][0] and not any(best[len(nbest[0][0]):]), (best, nbest)
        return [[ids, round(score, 6)] for ids, score in nbest[: case["numBeams"]]]

    return run


def make_unilm(scratch, checkout):
    import types

    # What is imported beside the decoder is not needed for a search.
    sys.modules["pytorch_pretrained_bert"] = types.ModuleType("pytorch_pretrained_bert")
    sys.modules["pytorch_pretrained_bert.tokenization"] = types.SimpleNamespace(BertTokenizer=None)
    sys.modules["tqdm"] = sys.modules.get("tqdm") or types.SimpleNamespace(tqdm=None)
    try:
        importlib.import_module("transformers.file_utils").cached_path
    except (ImportError, AttributeError):
        sys.modules["transformers.file_utils"] = types.SimpleNamespace(cached_path=None)
    sys.path[:0] = [f"{checkout}/s2s-ft", f"{checkout}/unilm-v1/src/biunilm"]
    decoder = importlib.import_module("s2s_ft.modeling_decoding")
    choose = importlib.import_module("gen_seq_from_trace").get_best_sequence
    run, again = (unilm_runner(decoder, choose, noise) for noise in (0, 1e-5))
    sources, cases = stable(unilm_cases(), run, again, HASH_INPUTS, 8)
    write("unilm", dict(version="microsoft/unilm 768a3c8", inputs=sources), cases)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        globals()[f"make_{sys.argv[1]}"](pathlib.Path(directory), *sys.argv[2:])
