"""Makes the tiny random checkpoints of XLM and XLM-RoBERTa under test/fixtures/models.

    python tools/makeXlmFixtures.py [NAME ...]

What is written is as in makeModelFixtures.py: hidden states and logits of a padded batch, nothing generated.
"""

import sys

import torch
import transformers
from makeModelFixtures import randomize, source, write
from transformers import XLMConfig, XLMModel, XLMWithLMHeadModel


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


MAKERS = {"xlm": make_mlm, "xlm-causal": make_causal, "xlm-encoder": make_plain}

if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    for chosen in sys.argv[1:] or MAKERS:
        MAKERS[chosen]()
