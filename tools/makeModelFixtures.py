"""Makes the tiny random checkpoints under test/fixtures/models and what transformers computes with them.

    python tools/makeModelFixtures.py [NAME ...]

Each directory is what transformers' save_pretrained writes, and expected.json beside it: a padded batch, hidden
states and logits, and generated ids. Weights are drawn large (std 0.25 to 0.4). Models that generate are then trained
for seconds to copy words with noise, since purely random ones repeat one token for ever. A batch is accepted only
where every option set gives the same sequences in float64 and with weights perturbed by 1e-5: a correct
implementation can then be compared token for token.
"""

import copy
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertGenerationConfig,
    BertGenerationDecoder,
    BertGenerationEncoder,
    BertModel,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    MBartConfig,
    MBartForConditionalGeneration,
    MT5Config,
    MT5ForConditionalGeneration,
    PegasusConfig,
    PegasusForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

ROOT = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "models"
BATCHES = 400
DROPOUT_SEED = 67280421310721  # what torch starts with
# One row per generate call. Every row also gets max_new_tokens 16 where it names none.
CASES = {
    "greedy": {},
    "greedy-min-new-tokens": {"min_new_tokens": 9},
    "greedy-no-repeat-2": {"no_repeat_ngram_size": 2},
    "greedy-repetition-penalty": {"repetition_penalty": 1.3},
    "beam": {"num_beams": 4},
    "beam-short": {"num_beams": 4, "max_new_tokens": 5},
    "beam-length-penalty-0.6": {"num_beams": 4, "length_penalty": 0.6},
    "beam-length-penalty-2": {"num_beams": 4, "length_penalty": 2.0},
    "beam-length-penalty-0": {"num_beams": 4, "length_penalty": 0.0},
    "beam-length-penalty-negative": {"num_beams": 4, "length_penalty": -1.0},
    "beam-early-stopping": {"num_beams": 4, "early_stopping": True},
    "beam-early-stopping-never": {"num_beams": 4, "early_stopping": "never", "length_penalty": 2.0},
    "beam-return-3": {"num_beams": 4, "num_return_sequences": 3, "max_new_tokens": 12},
    "beam-no-repeat-2": {"num_beams": 4, "no_repeat_ngram_size": 2, "max_new_tokens": 20},
    "beam-repetition-penalty": {"num_beams": 4, "repetition_penalty": 1.3},
    "beam-min-new-tokens": {"num_beams": 4, "min_new_tokens": 8},
    "beam-everything": {
        "num_beams": 4,
        "num_return_sequences": 3,
        "length_penalty": 0.6,
        "early_stopping": True,
        "no_repeat_ngram_size": 2,
        "repetition_penalty": 1.3,
        "min_new_tokens": 4,
        "max_new_tokens": 14,
    },
    "beam-2": {"num_beams": 2},
}

# What generation_config.json of the OPUS-MT checkpoints asks for (forbidding the padding token;
# COMMON stands for tokens that greedy search chooses).
OPUS_CASES = {
    "opus-forced-eos": {"num_beams": 4, "forced_eos_token_id": 0, "max_new_tokens": 5},
    "opus-greedy": {"bad_words_ids": "COMMON", "forced_eos_token_id": 0, "max_new_tokens": 6},
    "opus-beam": {
        "num_beams": 4,
        "bad_words_ids": "COMMON",
        "forced_eos_token_id": 0,
        "renormalize_logits": True,
        "max_new_tokens": 8,
    },
}


def numbers(tensor):
    """Nested lists whose floats print as the shortest decimals that give the same float32."""
    array = tensor.detach().numpy()
    if array.dtype.kind != "f":
        return array.tolist()
    return np.vectorize(lambda x: float(str(np.float32(x))), otypes=[object])(array).tolist()


def randomize(model, seed, std, output_bias=None):
    """Draws every parameter anew, and the bias of the logits where the model has one."""
    generator = torch.Generator().manual_seed(seed)
    normal = lambda shape, scale: torch.randn(shape, generator=generator) * scale
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue  # sinusoidal positions
            if "norm" in name.lower():
                parameter.copy_(normal(parameter.shape, 0.1) + (1.0 if name.endswith("weight") else 0.0))
            elif parameter.dim() == 1:
                parameter.copy_(normal(parameter.shape, 0.1))
            else:
                parameter.copy_(normal(parameter.shape, std))
        if output_bias is not None:
            output_bias.copy_(normal(output_bias.shape, 0.5))


def copied(rng, words, vocab, first):
    words = [w if rng.random() > 0.2 else (w + int(rng.integers(1, 4))) % vocab for w in words]
    words = [max(w, first) for w in words for _ in range(1 + int(rng.random() < 0.3))]
    return words + words[: int(rng.integers(10))] if rng.random() < 0.6 else words


def train(model, seed, lengths, vocab, first, prefix, end, steps=1500, batch=32, longest=24, begin=(), target=None):
    """Adam on `copy the source`, words replaced, words repeated and beginnings said twice at random; then `begin`
    comes before the words. Or on `target(rng, words of the source)`."""
    rng = np.random.default_rng(seed)
    config = model.config
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.01 * min(1, (step + 1) / 50)
        inputs = source(int(rng.integers(1 << 30)), rng.choice(lengths, size=batch), vocab, first, 0, prefix, end)
        labels = np.full((batch, longest), -100, dtype=np.int64)
        for row, ids in enumerate(inputs["input_ids"].tolist()):
            words = [i for i in ids if i >= first]
            words = target(rng, words) if target else copied(rng, words, vocab, first)
            words = ([*begin] + words + end)[:longest]
            labels[row, : len(words)] = words
        labels = torch.from_numpy(labels)
        start = torch.full((batch, 1), config.decoder_start_token_id)
        logits = model(**inputs, decoder_input_ids=torch.cat([start, labels[:, :-1].clamp(min=0)], dim=1)).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.requires_grad_(False).eval()


def source(seed, lengths, vocab, first, pad, prefix, end):
    """A batch padded on the right: `prefix`, random ids from `first`, `end`."""
    rng = np.random.default_rng(seed)
    ids = np.full((len(lengths), max(lengths)), pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, length in enumerate(lengths):
        words = rng.integers(first, vocab, size=length - len(prefix) - len(end)).tolist()
        ids[row, :length] = [*prefix, *words, *end]
        mask[row, :length] = 1
    return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}


def run_case(model, inputs, options, common):
    options = {k: common if v == "COMMON" else v for k, v in options.items()}
    options = {"max_new_tokens": 16, **options}
    out = model.generate(**inputs, **options, do_sample=False, return_dict_in_generate=True, output_scores=True)
    result = {"options": options, "sequences": out.sequences}
    if options.get("num_beams", 1) > 1:
        result["sequences_scores"] = out.sequences_scores
    else:
        # Sum over each sequence of the log-probabilities of its tokens after processors, end token included.
        generated = out.sequences[:, -len(out.scores) :]
        log_probabilities = torch.stack(out.scores, dim=1).log_softmax(-1)
        transition = log_probabilities.gather(2, generated[:, :, None])[:, :, 0]
        before_end = (generated == model.generation_config.eos_token_id).int().cumsum(1)
        counted = (before_end - (generated == model.generation_config.eos_token_id).int()) == 0
        result["sum_log_probabilities"] = torch.where(counted, transition, 0.0).sum(1)
    return result


def generate_all(model, inputs, cases):
    greedy = run_case(model, inputs, {}, None)["sequences"].tolist()
    common = sorted({row[2] for row in greedy} - {model.generation_config.eos_token_id})[:3]
    common = [[token] for token in common]
    return {name: run_case(model, inputs, options, common) for name, options in cases.items()}


def same(a, b, tolerance=None):
    for name in a:
        if a[name]["sequences"].tolist() != b[name]["sequences"].tolist():
            return False
        key = "sequences_scores" if "sequences_scores" in a[name] else "sum_log_probabilities"
        if tolerance is not None and (a[name][key].double() - b[name][key].double()).abs().max() > tolerance:
            return False
    return True


def robust(model, inputs, cases, results):
    """Whether float64 and slightly perturbed weights give the same sequences."""
    double = copy.deepcopy(model).double()
    if not same(results, generate_all(double, inputs, cases), 2e-5):
        return False
    for seed in range(4):
        noisy = copy.deepcopy(model)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in noisy.parameters():
                parameter.mul_(1 + 1e-5 * torch.randn(parameter.shape, generator=generator))
        if not same(results, generate_all(noisy, inputs, cases)):
            return False
    return True


def ends_vary(model, results):
    """Whether searches end at several lengths, one of them by the limit, after varied tokens."""
    eos = model.generation_config.eos_token_id
    ends = {
        name: [row.index(eos, 1) if eos in row[1:] else None for row in result["sequences"].tolist()]
        for name, result in results.items()
    }
    varied = sorted(len(set(row)) for row in results["greedy"]["sequences"].tolist())
    return (
        all(len(set(found)) >= 3 for found in ends.values())
        and None in ends["greedy"] + ends["beam"]
        and varied[len(varied) // 2] >= 5
        and results["greedy"]["sequences"].tolist() != results["beam"]["sequences"].tolist()
    )


def options_matter(results):
    """Whether nearly every option set gives its own output."""
    distinct = lambda kind: len({json.dumps(r["sequences"].tolist()) for n, r in results.items() if kind in n})
    count = lambda kind: sum(kind in n for n in results)
    print(f"  {distinct('greedy')}/{count('greedy')} {distinct('beam')}/{count('beam')}", file=sys.stderr)
    return distinct("greedy") >= count("greedy") and distinct("beam") >= count("beam") - 3


def choose(model, inputs_of, cases):
    """The first batch whose outputs are varied and robust."""
    for seed in range(BATCHES):
        inputs = inputs_of(seed)
        quick = {name: cases[name] for name in ("greedy", "beam")}
        if not ends_vary(model, generate_all(model, inputs, quick)):
            continue
        results = generate_all(model, inputs, cases)
        if options_matter(results) and robust(model, inputs, cases, results):
            return seed, inputs, results
    raise SystemExit(f"none of {BATCHES} batches gives varied and robust outputs; change the training")


def write(name, model, inputs, forward, results, **save_options):
    directory = ROOT / name
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory, **save_options)
    expected = {
        "transformers": transformers.__version__,
        "inputs": {k: numbers(v) for k, v in inputs.items()},
        "forward": {k: numbers(v) for k, v in forward.items()},
        "generate": [
            {
                "name": case,
                **{k: numbers(v) if torch.is_tensor(v) else v for k, v in result.items()},
            }
            for case, result in results.items()
        ],
    }
    text = json.dumps(expected, separators=(",", ":")).replace('{"name"', '\n{"name"')
    (directory / "expected.json").write_text(text + "\n")
    size = sum(file.stat().st_size for file in directory.iterdir())
    print(f"{name}: {size / 1000:.0f} kB, {sum(p.numel() for p in model.parameters())} parameters")
    assert size < 150_000, f"{name} is too large to commit"


def seq2seq_forward(model, inputs, decoder_start, vocab, seed, length=6):
    """Teacher-forced logits for random decoder inputs."""
    rng = np.random.default_rng(seed + 1)
    batch = inputs["input_ids"].shape[0]
    ids = torch.from_numpy(rng.integers(4, vocab - 1, size=(batch, length)))
    ids[:, 0] = decoder_start
    with torch.no_grad():
        out = model(**inputs, decoder_input_ids=ids)
    return ids, {"encoder_last_hidden_state": out.encoder_last_hidden_state, "logits": out.logits}


def finish_seq2seq(name, model, inputs_of, cases, decoder_start, vocab):
    seed, inputs, results = choose(model, inputs_of, cases)
    ids, forward = seq2seq_forward(model, inputs, decoder_start, vocab, seed)
    print(f"{name}: batch {seed}")
    write(name, model, {**inputs, "decoder_input_ids": ids}, forward, results)
    return {**inputs, "decoder_input_ids": ids}, forward, results


# --- Marian ---------------------------------------------------------------------------------------------------------


def marian_config(**changes):
    return MarianConfig(
        **{
            "vocab_size": 72,
            "d_model": 16,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "activation_function": "swish",
            "scale_embedding": True,
            "static_position_embeddings": True,
            "normalize_before": False,
            "normalize_embedding": False,
            "max_position_embeddings": 48,
            "pad_token_id": 71,
            "decoder_start_token_id": 71,
            "eos_token_id": 0,
            "bos_token_id": 0,
            "forced_eos_token_id": None,
            **changes,
        }
    )


def trained_marian(config, words):
    """Words are ids 2 to `words` - 1; 0 ends, the last id pads and starts."""
    torch.manual_seed(DROPOUT_SEED)
    model = MarianMTModel(config)
    randomize(model, 0, 0.25, model.final_logits_bias)
    model.generation_config = GenerationConfig(
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=config.pad_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
    )
    return train(model, 0, [2, 3, 4, 5, 7, 9], words, 2, [], [0])


def make_marian():
    model = trained_marian(marian_config(), 71)
    inputs_of = lambda seed: source(seed, [7, 4, 9, 1], 71, 2, 71, [], [0])
    inputs, forward, results = finish_seq2seq("marian", model, inputs_of, {**CASES, **OPUS_CASES}, 71, 71)
    cases = {name: results[name] for name in ("greedy", "beam")}
    write("marian-sharded", model, inputs, forward, cases, max_shard_size="20KB")
    # Older transformers saved like this: torch.save of the state dict, tied tensors sharing one storage.
    write("marian-bin", model, inputs, forward, cases)
    directory = ROOT / "marian-bin"
    (directory / "model.safetensors").unlink()
    torch.save(model.state_dict(), directory / "pytorch_model.bin")


def make_marian_unshared():
    config = marian_config(
        vocab_size=60,
        decoder_vocab_size=66,
        share_encoder_decoder_embeddings=False,
        activation_function="relu",
        scale_embedding=False,
        d_model=24,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        encoder_ffn_dim=40,
        decoder_ffn_dim=48,
        pad_token_id=59,
        decoder_start_token_id=59,
        forced_eos_token_id=0,
    )
    model = trained_marian(config, 59)
    inputs_of = lambda seed: source(seed, [5, 8, 2, 9], 59, 2, 59, [], [0])
    finish_seq2seq("marian-relu-unshared", model, inputs_of, {**CASES, **OPUS_CASES}, 59, 59)


def make_marian_untied():
    """What transformers 5 saves where embeddings are shared by name but tie_word_embeddings is false: four tables."""
    config = marian_config(
        vocab_size=40,
        pad_token_id=39,
        decoder_start_token_id=39,
        tie_word_embeddings=False,
        encoder_layers=1,
        decoder_layers=1,
        activation_function="gelu",
    )
    cases = {name: CASES[name] for name in ("greedy", "beam")}
    model = trained_marian(config, 39)
    inputs_of = lambda seed: source(seed, [5, 3, 7, 2], 39, 2, 39, [], [0])
    finish_seq2seq("marian-untied", model, inputs_of, cases, 39, 39)


# --- BERT -----------------------------------------------------------------------------------------------------------


def bert_config(kind=BertConfig, **changes):
    sizes = {
        "vocab_size": 64,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 32,
        "max_position_embeddings": 40,
        "pad_token_id": 0,
        "bos_token_id": 2,
        "eos_token_id": 3,
    }
    return kind(**{**sizes, **changes})


def make_bert():
    config = bert_config(num_attention_heads=2, layer_norm_eps=1e-6)
    model = BertModel(config).eval()
    randomize(model, 0, 0.4)
    inputs = source(0, [6, 3, 9], 64, 4, 0, [2], [3])
    kinds = torch.zeros_like(inputs["input_ids"])
    kinds[0, 3:6] = 1
    kinds[2, 5:9] = 1
    with torch.no_grad():
        plain = model(**inputs)
        out = model(**inputs, token_type_ids=kinds)
    forward = {
        "last_hidden_state": out.last_hidden_state,
        "pooler_output": out.pooler_output,
        "last_hidden_state_without_token_type_ids": plain.last_hidden_state,
    }
    write("bert", model, {**inputs, "token_type_ids": kinds}, forward, {})


def make_bert_generation():
    config = bert_config(BertGenerationConfig)
    encoder = BertGenerationEncoder(config).eval()
    randomize(encoder, 1, 0.4)
    inputs = source(1, [6, 3, 9], 64, 4, 0, [2], [3])
    with torch.no_grad():
        forward = {"last_hidden_state": encoder(**inputs).last_hidden_state}
    write("bert-generation-encoder", encoder, inputs, forward, {})

    decoder = BertGenerationDecoder(bert_config(BertGenerationConfig, is_decoder=True)).eval()
    randomize(decoder, 2, 0.4, decoder.lm_head.bias)
    with torch.no_grad():
        forward = {"logits": decoder(**inputs).logits}
    write("bert-generation-decoder", decoder, inputs, forward, {})


# --- Encoder and decoder --------------------------------------------------------------------------------------------


def trained_pair(encoder_config, decoder_config):
    """Words are ids 4 to 59; 0 pads, 2 starts, 3 ends."""
    config = EncoderDecoderConfig.from_encoder_decoder_configs(encoder_config, decoder_config)
    config.decoder_start_token_id = 2
    config.pad_token_id = 0
    model = EncoderDecoderModel(config=config).eval()
    bert = isinstance(decoder_config, BertConfig)
    randomize(model, 0, 0.25, model.decoder.cls.predictions.bias if bert else model.decoder.lm_head.bias)
    model.generation_config = GenerationConfig(
        bos_token_id=2, eos_token_id=3, pad_token_id=0, decoder_start_token_id=2
    )
    return train(model, 0, [2, 4, 5, 6, 8, 9], 60, 4, [2], [3], steps=500)


def make_encoder_decoder():
    kind = BertGenerationConfig
    # Different widths: transformers adds enc_to_dec_proj.
    wide = bert_config(hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20)
    narrow = bert_config(kind, vocab_size=70, num_hidden_layers=2, hidden_act="relu")
    pairs = {
        "encoder-decoder": (bert_config(), bert_config()),
        "encoder-decoder-bert-generation": (bert_config(kind), bert_config(kind)),
        "encoder-decoder-projected": (wide, narrow),
    }
    inputs_of = lambda seed: source(seed, [6, 3, 9, 2], 60, 4, 0, [2], [3])
    for name, (encoder, decoder) in pairs.items():
        finish_seq2seq(name, trained_pair(encoder, decoder), inputs_of, CASES, 2, 60)


# --- BART and its kin -----------------------------------------------------------------------------------------------

# Fewer than CASES: the search is the same, the decoder is not.
FEW = ("greedy", "greedy-no-repeat-2", "beam", "beam-return-3", "beam-length-penalty-2")
# Into the other language.
TRANSLATE = {"translate": {"num_beams": 4, "forced_bos_token_id": 4}}


def small_transformer(kind, **changes):
    """Words are ids from 6; 0 starts a text, 1 pads, 2 ends it and starts decoding, 4 and 5 are languages."""
    return kind(
        **{
            "vocab_size": 60,
            "d_model": 16,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "max_position_embeddings": 40,
            "decoder_start_token_id": 2,
            "forced_eos_token_id": None,
            **changes,
        }
    )


def make_transformer(name, model_class, config, prefix, begin, **generation):
    torch.manual_seed(DROPOUT_SEED)
    model = model_class(config)
    bias = getattr(model, "final_logits_bias", None)
    randomize(model, 0, 0.25, bias)
    end, pad, start = config.eos_token_id, config.pad_token_id, config.decoder_start_token_id
    model.generation_config = GenerationConfig(
        bos_token_id=getattr(config, "bos_token_id", None),
        eos_token_id=end,
        pad_token_id=pad,
        decoder_start_token_id=start,
        **generation,
    )
    lengths = [length + len(prefix) for length in (2, 3, 4, 5, 7, 9)]
    train(model, 0, lengths, 60, 6, prefix, [end], begin=begin, steps=1000)
    inputs_of = lambda seed: source(seed, [5, 8, 3, 10], 60, 6, pad, prefix, [end])
    cases = {case: CASES[case] for case in FEW}
    if begin == [5]:
        cases.update(TRANSLATE)
    finish_seq2seq(name, model, inputs_of, cases, start, 60)


def make_bart():
    # Post-norm, learned positions from row 2, a norm after embeddings; the first token is forced.
    config = small_transformer(BartConfig)
    make_transformer("bart", BartForConditionalGeneration, config, [0], [0], forced_bos_token_id=0)


def make_mbart():
    # Pre-norm with final norms, scaled embeddings; languages before the text, and forced as the first token.
    config = small_transformer(MBartConfig, scale_embedding=True, activation_function="relu")
    make_transformer("mbart", MBartForConditionalGeneration, config, [4], [5], forced_bos_token_id=5)


def make_m2m100():
    # tensor2tensor's sines, where padding takes no position; no bias of the logits.
    config = small_transformer(M2M100Config)
    make_transformer("m2m100", M2M100ForConditionalGeneration, config, [4], [5], forced_bos_token_id=5)


def make_pegasus():
    # Marian's sines, pre-norm; padding starts decoding.
    config = small_transformer(
        PegasusConfig,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        scale_embedding=True,
        activation_function="relu",
    )
    make_transformer("pegasus", PegasusForConditionalGeneration, config, [], [])


# --- T5 -------------------------------------------------------------------------------------------------------------


def small_t5(kind, **changes):
    """Words are ids from 6; 0 pads and starts decoding, 1 ends a text. Few buckets, so that distances share them."""
    return kind(
        **{
            "vocab_size": 40,
            "d_model": 16,
            "d_kv": 6,
            "d_ff": 24,
            "num_layers": 2,
            "num_decoder_layers": 2,
            "num_heads": 4,
            "relative_attention_num_buckets": 10,
            "relative_attention_max_distance": 12,
            "decoder_start_token_id": 0,
            **changes,
        }
    )


def counted(rng, words):
    """From the first word on in steps of 1 to 3: tiny models with relative positions do not learn to copy."""
    word = words[0]
    result = []
    for _ in range(len(words) + int(rng.integers(12))):
        result.append(word)
        word = 6 + (word - 6 + int(rng.integers(1, 4))) % 34
    return result


def make_t5_family(name, model_class, config, own_output=False):
    torch.manual_seed(DROPOUT_SEED)
    model = model_class(config)
    if own_output:
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.shared.weight))
    randomize(model, 0, 0.25)
    model.generation_config = GenerationConfig(eos_token_id=1, pad_token_id=0, decoder_start_token_id=0)
    train(model, 0, [2, 3, 4, 5, 7, 9], 40, 6, [], [1], steps=800, target=counted)
    inputs_of = lambda seed: source(seed, [5, 8, 3, 12], 40, 6, 0, [], [1])
    # Longer outputs than the largest distance.
    names = ("greedy", "greedy-repetition-penalty", "beam", "beam-return-3", "beam-length-penalty-2")
    cases = {case: {**CASES[case], "max_new_tokens": 18} for case in names}
    finish_seq2seq(name, model, inputs_of, cases, 0, 40)
    if own_output:
        # As the published checkpoints say it; transformers 5 reads and writes other words.
        path = ROOT / name / "config.json"
        saved = json.loads(path.read_text())
        saved.pop("scale_decoder_outputs", None)
        saved["tie_word_embeddings"] = False
        path.write_text(json.dumps(saved, indent=2, sort_keys=True) + "\n")


def make_t5():
    make_t5_family("t5", T5ForConditionalGeneration, small_t5(T5Config))


def make_t5_gated():
    # T5 1.1 and FLAN-T5.
    config = small_t5(T5Config, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    make_t5_family("t5-gated", T5ForConditionalGeneration, config, own_output=True)


def make_mt5():
    config = small_t5(MT5Config, num_decoder_layers=1)
    make_t5_family("mt5", MT5ForConditionalGeneration, config, own_output=True)


# --- GPT-2 ----------------------------------------------------------------------------------------------------------


def train_to_continue(model, seed, lengths, vocab, first, end, middle, steps=3000, batch=32, longest=24):
    """Adam on `words, middle, the words copied as for `train`, end`, from `middle` on."""
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.01 * min(1, (step + 1) / 50, 2 * (1 - step / steps))
        ids = np.zeros((batch, longest), dtype=np.int64)
        labels = np.full((batch, longest), -100, dtype=np.int64)
        for row in range(batch):
            words = rng.integers(first, vocab, size=rng.choice(lengths)).tolist()
            text = ([*words, middle] + copied(rng, words, vocab, first) + [end])[:longest]
            ids[row, : len(text)] = text
            labels[row, len(words) : len(text) - 1] = text[len(words) + 1 :]
        logits = model(input_ids=torch.from_numpy(ids)).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(labels).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"  loss {loss.item():.2f}", file=sys.stderr)
    return model.requires_grad_(False).eval()


def padded_left(inputs, pad):
    """The same batch as transformers wants it for decoders: padding first."""
    ids, mask = (inputs[name].numpy() for name in ("input_ids", "attention_mask"))
    moved = [np.concatenate([row[keep == 0], row[keep == 1]]) for row, keep in zip(ids, mask)]
    return {"input_ids": torch.from_numpy(np.stack(moved)), "attention_mask": torch.from_numpy(np.sort(mask, axis=1))}


def make_gpt2():
    """Words are ids 4 to 63; 0 pads, 1 ends, 2 stands between a text and its copy."""
    config = GPT2Config(
        vocab_size=64,
        n_positions=40,
        n_embd=16,
        n_layer=2,
        n_head=4,
        n_inner=40,
        bos_token_id=1,
        eos_token_id=1,
        pad_token_id=0,
    )
    torch.manual_seed(DROPOUT_SEED)
    model = GPT2LMHeadModel(config)
    randomize(model, 0, 0.25)
    for block in model.transformer.h:  # randomize takes names with "norm" for norms
        for norm in (block.ln_1, block.ln_2):
            torch.nn.init.normal_(norm.weight, 1.0, 0.1, generator=torch.Generator().manual_seed(1))
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=1, pad_token_id=0)
    train_to_continue(model, 0, [2, 3, 4, 5, 7, 9], 64, 4, 1, 2)
    right = lambda seed: source(seed, [6, 4, 9, 3], 64, 4, 0, [], [2])
    seed, _, results = choose(model, lambda seed: padded_left(right(seed), 0), CASES)
    print(f"gpt2: batch {seed}")
    inputs = right(seed)
    with torch.no_grad():
        forward = {"logits": model(**inputs).logits}
    write("gpt2", model, inputs, forward, results)


MAKERS = {
    "marian": make_marian,
    "marian-relu-unshared": make_marian_unshared,
    "marian-untied": make_marian_untied,
    "bert": make_bert,
    "bert-generation": make_bert_generation,
    "encoder-decoder": make_encoder_decoder,
    "bart": make_bart,
    "mbart": make_mbart,
    "m2m100": make_m2m100,
    "pegasus": make_pegasus,
    "t5": make_t5,
    "t5-gated": make_t5_gated,
    "mt5": make_mt5,
    "gpt2": make_gpt2,
}

if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for chosen in sys.argv[1:] or MAKERS:
        MAKERS[chosen]()
