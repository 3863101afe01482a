"""The pre-training bench's model in plain PyTorch, eager: what a careful user would write."""

import math

import torch.nn.functional as F
from safetensors.torch import load_file
from trainPeer import make_optimizer


class MassModel:
    """An encoder-decoder that predicts fragments, with the projections of one input in one product."""

    def __init__(self, torch, request):
        self.torch = torch
        self.config = request["config"]
        weights = load_file(request["weights"])
        self.table = weights["model.shared.weight"]
        self.encoder = [self._layer(weights, "encoder", i) for i in range(self.config["encoderLayers"])]
        self.decoder = [self._layer(weights, "decoder", i) for i in range(self.config["decoderLayers"])]
        self.positions = torch.tensor(request["positions"]).view(-1, self.config["dModel"])
        self.inputs = {
            name: torch.tensor(value["data"]).view(value["shape"]) for name, value in request["inputs"].items()
        }
        self.encoder_mask = self.inputs["attentionMask"].bool()[:, None, None, :]
        self.memory_mask = self.inputs["memoryMask"].bool()[:, None, None, :]
        layers = self.encoder + self.decoder
        self.parameters = [self.table] + [weight for layer in layers for weight in layer.values()]
        for weight in self.parameters:
            weight.requires_grad_(True)
        self.clip_norm = request["optimizer"]["clipNorm"]
        self.optimizer = make_optimizer(torch, self.parameters, request)

    def _layer(self, weights, side, index):
        at = lambda name: weights[f"model.{side}.layers.{index}.{name}"]
        join = lambda block, names, kind: self.torch.cat([at(f"{block}.{name}_proj.{kind}") for name in names])
        layer = {f"qkv.{kind}": join("self_attn", "qkv", kind) for kind in ("weight", "bias")}
        names = ["self_attn.out_proj", "self_attn_layer_norm", "fc1", "fc2", "final_layer_norm"]
        if side == "decoder":
            layer |= {f"memory.{kind}": join("encoder_attn", "kv", kind) for kind in ("weight", "bias")}
            names += ["encoder_attn.q_proj", "encoder_attn.out_proj", "encoder_attn_layer_norm"]
        for name in names:
            for kind in ("weight", "bias"):
                layer[f"{name}.{kind}"] = at(f"{name}.{kind}")
        return layer

    def _linear(self, layer, name, value):
        return F.linear(value, layer[f"{name}.weight"], layer[f"{name}.bias"])

    def _norm(self, layer, name, value):
        return F.layer_norm(value, value.shape[-1:], layer[f"{name}.weight"], layer[f"{name}.bias"], 1e-5)

    def _split(self, value, parts, heads):
        batch, length, features = value.shape
        return value.view(batch, length, parts, heads, -1).permute(2, 0, 3, 1, 4)

    def _self_attention(self, layer, x, heads, **mask):
        query, key, value = self._split(self._linear(layer, "qkv", x), 3, heads)
        context = F.scaled_dot_product_attention(query, key, value, **mask)
        return self._linear(layer, "self_attn.out_proj", context.transpose(1, 2).reshape(x.shape))

    def _cross_attention(self, layer, x, memory, heads):
        (query,) = self._split(self._linear(layer, "encoder_attn.q_proj", x), 1, heads)
        key, value = self._split(self._linear(layer, "memory", memory), 2, heads)
        context = F.scaled_dot_product_attention(query, key, value, attn_mask=self.memory_mask)
        return self._linear(layer, "encoder_attn.out_proj", context.transpose(1, 2).reshape(x.shape))

    def _feed_forward(self, layer, x):
        inner = self._linear(layer, "fc2", F.relu(self._linear(layer, "fc1", x)))
        return self._norm(layer, "final_layer_norm", x + inner)

    def _embed(self, ids, positions):
        return F.embedding(ids, self.table) * math.sqrt(self.config["dModel"]) + positions

    def _loss(self):
        ids = self.inputs["inputIds"]
        x = self._embed(ids, self.positions[: ids.shape[1]])
        heads = self.config["encoderAttentionHeads"]
        for layer in self.encoder:
            attended = self._self_attention(layer, x, heads, attn_mask=self.encoder_mask)
            x = self._feed_forward(layer, self._norm(layer, "self_attn_layer_norm", x + attended))
        memory = x
        x = self._embed(self.inputs["decoderInputIds"], self.positions[self.inputs["decoderPositions"]])
        heads = self.config["decoderAttentionHeads"]
        for layer in self.decoder:
            x = self._norm(layer, "self_attn_layer_norm", x + self._self_attention(layer, x, heads, is_causal=True))
            x = self._norm(layer, "encoder_attn_layer_norm", x + self._cross_attention(layer, x, memory, heads))
            x = self._feed_forward(layer, x)
        rows = x.view(-1, x.shape[-1])[self.inputs["labelPositions"]]
        return F.cross_entropy(F.linear(rows, self.table), self.inputs["labels"].long())

    def step(self):
        """Forward, backward, clipping and AdamW. Returns what reads the results."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss()
        loss.backward()
        norm = self.torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()
        return lambda: {"loss": loss.item(), "gradientNorm": norm.item()}
