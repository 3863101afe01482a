"""Writes test/fixtures/engine/: a small ONNX model as the onnx package writes it, to compare our encoder with.

Run from the repository root with the packages of tools/requirements.txt.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

folder = Path("test/fixtures/engine")


def external(name: str, shape: list[int], location: str, offset: int, length: int) -> TensorProto:
    tensor = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT)
    for key, value in {"location": location, "offset": str(offset), "length": str(length)}.items():
        tensor.external_data.add(key=key, value=value)
    tensor.data_location = TensorProto.EXTERNAL
    return tensor


def inline(name: str, array: np.ndarray) -> TensorProto:
    kinds = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}
    return TensorProto(
        name=name, dims=array.shape, data_type=kinds[str(array.dtype)], raw_data=array.tobytes()
    )


nodes = [
    helper.make_node("MatMul", ["x", "weight"], ["product"], name="MatMul_0"),
    helper.make_node("LeakyRelu", ["product"], ["bent"], name="LeakyRelu_1", alpha=0.25),
    helper.make_node("Clip", ["bent", "", "two"], ["cut"], name="Clip_2"),
    helper.make_node("Transpose", ["cut"], ["turned"], name="Transpose_3", perm=[1, 0]),
    helper.make_node("BitShift", ["bits"], ["shifted"], name="BitShift_4", direction="RIGHT"),
    helper.make_node("Gelu", ["turned"], ["y"], name="Gelu_5", domain="com.microsoft"),
    helper.make_node("CumSum", ["x", "axis"], ["sums"], name="CumSum_6", reverse=-1),
]
graph = helper.make_graph(
    nodes,
    "polybeam",
    [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 2]),
        helper.make_tensor_value_info("bits", TensorProto.UINT32, []),
    ],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, "rows"])],
    [
        inline("two", np.array(2, np.float32)),
        inline("axis", np.array([-1], np.int64)),
        external("weight", [2, 3], "model.safetensors", 4096, 24),
    ],
)
model = helper.make_model(
    graph,
    producer_name="polybeam",
    ir_version=10,
    opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)],
)
folder.mkdir(parents=True, exist_ok=True)
(folder / "small.onnx").write_bytes(model.SerializeToString(deterministic=True))
