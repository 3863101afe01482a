"""Checks that Python transformers reads a model directory that polybeam saved, and computes the same from it.

    python tools/checkSavedModel.py DIR [--expected FILE]

With --expected (or an expected.json in DIR, as makeModelFixtures.py writes), transformers' hidden states, logits and
generated ids from DIR are compared with that file. Otherwise random ids are decoded by both transformers and
`npx polybeam generate --model DIR`, greedily and with 4 beams. Exits with 1 at the first difference.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoConfig

CLASSES = {
    "bart": "BartForConditionalGeneration",
    "bert": "BertModel",
    "bert-generation": "BertGenerationEncoder",
    "encoder-decoder": "EncoderDecoderModel",
    "gpt2": "GPT2LMHeadModel",
    "m2m_100": "M2M100ForConditionalGeneration",
    "marian": "MarianMTModel",
    "mbart": "MBartForConditionalGeneration",
    "mt5": "MT5ForConditionalGeneration",
    "pegasus": "PegasusForConditionalGeneration",
    "t5": "T5ForConditionalGeneration",
    "xlm": "XLMWithLMHeadModel",
    "xlm-roberta": "XLMRobertaForMaskedLM",
}


def fail(message):
    print(message, file=sys.stderr)
    raise SystemExit(1)


def load(directory):
    """The model in float32; every weight must be found, none may be left over."""
    config = AutoConfig.from_pretrained(directory)
    name = (config.architectures or [CLASSES[config.model_type]])[0]
    model, info = getattr(transformers, name).from_pretrained(
        directory, output_loading_info=True, dtype=torch.float32
    )
    for kind, keys in info.items():
        # Marian's bias is a buffer of zeros where a checkpoint has none.
        keys = [key for key in keys if key != "final_logits_bias"]
        if keys:
            fail(f"{directory}: {kind}: {keys}")
    return model.eval()


def compare_forward(model, expected, tolerance):
    inputs = {key: torch.tensor(value) for key, value in expected["inputs"].items()}
    with torch.no_grad():
        out = model(**inputs, output_hidden_states=True)
    mask = inputs["attention_mask"].bool()
    for key, value in expected["forward"].items():
        if "_without_" in key or key.endswith("_restarted"):
            continue
        # Models with a head give hidden states by the side.
        found = getattr(out, key) if key in out else out.hidden_states[-1]
        wanted = torch.tensor(value)
        if found.shape[:2] == mask.shape and found.dim() == 3 and "decoder_input_ids" not in inputs:
            found, wanted = found[mask], wanted[mask]
        difference = (found - wanted).abs().max().item()
        print(f"{key}: largest difference {difference:.2g}")
        if not difference <= tolerance:
            fail(f"{key} differs by {difference}, more than {tolerance}")


def padded_left(inputs):
    """The same texts with their padding first, as transformers wants them for a decoder alone."""
    order = inputs["attention_mask"].sort(dim=1, stable=True).indices
    return {key: value.gather(1, order) for key, value in inputs.items()}


def compare_generation(model, expected):
    inputs = {key: torch.tensor(expected["inputs"][key]) for key in ("input_ids", "attention_mask")}
    if not model.config.is_encoder_decoder:
        inputs = padded_left(inputs)
    for case in expected["generate"]:
        out = model.generate(**inputs, **case["options"], do_sample=False)
        if out.tolist() != case["sequences"]:
            fail(f"{case['name']}: generated {out.tolist()}, wanted {case['sequences']}")
    print(f"generate: {len(expected['generate'])} cases equal")


def until_end(ids, ends):
    for position, token in enumerate(ids):
        if token in ends:
            return ids[: position + 1]
    return ids


def compare_with_polybeam(model, directory, sentences=16, length=12, new_tokens=24):
    """Greedy and beam search of both programs over random ids."""
    config = model.generation_config
    vocabulary = getattr(model.config, "encoder", model.config).vocab_size
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, vocabulary, (sentences, length), generator=generator)
    lines = "".join(json.dumps({"input_ids": row}) + "\n" for row in ids.tolist())
    for beams in (1, 4):
        options = ["--num-beams", str(beams), "--max-new-tokens", str(new_tokens)]
        command = ["npx", "polybeam", "generate", "--model", directory, *options]
        run = subprocess.run(command, input=lines, capture_output=True, text=True)
        if run.returncode != 0:
            fail(run.stderr)
        found = [json.loads(line)["sequences"][0]["ids"] for line in run.stdout.splitlines()]
        # Without a mask transformers would take padding tokens among random ids for padding.
        mask = torch.ones_like(ids)
        out = model.generate(ids, attention_mask=mask, num_beams=beams, max_new_tokens=new_tokens, do_sample=False)
        if model.config.is_encoder_decoder:
            # Without the decoder start token.
            wanted = [until_end(row[1:], ends) for row in out.tolist()]
        else:
            # A decoder alone gives back its prompt, as polybeam does.
            wanted = [row[:length] + until_end(row[length:], ends) for row in out.tolist()]
        for index, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
            # transformers pads what never ended as well.
            if ours != theirs[: len(ours)] or any(token != config.pad_token_id for token in theirs[len(ours) :]):
                fail(f"sentence {index + 1}, {beams} beams: polybeam {ours}, transformers {theirs}")
        print(f"generate: {sentences} random sentences equal with {beams} beams")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("--expected", help="what transformers computed from the original model")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="of hidden states and logits")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # these models are tiny
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    model = load(arguments.directory)
    beside = Path(arguments.directory) / "expected.json"
    path = arguments.expected or (beside if beside.exists() else None)
    if path is None:
        compare_with_polybeam(model, arguments.directory)
        return
    expected = json.loads(Path(path).read_text())
    compare_forward(model, expected, arguments.tolerance)
    compare_generation(model, expected)


if __name__ == "__main__":
    main()
