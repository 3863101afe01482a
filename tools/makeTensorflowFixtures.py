"""Makes test/fixtures/pretrained/tensorflow-bert: a tiny BERT checkpoint as Google's code saves it, and what transformers
reads from it.

    python tools/makeTensorflowFixtures.py write VARIABLES.npz    # with tensorflow-cpu (any of 2.x)
    python tools/makeTensorflowFixtures.py expect VARIABLES.npz   # with torch and transformers 4.44.2

transformers 4.44.2 still has `load_tf_weights_in_bert`. Two runs, since tensorflow and torch do not get on in one process: the
second is given the variables as the first read them back from the checkpoint.
"""

import importlib.machinery
import json
import logging
import sys
import types
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "pretrained" / "tensorflow-bert"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "##s"]

CONFIG = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 16,
    "initializer_range": 0.02,
    "intermediate_size": 24,
    "max_position_embeddings": 20,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": len(WORDS),
}


def shapes():
    """Names and shapes of Google's modeling.py and run_pretraining.py."""
    hidden, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    dense = lambda name, rows, columns: {f"{name}/kernel": (rows, columns), f"{name}/bias": (columns,)}
    norm = lambda name: {f"{name}/LayerNorm/beta": (hidden,), f"{name}/LayerNorm/gamma": (hidden,)}
    all_shapes = {
        "bert/embeddings/word_embeddings": (CONFIG["vocab_size"], hidden),
        "bert/embeddings/token_type_embeddings": (CONFIG["type_vocab_size"], hidden),
        "bert/embeddings/position_embeddings": (CONFIG["max_position_embeddings"], hidden),
        **norm("bert/embeddings"),
    }
    for layer in range(CONFIG["num_hidden_layers"]):
        at = f"bert/encoder/layer_{layer}"
        for part in ["query", "key", "value"]:
            all_shapes.update(dense(f"{at}/attention/self/{part}", hidden, hidden))
        all_shapes.update(dense(f"{at}/attention/output/dense", hidden, hidden))
        all_shapes.update(norm(f"{at}/attention/output"))
        all_shapes.update(dense(f"{at}/intermediate/dense", hidden, inner))
        all_shapes.update(dense(f"{at}/output/dense", inner, hidden))
        all_shapes.update(norm(f"{at}/output"))
    all_shapes.update(dense("bert/pooler/dense", hidden, hidden))
    all_shapes.update(dense("cls/predictions/transform/dense", hidden, hidden))
    all_shapes.update(norm("cls/predictions/transform"))
    all_shapes["cls/predictions/output_bias"] = (CONFIG["vocab_size"],)
    all_shapes["cls/seq_relationship/output_weights"] = (2, hidden)
    all_shapes["cls/seq_relationship/output_bias"] = (2,)
    return all_shapes


def save_checkpoint(path):
    """As an optimizer of Google's leaves it: with its moments and the number of steps."""
    import tensorflow as tf

    random = np.random.default_rng(5)
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        def add(name, value):
            tf.compat.v1.get_variable(name, initializer=tf.constant(value), use_resource=False)

        for name, shape in shapes().items():
            around = 1.0 if name.endswith("gamma") else 0.0
            add(name, (around + 0.2 * random.standard_normal(shape)).astype(np.float32))
            # Not all of them, which keeps the file small.
            if "layer_0/attention/self" in name:
                add(f"{name}/adam_m", np.full(shape, 7, np.float32))
                add(f"{name}/adam_v", np.full(shape, 8, np.float32))
        add("global_step", np.int64(1000))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(path), write_meta_graph=False, write_state=False)
    return {name: tf.train.load_variable(str(path), name) for name, _ in tf.train.list_variables(str(path))}


def expected(path, variables):
    import torch
    from transformers import BertConfig, BertForPreTraining
    from transformers.models.bert.modeling_bert import load_tf_weights_in_bert

    # What it asks of tensorflow.
    sys.modules["tensorflow"] = types.ModuleType("tensorflow")
    sys.modules["tensorflow"].__spec__ = importlib.machinery.ModuleSpec("tensorflow", None)
    sys.modules["tensorflow"].train = types.SimpleNamespace(
        list_variables=lambda _: [(name, value.shape) for name, value in variables.items()],
        load_variable=lambda _, name: variables[name],
    )
    model = BertForPreTraining(BertConfig(**CONFIG))
    load_tf_weights_in_bert(model, model.config, str(path))
    model.eval()
    inputs = {
        "input_ids": [[2, 7, 8, 9, 3, 10, 11, 3], [2, 12, 4, 3, 13, 14, 15, 3]],
        "token_type_ids": [[0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1]],
    }
    tensors = {key: torch.tensor(value) for key, value in inputs.items()}
    with torch.no_grad():
        base = model.bert(**tensors)
        out = model(**tensors)
    weights = {name: value.flatten()[:3].tolist() for name, value in model.state_dict().items()}
    return {
        "inputs": inputs,
        "last_hidden_state": base.last_hidden_state.tolist(),
        "pooler_output": base.pooler_output.tolist(),
        "prediction_logits": out.prediction_logits.tolist(),
        # The first numbers of each weight, by its name in PyTorch.
        "weights": weights,
        "shapes": {name: list(value.shape) for name, value in model.state_dict().items()},
    }


def main(stage, file):
    logging.disable(logging.WARNING)
    ROOT.mkdir(parents=True, exist_ok=True)
    path = ROOT / "bert_model.ckpt"
    if stage == "write":
        np.savez(file, **save_checkpoint(path))
        (ROOT / "bert_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
        (ROOT / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    else:
        (ROOT / "expected.json").write_text(json.dumps(expected(path, dict(np.load(file)))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
