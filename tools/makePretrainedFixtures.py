"""Makes test/fixtures/pretrained: small files that torch and safetensors wrote, and what they hold.

    python tools/makePretrainedFixtures.py
"""

import hashlib
import json
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parent.parent / "test" / "fixtures" / "pretrained"


def state_dict():
    """Every number format, shared storages, views, transposed and empty tensors."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8 - 1
    halves = torch.tensor([0.0, -0.0, 1.0, 6.103515625e-05, 5.960464477539063e-08, 65504.0, float("inf")])
    return OrderedDict(
        {
            "base": base,
            "tied": base,
            "row": base[2],
            "columns": base[:, 1:4],
            "transposed": base.t(),
            "permuted": torch.arange(24, dtype=torch.float64).reshape(2, 3, 4).permute(2, 0, 1),
            "expanded": torch.tensor([[1.5], [2.5]]).expand(2, 3),
            "parameter": torch.nn.Parameter(torch.tensor([3.25, -4.5])),
            "scalar": torch.tensor(7.5),
            "empty": torch.zeros(0, 3),
            "half": halves.half(),
            "bfloat": torch.tensor([1.0, -2.5, 3.0e38, 1e-40]).bfloat16(),
            "double": torch.tensor([0.1, 1e300, -1e-300], dtype=torch.float64),
            "long": torch.tensor([1, -2, 1 << 40]),
            "int": torch.tensor([1, -2], dtype=torch.int32),
            "byte": torch.tensor([0, 255], dtype=torch.uint8),
            "char": torch.tensor([[-127, 5], [3, 127]], dtype=torch.int8),
            "bool": torch.tensor([True, False]),
        }
    )


class Command:
    def __reduce__(self):
        return os.system, ("echo executed > /tmp/polybeam-pickle-was-executed",)


def describe(tensors):
    """Shape and the bytes of each tensor, row-major, in hexadecimal."""
    described = {}
    for name, tensor in tensors.items():
        plain = tensor.detach().contiguous()
        data = bytes(plain.flatten().view(torch.uint8).numpy()) if plain.numel() else b""
        dtype = str(plain.dtype).removeprefix("torch.")
        described[name] = {"dtype": dtype, "shape": list(plain.shape), "hex": data.hex()}
    return described


def number_formats():
    """Digests of numpy's float32 -> float16, float16 -> float32 and torch's bfloat16 -> float32, over many numbers."""
    words = np.arange(1 << 16, dtype=np.uint16)
    exact = words.view(np.float16).astype(np.float32)
    # Every half, the midpoint to the next one, its float32 neighbours, and a scatter over all of float32.
    finite = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    middle = ((finite + np.append(finite[1:], 65536.0)) / 2).astype(np.float32).view(np.uint32)
    scatter = (np.arange(1 << 18, dtype=np.uint64) * 2654435761 % (1 << 32)).astype(np.uint32)
    magnitudes = np.concatenate([middle, middle - 1, middle + 1])
    bits = np.concatenate([magnitudes, magnitudes | 0x80000000, scatter])
    with np.errstate(over="ignore", invalid="ignore"):
        halves = bits.view(np.float32).astype(np.float16).view(np.uint16)
    halves = np.where((halves & 0x7FFF) > 0x7C00, 0x7E00, halves).astype(np.uint16)
    wide = torch.from_numpy(words.view(np.int16)).view(torch.bfloat16).float().numpy()
    plain = lambda floats: np.where(np.isnan(floats), np.float32("nan"), floats).astype("<f4")
    digest = lambda array: hashlib.sha256(array.tobytes()).hexdigest()
    return {
        "halfToFloat": digest(plain(exact)),
        "floatToHalf": digest(halves),
        "floatToHalfCount": int(bits.size),
        "bfloatToFloat": digest(plain(wide)),
    }


def main():
    ROOT.mkdir(parents=True, exist_ok=True)
    tensors = state_dict()
    torch.save(tensors, ROOT / "zip.bin")
    torch.save(tensors, ROOT / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(OrderedDict(weight=torch.zeros(2), bad=Command()), ROOT / "command.bin")
    torch.save({"epoch": 3, "model": OrderedDict(weight=torch.zeros(2))}, ROOT / "nested.bin")
    copies = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    save_file(copies, ROOT / "all.safetensors", metadata={"format": "pt"})
    expected = {"tensors": describe(tensors), "numberFormats": number_formats()}
    (ROOT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
