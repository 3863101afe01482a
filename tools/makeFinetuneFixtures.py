"""Makes test/fixtures/training/finetune.json: three updates of the tiny BART of test/fixtures/models by PyTorch, with a rate for each layer and
a frozen encoder.

    python tools/makeFinetuneFixtures.py
"""

import json
from pathlib import Path

import torch
from transformers import BartForConditionalGeneration

FIXTURES = Path(__file__).resolve().parent.parent / "test" / "fixtures"
# Words a, b, c ... have the ids from 5; 0, 2 and 1 are <s>, </s> and padding.
PAIRS = [("a b c", "c b a"), ("d e", "e d"), ("f g h i j", "j i h g f"), ("k", "k l m"), ("n o p a", "a p o n")]
LEARNING_RATE, DECAY, LAYER_DECAY, CLIP = 0.01, 0.1, 0.5, 1.0
EPSILON = 1e-3


def encode(text):
    return [0, *(5 + ord(word) - ord("a") for word in text.split()), 2]


def padded(rows, fill):
    longest = max(map(len, rows))
    return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])


def rate(name):
    """The decoder has two layers; embeddings lie below them."""
    if name.startswith("model.decoder.layers.0.") :
        return LEARNING_RATE * LAYER_DECAY
    if "embed" in name or "shared" in name:
        return LEARNING_RATE * LAYER_DECAY**2
    return LEARNING_RATE


def main():
    model = BartForConditionalGeneration.from_pretrained(
        FIXTURES / "models" / "bart", dropout=0, attention_dropout=0, activation_dropout=0
    )
    model.train()
    groups = []
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith("model.encoder."))
        if parameter.requires_grad:
            decay = DECAY if parameter.dim() > 1 else 0
            groups.append({"params": [parameter], "lr": rate(name), "weight_decay": decay})
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=EPSILON)
    sources = [encode(source) for source, _ in PAIRS]
    targets = [encode(target) for _, target in PAIRS]
    losses, norms = [], []
    for _ in range(3):
        optimizer.zero_grad()
        out = model(
            input_ids=padded(sources, 1),
            attention_mask=padded([[1] * len(row) for row in sources], 0),
            labels=padded(targets, -100),
        )
        out.loss.backward()
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        norms.append(torch.nn.utils.clip_grad_norm_(trained, CLIP).item())
        losses.append(out.loss.item())
        optimizer.step()
    weights = {name: value.flatten()[:6].tolist() for name, value in model.named_parameters()}
    result = {
        "pairs": PAIRS,
        "config": {
            "learningRate": LEARNING_RATE,
            "weightDecay": DECAY,
            "layerDecay": LAYER_DECAY,
            "clipNorm": CLIP,
            "adamEpsilon": EPSILON,
        },
        "losses": losses,
        "gradientNorms": norms,
        # The first numbers of each after the last update.
        "weights": weights,
    }
    (FIXTURES / "training" / "finetune.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
