"""The loop of unsupervised translation in plain PyTorch, eager: two stacks of XLM, greedy generation over a cache of keys and values."""

import time

import torch.nn.functional as F
from safetensors.torch import load_file
from trainPeer import make_optimizer

PAD, EOS = 0, 1
COLUMNS = 2


class Translator:
    """What a careful user would write: joined projections, memory projected once, a cache that is allocated once."""

    def __init__(self, torch, request):
        self.torch = torch
        self.config = request["config"]
        weights = load_file(request["weights"])
        at = lambda name: weights[name]
        self.table = at("encoder.embeddings.weight")
        self.positions = at("encoder.position_embeddings.weight")
        self.languages = at("encoder.lang_embeddings.weight")
        self.bias = at("decoder.pred_layer.proj.bias")
        self.norms = {
            side: (at(f"{side}.layer_norm_emb.weight"), at(f"{side}.layer_norm_emb.bias"))
            for side in ("encoder", "decoder")
        }
        self.encoder = [self._layer(weights, "encoder", i) for i in range(self.config["nLayers"])]
        self.decoder = [self._layer(weights, "decoder", i) for i in range(self.config["decoderLayers"])]
        self.batches = [self._batch(batch) for batch in request["batches"]]
        self.next = 0
        self.parameters = [self.table, self.positions, self.languages, self.bias]
        self.parameters += [weight for norm in self.norms.values() for weight in norm]
        self.parameters += [w for layer in self.encoder + self.decoder for w in layer.values()]
        for weight in self.parameters:
            weight.requires_grad_(True)
        self.clip_norm = request["optimizer"]["clipNorm"]
        self.optimizer = make_optimizer(torch, self.parameters, request)

    def _layer(self, weights, side, index):
        parts = {"qkv": ("attentions", "qkv"), "out": ("attentions", "out")}
        if side == "decoder":
            parts |= {"query": ("encoder_attn", "q"), "memory": ("encoder_attn", "kv"), "cross": ("encoder_attn", "out")}
        layer = {}
        for kind in ("weight", "bias"):
            for name, (block, letters) in parts.items():
                names = ["out"] if letters == "out" else letters
                layer[f"{name}.{kind}"] = self.torch.cat(
                    [weights[f"{side}.{block}.{index}.{letter}_lin.{kind}"] for letter in names]
                )
            for name in ("lin1", "lin2"):
                layer[f"{name}.{kind}"] = weights[f"{side}.ffns.{index}.{name}.{kind}"]
            for name in ("layer_norm1", "layer_norm2") + (("layer_norm15",) if side == "decoder" else ()):
                layer[f"{name}.{kind}"] = weights[f"{side}.{name}.{index}.{kind}"]
        return layer

    def _batch(self, batch):
        torch = self.torch
        if "feeds" in batch:
            return {name: torch.tensor(value["data"]).view(value["shape"]) for name, value in batch["feeds"].items()}
        return {**batch, "sources": self._pad(batch["sources"])}

    def _pad(self, rows):
        return self.torch.nn.utils.rnn.pad_sequence(
            [self.torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD
        )

    def _linear(self, layer, name, x):
        return F.linear(x, layer[f"{name}.weight"], layer[f"{name}.bias"])

    def _norm(self, layer, name, x):
        return F.layer_norm(x, x.shape[-1:], layer[f"{name}.weight"], layer[f"{name}.bias"], 1e-12)

    def _split(self, x, parts):
        batch, length, _ = x.shape
        return x.view(batch, length, parts, self.config["nHeads"], -1).permute(2, 0, 3, 1, 4)

    def _merge(self, context):
        batch, _, length, _ = context.shape
        return context.transpose(1, 2).reshape(batch, length, -1)

    def _embed(self, side, ids, languages, start=0):
        x = F.embedding(ids, self.table) + self.positions[start : start + ids.shape[1]]
        x = x + F.embedding(languages - self.config["firstLanguageId"], self.languages)[:, None]
        weight, bias = self.norms[side]
        return F.layer_norm(x, x.shape[-1:], weight, bias, 1e-12)

    def _feed_forward(self, layer, x):
        return self._norm(layer, "layer_norm2", x + self._linear(layer, "lin2", F.gelu(self._linear(layer, "lin1", x))))

    def _encode(self, ids):
        text = ids[:, COLUMNS:]
        mask = (text != PAD)[:, None, None, :]
        x = self._embed("encoder", text, ids[:, 1])
        for layer in self.encoder:
            query, key, value = self._split(self._linear(layer, "qkv", x), 3)
            context = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            x = self._norm(layer, "layer_norm1", x + self._linear(layer, "out", self._merge(context)))
            x = self._feed_forward(layer, x)
        return [self._split(self._linear(layer, "memory", x), 2) for layer in self.decoder], mask

    def _cross(self, layer, x, memory, mask):
        (query,) = self._split(self._linear(layer, "query", x), 1)
        context = F.scaled_dot_product_attention(query, memory[0], memory[1], attn_mask=mask)
        return self._norm(layer, "layer_norm15", x + self._linear(layer, "cross", self._merge(context)))

    def _loss(self, feeds):
        ids = feeds["inputIds"]
        memory, mask = self._encode(ids)
        x = self._embed("decoder", feeds["decoderInputIds"], ids[:, 0])
        for layer, own in zip(self.decoder, memory):
            query, key, value = self._split(self._linear(layer, "qkv", x), 3)
            context = F.scaled_dot_product_attention(query, key, value, is_causal=True)
            x = self._norm(layer, "layer_norm1", x + self._linear(layer, "out", self._merge(context)))
            x = self._feed_forward(layer, self._cross(layer, x, own, mask))
        rows = x.reshape(-1, x.shape[-1])[feeds["labelPositions"]]
        return F.cross_entropy(F.linear(rows, self.table, self.bias), feeds["labels"].long())

    def _generate(self, sources, steps):
        """Greedy; EOS is not chosen, as it is not by the other side."""
        torch = self.torch
        with torch.inference_mode():
            memory, mask = self._encode(sources)
            batch, heads = sources.shape[0], self.config["nHeads"]
            size = self.config["embDim"] // heads
            caches = [torch.empty(2, batch, heads, steps, size) for _ in self.decoder]
            token = torch.full((batch, 1), EOS)
            written = torch.empty(batch, steps, dtype=torch.long)
            for step in range(steps):
                x = self._embed("decoder", token, sources[:, 0], step)
                for layer, cache, own in zip(self.decoder, caches, memory):
                    query, key, value = self._split(self._linear(layer, "qkv", x), 3)
                    cache[0, :, :, step : step + 1] = key
                    cache[1, :, :, step : step + 1] = value
                    context = F.scaled_dot_product_attention(query, *cache[:, :, :, : step + 1])
                    x = self._norm(layer, "layer_norm1", x + self._linear(layer, "out", self._merge(context)))
                    x = self._feed_forward(layer, self._cross(layer, x, own, mask))
                logits = F.linear(x[:, 0], self.table, self.bias)
                logits[:, EOS] = float("-inf")
                token = logits.argmax(-1, keepdim=True)
                written[:, step : step + 1] = token
        return written

    def _back_translate(self, batch):
        """The feeds of a batch whose sources are generated now."""
        texts = batch["texts"]
        written = self._generate(batch["sources"], max(map(len, texts)) + 1).tolist()
        head = batch["languages"] + [EOS]
        inputs = self._pad([head + row + [EOS] for row in written])
        decoder_inputs = self._pad([[EOS] + text for text in texts])
        width = decoder_inputs.shape[1]
        positions = [row * width + at for row, text in enumerate(texts) for at in range(len(text) + 1)]
        labels = [token for text in texts for token in text + [EOS]]
        tensor = self.torch.tensor
        return {
            "inputIds": inputs,
            "decoderInputIds": decoder_inputs,
            "labelPositions": tensor(positions),
            "labels": tensor(labels),
        }

    def _update(self, feeds):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(feeds)
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()
        return loss.item()

    def round(self):
        """Four tasks. Milliseconds of generation and of the rest, and the losses."""
        generation, training, losses = 0.0, 0.0, []
        for _ in range(4):
            batch = self.batches[self.next % len(self.batches)]
            self.next += 1
            start = time.perf_counter()
            feeds = batch if "inputIds" in batch else self._back_translate(batch)
            made = time.perf_counter()
            losses.append(self._update(feeds))
            generation += 1000 * (made - start)
            training += 1000 * (time.perf_counter() - made)
        return {"generation": generation, "training": training, "losses": losses}
