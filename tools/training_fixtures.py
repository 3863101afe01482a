"""Writes test/fixtures/training/schedules.json: learning rates of transformers' schedules.

Run from the repository root with the packages of tools/requirements.txt: python tools/training_fixtures.py
"""

import json

import torch
from transformers import optimization

UPDATES = 400
PEAK = 5e-4
CASES = [
    ("inverseSquareRoot", 40, None),
    ("inverseSquareRoot", 0, None),
    ("linear", 40, 300),
    ("linear", 0, 300),
    ("cosine", 40, 400),
    ("constant", 40, None),
    ("constant", 0, None),
]


def scheduler(kind, optimizer, warmup, total):
    if kind == "inverseSquareRoot":
        return optimization.get_inverse_sqrt_schedule(optimizer, warmup)
    if kind == "linear":
        return optimization.get_linear_schedule_with_warmup(optimizer, warmup, total)
    if kind == "cosine":
        return optimization.get_cosine_schedule_with_warmup(optimizer, warmup, total)
    return optimization.get_constant_schedule_with_warmup(optimizer, warmup)


cases = []
for kind, warmup, total in CASES:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=PEAK)
    schedule = scheduler(kind, optimizer, warmup, total)
    rates = {}
    for update in range(UPDATES):
        if update in (0, 1, 2, 39, 40, 41, 57, 123, 299, 300, 301, 399):
            rates[update] = optimizer.param_groups[0]["lr"]
        optimizer.step()
        schedule.step()
    cases.append(
        {"type": kind, "learningRate": PEAK, "warmupUpdates": warmup, "totalUpdates": total, "rates": rates}
    )

with open("test/fixtures/training/schedules.json", "w") as file:
    json.dump(cases, file, indent=1)
    file.write("\n")
