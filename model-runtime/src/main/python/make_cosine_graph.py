"""Writes cosine.onnx: embedding [B,D] x labels [L,D] -> cosine [B,L], the product of unit vectors.

A graph rather than a loop in Java because ONNX Runtime's matrix product is some 20 times faster.
Run it from anywhere: `python make_cosine_graph.py`; needs the packages onnx and numpy.
"""

from pathlib import Path

import onnx
from onnx import TensorProto, helper

TARGET = Path(__file__).parent.parent / "resources/io/tagstream/model/onnx/cosine.onnx"


def main() -> None:
    graph = helper.make_graph(
        nodes=[helper.make_node("Gemm", ["embedding", "labels"], ["cosine"], transB=1)],
        name="cosine",
        inputs=[
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["B", "D"]),
            helper.make_tensor_value_info("labels", TensorProto.FLOAT, ["L", "D"]),
        ],
        outputs=[helper.make_tensor_value_info("cosine", TensorProto.FLOAT, ["B", "L"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
