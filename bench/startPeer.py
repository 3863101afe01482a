"""One sentence by CTranslate2, as a Python program would translate it: the other side of `npm run bench -- start`.

    python bench/startPeer.py convert MODEL OUTPUT     makes a CTranslate2 model of a Marian directory in float32
    python bench/startPeer.py OUTPUT TOKENIZER BEAMS THREADS TEXT
"""

import sys


def convert(model, output):
    import os

    from ctranslate2.converters.transformers import MarianMTLoader
    from transformers import MarianMTModel

    loaded = MarianMTModel.from_pretrained(model).eval()
    spec = MarianMTLoader().get_model_spec(loaded)
    # The loader takes the start token for one whose embedding is zero; here it has one.
    spec.decoder.start_from_zero_embedding = False
    # Ids stand for themselves. The loader drops the last row, which it takes for padding.
    tokens = [f"t{index}" for index in range(loaded.config.vocab_size - 1)]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.unk_token = tokens[2]
    spec.config.eos_token = tokens[loaded.config.eos_token_id]
    spec.config.decoder_start_token = tokens[loaded.config.decoder_start_token_id]
    spec.config.add_source_eos = False
    spec.validate()
    spec.optimize(quantization="int8")
    os.makedirs(output)
    spec.save(output)


def translate(model, tokenizer, beams, threads, text):
    import ctranslate2
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(tokenizer)
    translator = ctranslate2.Translator(model, compute_type="int8", intra_threads=int(threads))
    source = [f"t{index}" for index in words.encode(text).ids]
    [result] = translator.translate_batch([source], beam_size=int(beams))
    print(words.decode([int(token[1:]) for token in result.hypotheses[0]]))


if sys.argv[1] == "convert":
    convert(*sys.argv[2:])
else:
    translate(*sys.argv[1:])
