"""Makes the tiny checkpoints of stacks that read and write (UniLM, SimBERT, RoFormer-Sim), and those of RoFormer.

    python tools/makePrefixLmFixtures.py [NAME ...]

The stack is written here in plain PyTorch and recomputes everything for every token: source, text and [MASK] in one pass
under the whole prefix mask, no cache. Where transformers has the stack (BERT, RoFormer) this script checks the formula
against it. transformers' `generate` then searches over the formula. What is written, and when a batch is accepted, is as in
makeModelFixtures.py.
"""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from makeModelFixtures import CASES, DROPOUT_SEED, ROOT, choose, numbers, randomize, seq2seq_forward, source, train
from transformers import (
    BertConfig,
    BertForPreTraining,
    GenerationConfig,
    GenerationMixin,
    PreTrainedModel,
    RoFormerConfig,
    RoFormerForMaskedLM,
    RoFormerModel,
)
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

VOCAB, PAD, CLS, SEP, MASK, FIRST = 48, 0, 2, 3, 4, 5
FEW = ("greedy", "greedy-no-repeat-2", "beam", "beam-return-3", "beam-length-penalty-2")
HIDDEN = -1e9


class Stack(torch.nn.Module):
    """BERT, RoFormer or RoFormerV2 over weights under their names in the checkpoint."""

    def __init__(self, weights, prefix, layers, heads, eps, act=F.gelu, rotary=None, plain=False):
        super().__init__()
        self.weights = torch.nn.ParameterDict({name.replace(".", "/"): weights[name].clone() for name in weights})
        self.prefix, self.layers, self.heads, self.eps, self.act = prefix, layers, heads, eps, act
        self.rotary, self.plain = rotary, plain

    def get(self, name):
        key = name.replace(".", "/")
        return self.weights[key] if key in self.weights else None

    def dense(self, x, name):
        return F.linear(x, self.get(f"{name}.weight"), self.get(f"{name}.bias"))

    def norm(self, x, name):
        if self.plain:  # RoFormerV2: root mean square, nothing learned
            return x / torch.sqrt((x * x).mean(-1, keepdim=True) + self.eps)
        return F.layer_norm(x, x.shape[-1:], self.get(f"{name}.weight"), self.get(f"{name}.bias"), self.eps)

    def rotated(self, x, positions):
        """x [rows, heads, length, size]: pairs (2i, 2i + 1) turned by position / 10000^(2i / size)."""
        size = x.shape[-1]
        rates = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        angles = positions[:, None, :, None].double() * rates
        sin, cos = angles.sin().to(x.dtype), angles.cos().to(x.dtype)
        even, odd = x[..., 0::2], x[..., 1::2]
        return torch.stack([even * cos - odd * sin, odd * cos + even * sin], -1).flatten(-2)

    def hidden(self, ids, positions, kinds, bias):
        """ids, positions, kinds [rows, length]; bias [rows, length, length]"""
        at = f"{self.prefix}.embeddings"
        x = self.get(f"{at}.word_embeddings.weight")[ids] + self.get(f"{at}.token_type_embeddings.weight")[kinds]
        if self.rotary is None:
            x = x + self.get(f"{at}.position_embeddings.weight")[positions]
        x = self.norm(x, f"{at}.LayerNorm")
        if self.get(f"{self.prefix}.embeddings_project.weight") is not None:
            x = self.dense(x, f"{self.prefix}.embeddings_project")
        rows, length, features = x.shape
        for layer in range(self.layers):
            at = f"{self.prefix}.encoder.layer.{layer}"
            parts = {}
            for role in ("query", "key", "value"):
                part = self.dense(x, f"{at}.attention.self.{role}")
                part = part.view(rows, length, self.heads, -1).transpose(1, 2)
                turns = self.rotary is not None and (role != "value" or self.rotary == "values")
                parts[role] = self.rotated(part, positions) if turns else part
            scores = parts["query"] @ parts["key"].transpose(2, 3) / (features / self.heads) ** 0.5
            mixed = (scores + bias[:, None].to(x.dtype)).softmax(-1) @ parts["value"]
            mixed = mixed.transpose(1, 2).reshape(rows, length, features)
            x = self.norm(x + self.dense(mixed, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm")
            inner = self.act(self.dense(x, f"{at}.intermediate.dense"))
            x = self.norm(x + self.dense(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        return x

    def logits(self, x):
        head = "cls.predictions.transform"
        if self.get(f"{head}.dense.weight") is not None:
            x = self.dense(x, f"{head}.dense")
            if not self.plain:
                x = self.norm(self.act(x), f"{head}.LayerNorm")
        table = self.get(f"{self.prefix}.embeddings.word_embeddings.weight")
        return F.linear(x, table, self.get("cls.predictions.bias"))


class Source(torch.nn.Module):
    """Hands ids through `generate`, which wants an encoder."""

    def forward(self, input_ids=None, **kwargs):
        return BaseModelOutput(last_hidden_state=input_ids[..., None].double())


class PrefixLm(PreTrainedModel, GenerationMixin):
    """A stack that writes behind a source it reads in both directions."""

    config_class = BertConfig
    main_input_name = "input_ids"

    def __init__(self, config, stack, next_token, kinds):
        super().__init__(config)
        self.stack, self.next_token, self.kinds, self.source = stack, next_token, kinds, Source()

    def get_encoder(self, *_, **__):
        return self.source

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, encoder_outputs=None, **kwargs):
        return {"decoder_input_ids": input_ids, "attention_mask": attention_mask, "encoder_outputs": encoder_outputs}

    def forward(self, input_ids=None, attention_mask=None, decoder_input_ids=None, encoder_outputs=None, **kwargs):
        ids = input_ids if input_ids is not None else encoder_outputs.last_hidden_state[..., 0].long()
        steps = range(1, decoder_input_ids.shape[1] + 1)
        if not torch.is_grad_enabled() and encoder_outputs is not None:
            steps = steps[-1:]
        logits = [self.next_logits(ids, attention_mask, decoder_input_ids[:, 1:step]) for step in steps]
        return Seq2SeqLMOutput(
            logits=torch.stack(logits, 1), encoder_last_hidden_state=torch.zeros(ids.shape + (1,))
        )

    def next_logits(self, ids, mask, text):
        """text: what was written, without the start token. [rows, written]"""
        if self.next_token == "mask":
            text = torch.cat([text, torch.full((len(text), 1), MASK)], 1)
        rows, width = ids.shape
        own = text.shape[1]
        lengths = mask.sum(1, keepdim=True)
        positions = torch.cat([torch.arange(width).expand(rows, width), lengths + torch.arange(own)], 1)
        kinds = torch.tensor([self.kinds[0]] * width + [self.kinds[1]] * own).expand(rows, -1)
        seen = torch.cat([mask, torch.zeros_like(text)], 1)[:, None].repeat(1, width + own, 1)
        seen[:, width:, width:] = torch.ones(own, own, dtype=seen.dtype).tril()
        x = self.stack.hidden(torch.cat([ids, text], 1), positions, kinds, (1.0 - seen) * HIDDEN)
        # Without [MASK] the last token of the source chooses the first one.
        last = lengths[:, 0] - 1 if own == 0 else torch.full((rows,), width + own - 1)
        return self.stack.logits(x[torch.arange(rows), last])


def prefix_lm(stack, next_token, kinds, steps=300):
    config = BertConfig(vocab_size=VOCAB, is_encoder_decoder=True, decoder_start_token_id=SEP, pad_token_id=PAD)
    model = PrefixLm(config, stack, next_token, kinds)
    model.generation_config = GenerationConfig(
        bos_token_id=CLS, eos_token_id=SEP, pad_token_id=PAD, decoder_start_token_id=SEP, use_cache=False
    )
    return train(model, 0, [3, 4, 5, 6, 8], VOCAB, FIRST, [CLS], [SEP], steps=steps, batch=16, longest=12)


def inputs_of(seed):
    return source(seed, [6, 3, 8, 4], VOCAB, FIRST, PAD, [CLS], [SEP])


def write(name, config, weights, inputs, forward, results, legacy=False):
    from safetensors.torch import save_file

    directory = ROOT / name
    if directory.exists():
        for file in directory.iterdir():
            file.unlink()
    directory.mkdir(exist_ok=True)
    config = {"model_type": config["model_type"], "dtype": "float32", **config}
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if results:
        ids = {"decoder_start_token_id": SEP, "eos_token_id": SEP, "pad_token_id": PAD}
        (directory / "generation_config.json").write_text(json.dumps(ids, indent=2) + "\n")
    if legacy:
        torch.save(weights, directory / "pytorch_model.bin")
    else:
        save_file({k: v.contiguous() for k, v in weights.items()}, directory / "model.safetensors")
    expected = {
        "inputs": {k: numbers(v) for k, v in inputs.items()},
        "forward": {k: numbers(v) for k, v in forward.items()},
    }
    if results:
        expected["generate"] = [
            {"name": case, **{k: numbers(v) if torch.is_tensor(v) else v for k, v in result.items()}}
            for case, result in results.items()
        ]
    text = json.dumps(expected, separators=(",", ":")).replace('{"name"', '\n{"name"')
    (directory / "expected.json").write_text(text + "\n")
    size = sum(file.stat().st_size for file in directory.iterdir())
    print(f"{name}: {size / 1000:.0f} kB")
    assert size < 150_000, f"{name} is too large to commit"


def trained(name, model):
    cases = {case: CASES[case] for case in FEW}
    seed, inputs, results = choose(model, inputs_of, cases)
    ids, forward = seq2seq_forward(model, inputs, SEP, VOCAB, seed)
    forward.pop("encoder_last_hidden_state")
    weights = {k.replace("/", "."): v.detach() for k, v in model.stack.weights.items()}
    print(f"{name}: batch {seed}")
    return weights, inputs, ids, forward, results


def bidirectional(mask):
    return (1.0 - mask[:, None].repeat(1, mask.shape[1], 1)) * HIDDEN


def states(stack, inputs, kinds):
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    positions = torch.arange(ids.shape[1]).expand(*ids.shape)
    with torch.no_grad():
        return stack.hidden(ids, positions, kinds, bidirectional(mask))


def check_formula(stack, model, inputs, kinds):
    """That the formula is what transformers computes."""
    with torch.no_grad():
        wanted = model(**inputs, token_type_ids=kinds, output_hidden_states=True)
        found = states(stack, inputs, kinds)
        logits = stack.logits(found)
    seen = inputs["attention_mask"].bool()
    reference = wanted.logits if "logits" in wanted else wanted.prediction_logits
    assert (found - wanted.hidden_states[-1])[seen].abs().max() < 1e-4
    assert (logits - reference)[seen].abs().max() < 1e-4


SIZES = {
    "vocab_size": VOCAB,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}


def bert(seed, types, eps):
    """BERT's pre-training weights, the tied projection once."""
    model = BertForPreTraining(BertConfig(**SIZES, type_vocab_size=types, layer_norm_eps=eps)).eval()
    randomize(model, seed, 0.25, model.cls.predictions.bias)
    weights = {k: v for k, v in model.state_dict().items() if not k.startswith("cls.predictions.decoder")}
    stack = Stack(weights, "bert", 2, 4, eps)
    kinds = torch.ones_like(inputs_of(0)["input_ids"])
    check_formula(stack, model, inputs_of(0), kinds)
    return stack


def make_unilm():
    """The layout of unilm v1: pytorch_model.bin with all heads and buffers; config.json without what it does not say."""
    weights, inputs, ids, forward, results = trained("unilm", prefix_lm(bert(1, 6, 1e-5), "mask", (4, 5)))
    config = {
        "model_type": "unilm",
        **SIZES,
        "type_vocab_size": 6,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "polybeam": {"prefix_lm": {"mask_token_id": MASK, "max_target_length": 20}},
    }
    weights["cls.predictions.decoder.weight"] = weights["bert.embeddings.word_embeddings.weight"]
    # As files converted from TensorFlow have it.
    for suffix, old in (("weight", "gamma"), ("bias", "beta")):
        name = f"bert.encoder.layer.0.output.LayerNorm.{suffix}"
        weights[name.replace(suffix, old)] = weights.pop(name)
    write("unilm", config, weights, {**inputs, "decoder_input_ids": ids}, forward, results, legacy=True)


def similarity(name, model, config, own):
    """A directory that reads as an encoder, and writes because config.json says so."""
    weights, inputs, ids, _, results = trained(name, model)
    kinds = (torch.arange(inputs["input_ids"].shape[1]) > 2).long().expand(*inputs["input_ids"].shape).clone()
    hidden = states(model.stack, inputs, kinds)
    forward = {"last_hidden_state": hidden}
    if "bert.pooler.dense.weight" in weights:
        forward["pooler_output"] = model.stack.dense(hidden[:, 0], "bert.pooler.dense").tanh()
    config = {**config, "polybeam": {"prefix_lm": own}}
    inputs = {**inputs, "token_type_ids": kinds, "decoder_input_ids": ids}
    write(name, config, weights, inputs, forward, results)


def make_simbert():
    config = {"model_type": "bert", **SIZES, "type_vocab_size": 2}
    similarity("simbert", prefix_lm(bert(2, 2, 1e-12), "last", (0, 1)), config, {"max_target_length": 20})


def roformer_config(**changes):
    return RoFormerConfig(**{**SIZES, "pad_token_id": PAD, "type_vocab_size": 2, **changes})


def make_roformer():
    """As transformers saves it, with values rotated and embeddings of another width."""
    model = RoFormerModel(roformer_config(embedding_size=12, rotary_value=True)).eval()
    randomize(model, 0, 0.4)
    inputs = inputs_of(0)
    kinds = (torch.arange(inputs["input_ids"].shape[1]) > 2).long().expand(*inputs["input_ids"].shape).clone()
    with torch.no_grad():
        forward = {"last_hidden_state": model(**inputs, token_type_ids=kinds).last_hidden_state}
    config = {"model_type": "roformer", **model.config.to_diff_dict()}
    write("roformer", config, model.state_dict(), {**inputs, "token_type_ids": kinds}, forward, {})


def make_roformer_sim():
    model = RoFormerForMaskedLM(roformer_config(embedding_size=12)).eval()
    randomize(model, 3, 0.25, model.cls.predictions.bias)
    weights = {
        k: v
        for k, v in model.state_dict().items()
        if not k.startswith("cls.predictions.decoder") and "embed_positions" not in k
    }
    stack = Stack(weights, "roformer", 2, 4, 1e-12, rotary="queries and keys")
    check_formula(stack, model, inputs_of(0), torch.ones_like(inputs_of(0)["input_ids"]))
    config = {"model_type": "roformer", **model.config.to_diff_dict()}
    similarity("roformer-sim", prefix_lm(stack, "last", (0, 1)), config, {"max_target_length": 20})


def make_roformer_v2():
    """No biases, normalization without weights, hidden states projected as they are; written through a [MASK] here."""
    generator = torch.Generator().manual_seed(7)
    draw = lambda *shape: torch.randn(shape, generator=generator) * 0.25
    weights = {
        "roformer.embeddings.word_embeddings.weight": draw(VOCAB, 16),
        "roformer.embeddings.token_type_embeddings.weight": draw(2, 16),
    }
    for layer in range(2):
        at = f"roformer.encoder.layer.{layer}"
        for role in ("query", "key", "value"):
            weights[f"{at}.attention.self.{role}.weight"] = draw(16, 16)
        weights[f"{at}.attention.output.dense.weight"] = draw(16, 16)
        weights[f"{at}.intermediate.dense.weight"] = draw(32, 16)
        weights[f"{at}.output.dense.weight"] = draw(16, 32)
    stack = Stack(weights, "roformer", 2, 4, 1e-12, act=F.relu, rotary="queries and keys", plain=True)
    config = {
        "model_type": "roformer",
        **SIZES,
        "type_vocab_size": 2,
        "hidden_act": "relu",
        "use_bias": False,
        "norm_type": "rms_norm",
    }
    own = {"next_token": "mask", "mask_token_id": MASK, "max_target_length": 20}
    similarity("roformer-v2", prefix_lm(stack, "mask", (0, 1), 1000), config, own)


MAKERS = {
    "unilm": make_unilm,
    "simbert": make_simbert,
    "roformer": make_roformer,
    "roformer-sim": make_roformer_sim,
    "roformer-v2": make_roformer_v2,
}

if __name__ == "__main__":
    torch.manual_seed(DROPOUT_SEED)
    torch.set_num_threads(1)
    for chosen in sys.argv[1:] or MAKERS:
        MAKERS[chosen]()
