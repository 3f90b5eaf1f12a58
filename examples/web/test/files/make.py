"""small.onnx and small.onnx.data: a network whose weights lie beside it, with class names and mean in its metadata.

    python3 make.py        onnx 1.12
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)
nodes = []
weights = []


def weight(name, *shape):
    scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
    values = (rng.standard_normal(shape) * scale).astype(np.float32)
    weights.append(numpy_helper.from_array(values, name))
    return name


value = "input"
for i, (cin, cout) in enumerate([(3, 8), (8, 12), (12, 16)]):
    inputs = [value, weight(f"conv{i}.weight", cout, cin, 3, 3), weight(f"conv{i}.bias", cout)]
    nodes.append(helper.make_node("Conv", inputs, [f"conv{i}"], strides=[2, 2], pads=[1, 1, 1, 1]))
    nodes.append(helper.make_node("Relu", [f"conv{i}"], [f"relu{i}"]))
    value = f"relu{i}"
nodes.append(helper.make_node("GlobalAveragePool", [value], ["pool"]))
nodes.append(helper.make_node("Flatten", ["pool"], ["features"]))
inputs = ["features", weight("fc.weight", 5, 16), weight("fc.bias", 5)]
nodes.append(helper.make_node("Gemm", inputs, ["logits"], transB=1))

picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])
logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 5])
graph = helper.make_graph(nodes, "small", [picture], [logits], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="make.py")
model.ir_version = 7
said = {
    "names": "{0: 'ant', 1: 'bee', 2: 'cat', 3: 'dog', 4: 'eel'}",
    "mean": "[0.4, 0.5, 0.6]",
    "std": "[0.2, 0.25, 0.3]",
}
helper.set_model_props(model, said)
onnx.checker.check_model(model)
onnx.save_model(
    model, "small.onnx", save_as_external_data=True, location="small.onnx.data", size_threshold=0
)
