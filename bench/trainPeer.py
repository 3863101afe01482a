"""The training bench's model in plain PyTorch, eager: what a careful user would write."""

import math

import torch.nn.functional as F
from safetensors.torch import load_file


def make_optimizer(torch, parameters, request):
    """AdamW as polybeam's: no decay of biases and layer norms."""
    optimizer = request["optimizer"]
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": optimizer["weightDecay"]},
            {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
        ],
        lr=request["learningRate"],
        betas=(optimizer["adamBeta1"], optimizer["adamBeta2"]),
        eps=optimizer["adamEpsilon"],
        fused=True,
    )


class EncoderLanguageModel:
    """The encoder of bench/train.ts, with query, key and value in one product, its loss and its optimizer."""

    def __init__(self, torch, request):
        self.torch = torch
        self.config = request["config"]
        weights = load_file(request["weights"])
        self.table = weights["model.shared.weight"]
        self.layers = [self._layer(weights, index) for index in range(self.config["encoderLayers"])]
        self.positions = torch.tensor(request["positions"]).view(-1, self.config["dModel"])
        self.input_ids = torch.tensor(request["inputIds"]).view(request["batch"], request["length"])
        self.labels = torch.tensor(request["labels"])
        self.parameters = [self.table] + [weight for layer in self.layers for weight in layer.values()]
        for weight in self.parameters:
            weight.requires_grad_(True)
        self.clip_norm = request["optimizer"]["clipNorm"]
        self.optimizer = make_optimizer(torch, self.parameters, request)

    def _layer(self, weights, index):
        at = lambda name: weights[f"model.encoder.layers.{index}.{name}"]
        layer = {
            f"qkv.{kind}": self.torch.cat([at(f"self_attn.{name}_proj.{kind}") for name in "qkv"])
            for kind in ("weight", "bias")
        }
        for name in ("self_attn.out_proj", "self_attn_layer_norm", "fc1", "fc2", "final_layer_norm"):
            for kind in ("weight", "bias"):
                layer[f"{name}.{kind}"] = at(f"{name}.{kind}")
        return layer

    def _encode(self):
        features = self.config["dModel"]
        heads = self.config["encoderAttentionHeads"]
        batch, length = self.input_ids.shape
        x = F.embedding(self.input_ids, self.table) * math.sqrt(features) + self.positions[:length]
        for layer in self.layers:
            linear = lambda name, value: F.linear(value, layer[f"{name}.weight"], layer[f"{name}.bias"])
            norm = lambda name, value: F.layer_norm(
                value, (features,), layer[f"{name}.weight"], layer[f"{name}.bias"], 1e-5
            )
            query, key, value = linear("qkv", x).view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
            context = F.scaled_dot_product_attention(query, key, value)
            context = context.transpose(1, 2).reshape(batch, length, features)
            x = norm("self_attn_layer_norm", x + linear("self_attn.out_proj", context))
            x = norm("final_layer_norm", x + linear("fc2", F.relu(linear("fc1", x))))
        return x.view(-1, features)

    def step(self, update):
        """Forward and backward; with `update` clipping and AdamW as well. Returns what reads the results."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(F.linear(self._encode(), self.table), self.labels)
        loss.backward()
        if not update:
            return lambda: {"loss": loss.item(), "gradientNorm": self._norm()}
        norm = self.torch.nn.utils.clip_grad_norm_(self.parameters, self.clip_norm)
        self.optimizer.step()
        return lambda: {"loss": loss.item(), "gradientNorm": norm.item()}

    def _norm(self):
        # In float64: torch's float32 norm of a large tensor can be off in the third digit.
        return math.sqrt(sum(p.grad.double().square().sum().item() for p in self.parameters))
