"""The other side of `npm run bench`: PyTorch, transformers and CTranslate2 on the weights that polybeam runs.

    python bench/peers.py THREADS

A JSON line in, a JSON line out; nothing runs between them. `ms` in an answer is the time of the work alone.
"""

import json
import os
import sys
import time

THREADS = int(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = str(THREADS)
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"

# Answers have the real standard output for themselves: libraries print to it.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

# Before torch: loaded after torch's OpenMP, CTranslate2 takes twice the time.
import ctranslate2  # noqa: E402, F401

state = {}


def torch_module():
    import torch

    torch.set_num_threads(THREADS)
    return torch


def timed(work):
    start = time.perf_counter()
    result = work()
    return 1000 * (time.perf_counter() - start), result


def versions(_):
    import platform

    import ctranslate2
    import torch
    import transformers

    return {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "ctranslate2": ctranslate2.__version__,
        }
    }


def load_transformers(directory):
    torch_module()
    from transformers import MarianMTModel

    return MarianMTModel.from_pretrained(directory).eval()


def convert(request):
    """A checkpoint as a CTranslate2 model. Its own command wants a tokenizer; ids stand for themselves here."""
    from ctranslate2.converters.transformers import MarianMTLoader

    model = load_transformers(request["model"])
    spec = MarianMTLoader().get_model_spec(model)
    # The last id is padding, which the loader drops.
    tokens = [f"t{index}" for index in range(model.config.vocab_size - 1)]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.unk_token = tokens[0]
    spec.config.eos_token = tokens[1]
    spec.config.bos_token = tokens[1]
    spec.config.decoder_start_token = tokens[1]
    spec.validate()
    spec.optimize(quantization=None)
    os.makedirs(request["output"])
    spec.save(request["output"])
    return {}


def load_translator(directory, workers, compute_type="float32"):
    import ctranslate2

    return ctranslate2.Translator(
        directory,
        device="cpu",
        compute_type=compute_type,
        inter_threads=workers,
        intra_threads=max(1, THREADS // workers),
    )


def open_models(request):
    if "model" in request:
        state["transformers"] = load_transformers(request["model"])
    for compute_type in request["computeTypes"]:
        for workers in request["workers"]:
            translator = load_translator(request["translator"], workers, compute_type)
            state[f"ctranslate2/{compute_type}/{workers}"] = translator
    return {}


def decode_transformers(request):
    import torch
    from transformers import GenerationConfig

    model = state["transformers"]
    start = model.config.decoder_start_token_id
    options = GenerationConfig(
        num_beams=request["beams"],
        min_new_tokens=request["steps"],
        max_new_tokens=request["steps"],
        decoder_start_token_id=start,
        pad_token_id=start,
        eos_token_id=None,
        do_sample=False,
    )
    input_ids = torch.tensor(request["sources"])
    mask = torch.ones_like(input_ids)
    with torch.inference_mode():
        ms, output = timed(lambda: model.generate(input_ids, attention_mask=mask, generation_config=options))
    return ms, output[:, 1:].tolist()


def decode_translator(request):
    translator = state[f"ctranslate2/{request['computeType']}/{request['workers']}"]
    sources = [[f"t{index}" for index in row] for row in request["sources"]]
    share = -(-len(sources) // request["workers"])
    ms, results = timed(
        lambda: translator.translate_batch(
            sources,
            beam_size=request["beams"],
            min_decoding_length=request["steps"],
            max_decoding_length=request["steps"],
            max_batch_size=share if request["workers"] > 1 else 0,
            use_vmap=request.get("vocabularyMap", False),
        )
    )
    return ms, [[int(token[1:]) for token in result.hypotheses[0]] for result in results]


def decode(request):
    ms, outputs = (decode_transformers if request["peer"] == "transformers" else decode_translator)(request)
    return {"ms": ms, "outputs": outputs}


def load(request):
    """Loading until the first token; imports are done by the warm-up, as they are not counted for polybeam."""
    state.clear()
    if request["peer"] == "transformers":
        load_once = lambda: state.update(transformers=load_transformers(request["model"]))
    else:
        load_once = lambda: state.update(
            {"ctranslate2/float32/1": load_translator(request["translator"], 1)}
        )
    loading, _ = timed(load_once)
    return {"ms": loading + decode({**request, "workers": 1, "computeType": "float32", "steps": 1})["ms"]}


def open_training(request):
    from trainPeer import EncoderLanguageModel

    torch = torch_module()
    state["training"] = EncoderLanguageModel(torch, request)
    return {}


def train(request):
    ms, result = timed(lambda: state["training"].step(request["update"]))
    return {"ms": ms, **result()}


def open_pretraining(request):
    from pretrainPeer import MassModel

    state["pretraining"] = MassModel(torch_module(), request)
    return {}


def pretrain(_):
    ms, result = timed(lambda: state["pretraining"].step())
    return {"ms": ms, **result()}


def open_translation(request):
    from translationPeer import Translator

    state["translation"] = Translator(torch_module(), request)
    return {}


def translation_round(_):
    ms, result = timed(lambda: state["translation"].round())
    return {"ms": ms, **result}


operations = {
    "versions": versions,
    "convert": convert,
    "open": open_models,
    "decode": decode,
    "load": load,
    "openTraining": open_training,
    "train": train,
    "openPretraining": open_pretraining,
    "pretrain": pretrain,
    "openTranslation": open_translation,
    "translationRound": translation_round,
}


def answer(line):
    request = json.loads(line)
    try:
        return operations[request["op"]](request)
    except Exception as error:  # The other side decides what to do about it.
        import traceback

        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}".split("\n")[0]}


for line in sys.stdin:
    print(json.dumps(answer(line)), file=answers, flush=True)
