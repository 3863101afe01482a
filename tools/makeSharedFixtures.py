"""Makes test/fixtures/pretrained/encoder-decoder-shared: an encoder-decoder whose sides share their weights, as transformers
4 saves it in both formats. transformers 5 has no such models.

    python tools/makeSharedFixtures.py    # with transformers 4.44.2
"""

import json
from pathlib import Path

import torch
from transformers import BertConfig, EncoderDecoderConfig, EncoderDecoderModel

ROOT = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "pretrained" / "encoder-decoder-shared"


def main():
    torch.manual_seed(3)
    sizes = dict(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=20,
    )
    config = EncoderDecoderConfig.from_encoder_decoder_configs(BertConfig(**sizes), BertConfig(**sizes))
    config.tie_encoder_decoder = True
    config.decoder_start_token_id, config.eos_token_id, config.pad_token_id = 2, 3, 0
    model = EncoderDecoderModel(config=config)
    model.tie_weights()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    model.eval()
    for name, safe in [("safetensors", True), ("bin", False)]:
        model.save_pretrained(ROOT / name, safe_serialization=safe)
    inputs = {"input_ids": [[2, 7, 8, 9, 3]], "decoder_input_ids": [[2, 9, 8]]}
    tensors = {key: torch.tensor(value) for key, value in inputs.items()}
    with torch.no_grad():
        logits = model(**tensors).logits
        generated = model.generate(tensors["input_ids"], max_new_tokens=8, num_beams=3)
    expected = {"inputs": inputs, "logits": logits.tolist(), "generated": generated.tolist()}
    (ROOT / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
