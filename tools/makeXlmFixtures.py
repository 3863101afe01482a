"""Makes the tiny random checkpoints of XLM and XLM-RoBERTa under test/fixtures/models.

    python tools/makeXlmFixtures.py [NAME ...]

What is written is as in makeModelFixtures.py: hidden states and logits of a padded batch, nothing generated.
"""

import sys

import torch
import transformers
from makeModelFixtures import randomize, source, write
from transformers import (
    XLMConfig,
    XLMModel,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaModel,
    XLMWithLMHeadModel,
)


def xlm_config(**changes):
    """Facebook's special tokens: 0 begins, 1 separates, 2 pads, 3 unknown, 5 masks; words from 14."""
    sizes = {
        "vocab_size": 60,
        "emb_dim": 16,
        "n_layers": 2,
        "n_heads": 4,
        "n_langs": 3,
        "max_position_embeddings": 24,
        "lang2id": {"de": 0, "en": 1, "fr": 2},
        "id2lang": {0: "de", 1: "en", 2: "fr"},
    }
    return XLMConfig(**{**sizes, **changes})


def make_xlm(name, model, langs):
    model.eval()
    randomize(model, 7, 0.3, model.pred_layer.proj.bias if hasattr(model, "pred_layer") else None)
    inputs = source(3, [6, 3, 9], 60, 14, 2, [1], [1])
    if langs:
        # A row of one language, and rows that switch, as in translation language modelling.
        inputs["langs"] = torch.tensor([[1] * 9, [0] * 2 + [2] * 7, [2] * 4 + [1] * 5])
    with torch.no_grad():
        out = model(**inputs, output_hidden_states=True)
        forward = {"last_hidden_state": out.hidden_states[-1]}
        if "logits" in out:
            forward["logits"] = out.logits
        if langs:
            plain = {name: value for name, value in inputs.items() if name != "langs"}
            none = model(**plain, output_hidden_states=True).hidden_states[-1]
            forward["last_hidden_state_without_langs"] = none
            # Positions restart where the language switches.
            positions = torch.tensor([list(range(9)), [0, 1, *range(7)], [*range(4), *range(5)]])
            restarted = model(**inputs, position_ids=positions, output_hidden_states=True).hidden_states[-1]
            forward["last_hidden_state_restarted"] = restarted
    write(name, model, inputs, forward, {})


def make_mlm():
    make_xlm("xlm", XLMWithLMHeadModel(xlm_config()), True)


def make_causal():
    # One language, sines, ReLU, an output projection of its own: all that differs from the others.
    config = xlm_config(
        n_langs=1,
        causal=True,
        sinusoidal_embeddings=True,
        gelu_activation=False,
        layer_norm_eps=1e-6,
        tie_word_embeddings=False,
        lang2id={"en": 0},
        id2lang={0: "en"},
    )
    make_xlm("xlm-causal", XLMWithLMHeadModel(config), False)


def make_plain():
    make_xlm("xlm-encoder", XLMModel(xlm_config(n_layers=1, n_langs=2, use_lang_emb=False)), False)


def make_roberta(name, model):
    model.eval()
    randomize(model, 11, 0.3, model.lm_head.bias if hasattr(model, "lm_head") else None)
    inputs = source(3, [6, 3, 9], 60, 5, 1, [0], [2])
    with torch.no_grad():
        out = model(**inputs, output_hidden_states=True)
    forward = {"last_hidden_state": out.hidden_states[-1]}
    for key in ("pooler_output", "logits"):
        if key in out:
            forward[key] = out[key]
    write(name, model, inputs, forward, {})


def roberta_config(**changes):
    sizes = {
        "vocab_size": 60,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 24,
        "max_position_embeddings": 24,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
    }
    return XLMRobertaConfig(**{**sizes, **changes})


MAKERS = {
    "xlm": make_mlm,
    "xlm-causal": make_causal,
    "xlm-encoder": make_plain,
    "xlm-roberta": lambda: make_roberta("xlm-roberta", XLMRobertaForMaskedLM(roberta_config())),
    "xlm-roberta-encoder": lambda: make_roberta(
        "xlm-roberta-encoder", XLMRobertaModel(roberta_config(num_hidden_layers=1, type_vocab_size=2))
    ),
}

if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for chosen in sys.argv[1:] or MAKERS:
        MAKERS[chosen]()
