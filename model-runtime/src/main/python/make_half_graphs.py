"""Writes halve.onnx and widen.onnx: numbers float32 [N] -> float16 [N], ties to even, and back.

Graphs rather than loops in Java because ONNX Runtime converts some 17 times faster, to the same bits.
Run it from anywhere: `python make_half_graphs.py`; needs the packages onnx and numpy.
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

TARGET = Path(__file__).parent.parent / "resources/io/tagstream/model/onnx"


def write(name: str, taken: int, given: int) -> None:
    graph = helper.make_graph(
        nodes=[helper.make_node("Cast", ["numbers"], ["converted"], to=given)],
        name=name,
        inputs=[helper.make_tensor_value_info("numbers", taken, ["N"])],
        outputs=[helper.make_tensor_value_info("converted", given, ["N"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (TARGET / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    write("halve", TensorProto.FLOAT, TensorProto.FLOAT16)
    write("widen", TensorProto.FLOAT16, TensorProto.FLOAT)


if __name__ == "__main__":
    main()
