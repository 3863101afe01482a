"""Makes the tiny random checkpoint of polybeam's xlm-encoder-decoder under test/fixtures/models.

    python tools/makeXlmTranslatorFixtures.py

transformers has no such model. The encoder is its XLMModel; the decoder is put together from its modules as Facebook's program does it
(XLM/src/model/transformer.py): causal self-attention, attention over the encoder's output, feed-forward, a norm after each.
What is written is as in makeModelFixtures.py; greedy outputs are computed without a cache.
"""

import json

import torch
from makeModelFixtures import randomize, source, write
from makeXlmFixtures import xlm_config
from safetensors.torch import save_file
from torch import nn
from transformers import XLMModel
from transformers.models.xlm.modeling_xlm import MultiHeadAttention, TransformerFFN

PAD, EOS, FIRST_LANGUAGE, WORDS, VOCAB = 0, 1, 4, 7, 60


class Decoder(nn.Module):
    def __init__(self, config, layers):
        super().__init__()
        self.config = config
        attention = lambda: MultiHeadAttention(config.n_heads, config.emb_dim, config)
        norm = lambda: nn.LayerNorm(config.emb_dim, eps=config.layer_norm_eps)
        many = lambda make: nn.ModuleList([make() for _ in range(layers)])
        self.layer_norm_emb = norm()
        self.attentions, self.encoder_attn = many(attention), many(attention)
        self.ffns = many(lambda: TransformerFFN(config.emb_dim, 4 * config.emb_dim, config.emb_dim, config))
        self.layer_norm1, self.layer_norm15, self.layer_norm2 = many(norm), many(norm), many(norm)
        self.pred_layer = nn.ModuleDict({"proj": nn.Linear(config.emb_dim, config.vocab_size)})

    def forward(self, encoder, ids, language, memory, mask):
        batch, length = ids.shape
        x = encoder.embeddings(ids) + encoder.position_embeddings(torch.arange(length))
        x = self.layer_norm_emb(x + encoder.lang_embeddings(language)[:, None])
        causal = torch.ones(length, length, dtype=torch.long).tril().expand(batch, length, length)
        for layer in range(len(self.attentions)):
            x = self.layer_norm1[layer](x + self.attentions[layer](x, causal)[0])
            x = self.layer_norm15[layer](x + self.encoder_attn[layer](x, mask, kv=memory)[0])
            x = self.layer_norm2[layer](x + self.ffns[layer](x))
        return nn.functional.linear(x, encoder.embeddings.weight, self.pred_layer["proj"].bias)


class Translator(nn.Module):
    def __init__(self, config, decoder_layers):
        super().__init__()
        self.config, self.decoder_layers = config, decoder_layers
        self.encoder = XLMModel(config)
        self.decoder = Decoder(config, decoder_layers)

    def logits(self, input_ids, attention_mask, decoder_input_ids):
        target, languages = input_ids[:, 0] - FIRST_LANGUAGE, input_ids[:, 1:2] - FIRST_LANGUAGE
        text, mask = input_ids[:, 2:], attention_mask[:, 2:]
        memory = self.encoder(text, attention_mask=mask, langs=languages.expand_as(text)).last_hidden_state
        return self.decoder(self.encoder, decoder_input_ids, target, memory, mask)

    def greedy(self, inputs, steps):
        ids = torch.full((inputs["input_ids"].shape[0], 1), EOS)
        ended = torch.zeros(ids.shape[0], dtype=torch.bool)
        for _ in range(steps):
            token = self.logits(**inputs, decoder_input_ids=ids)[:, -1].argmax(-1)
            ids = torch.cat([ids, torch.where(ended, PAD, token)[:, None]], 1)
            ended |= token == EOS
        return ids

    def save_pretrained(self, directory):
        directory.mkdir()
        config, ids = self.config, {"decoder_start_token_id": EOS, "eos_token_id": EOS, "pad_token_id": PAD}
        keys = "vocab_size emb_dim n_layers n_heads n_langs gelu_activation max_position_embeddings lang2id layer_norm_eps"
        values = {
            "model_type": "xlm-encoder-decoder",
            **{key: getattr(config, key) for key in keys.split()},
            "decoder_layers": self.decoder_layers,
            "first_language_token_id": FIRST_LANGUAGE,
            "dtype": "float32",
        }
        (directory / "config.json").write_text(json.dumps({**values, **ids}, indent=2) + "\n")
        (directory / "generation_config.json").write_text(json.dumps(ids, indent=2) + "\n")
        state = {name: value.contiguous() for name, value in self.state_dict().items() if "position_ids" not in name}
        # The output projection is the table of embeddings.
        del state["decoder.pred_layer.proj.weight"]
        save_file(state, directory / "model.safetensors")


def main():
    torch.set_num_threads(1)
    model = Translator(xlm_config(vocab_size=VOCAB, pad_index=PAD, n_layers=1), 2).eval()
    with torch.no_grad():
        randomize(model, 7, 0.3, model.decoder.pred_layer["proj"].bias)
        inputs = source(3, [9, 6, 12], VOCAB, WORDS, PAD, [4, 4, EOS], [EOS])
        # Target and source language of each row.
        inputs["input_ids"][:, :2] = torch.tensor([[4, 5], [6, 4], [5, 6]])
        decoder_ids = torch.tensor([[EOS, 20, 31, 8, 9], [EOS, 11, 12, 50, 30], [EOS, 7, 7, 42, 19]])
        forward = {"logits": model.logits(**inputs, decoder_input_ids=decoder_ids)}
        results = {
            name: {"options": {"max_new_tokens": steps}, "sequences": model.greedy(inputs, steps)}
            for name, steps in [("greedy", 12), ("greedy-short", 3)]
        }
    write("xlm-encoder-decoder", model, {**inputs, "decoder_input_ids": decoder_ids}, forward, results)


if __name__ == "__main__":
    main()
