"""ONNX operators by the words of the specification, in NumPy: the oracle of make.py's cases.

Floats are computed in one type, float64 for what is expected, float32 for how far rounding alone may lead. What
is quantised is computed as its real number: QuantizeLinear of a value that depends on the picture only clips it to
what the integers can hold, for so this library reads such files. Its rounding is not imitated.
"""

import math

import numpy as np
from onnx import helper, numpy_helper
from reference_windows import average_pool, conv, max_pool


class Quantised:
    """A quantised value that depends on the picture: the real numbers that it stands for."""

    def __init__(self, real):
        self.real = real


class Reference:
    def __init__(self, model, floats):
        self.floats, self.opset = floats, 1
        for entry in model.opset_import:
            if entry.domain == '':
                self.opset = entry.version
        self.graph = model.graph
        self.values = {}
        for tensor in self.graph.initializer:
            self.values[tensor.name] = self.cast(numpy_helper.to_array(tensor))

    def cast(self, array):
        return array.astype(self.floats) if array.dtype.kind == 'f' else array

    def run(self, picture):
        """The values of all outputs, by name."""
        name = next(i.name for i in self.graph.input if i.name not in self.values)
        self.picture = name
        self.values[name] = self.cast(picture)
        self.varying = {name}
        for node in self.graph.node:
            inputs = [self.values[i] if i else None for i in node.input]
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if any(i in self.varying for i in node.input) and node.op_type != 'Shape':
                self.varying.update(node.output)
            self.depends = bool(node.output) and node.output[0] in self.varying
            outputs = getattr(self, node.op_type)(node, inputs, attributes)
            if not isinstance(outputs, (tuple, list)):
                outputs = [outputs]
            for key, value in zip(node.output, outputs):
                if isinstance(value, np.ndarray) or np.isscalar(value):
                    value = self.cast(np.asarray(value))
                self.values[key] = value
        return {o.name: self.values[o.name] for o in self.graph.output}

    # Layers

    def Conv(self, node, x, a):
        return conv(x[0], x[1], x[2] if len(x) > 2 else None, a)

    def MaxPool(self, node, x, a):
        return max_pool(x[0], a)

    def AveragePool(self, node, x, a):
        return average_pool(x[0], a)

    def GlobalAveragePool(self, node, x, a):
        return x[0].mean((2, 3), keepdims=True)

    def GlobalMaxPool(self, node, x, a):
        return x[0].max((2, 3), keepdims=True)

    def BatchNormalization(self, node, x, a):
        data, scale, bias, mean, variance = x[:5]
        if not a.get('spatial', 1):
            shape = (1,) + scale.shape
        else:
            shape = (1, -1) + (1,) * (data.ndim - 2)
        scale, bias, mean, variance = (v.reshape(shape) for v in (scale, bias, mean, variance))
        return scale * (data - mean) / np.sqrt(variance + self.floats(a.get('epsilon', 1e-5))) + bias

    def InstanceNormalization(self, node, x, a):
        data, scale, bias = x
        axes = tuple(range(2, data.ndim))
        shape = (1, -1) + (1,) * (data.ndim - 2)
        y = self.standard(data, axes, a.get('epsilon', 1e-5))
        return y * scale.reshape(shape) + bias.reshape(shape)

    def LayerNormalization(self, node, x, a):
        axis = a.get('axis', -1) % x[0].ndim
        y = self.standard(x[0], tuple(range(axis, x[0].ndim)), a.get('epsilon', 1e-5))
        y = y * x[1]
        return y + x[2] if len(x) > 2 and x[2] is not None else y

    def GroupNormalization(self, node, x, a):
        data, scale, bias = x
        groups = a['num_groups']
        split = data.reshape(data.shape[0], groups, -1)
        y = self.standard(split, (2,), a.get('epsilon', 1e-5))
        if self.opset < 21:
            y = y.reshape(data.shape[0], groups, -1) * scale.reshape(1, groups, 1)
            y = y + bias.reshape(1, groups, 1)
            return y.reshape(data.shape)
        shape = (1, -1) + (1,) * (data.ndim - 2)
        return y.reshape(data.shape) * scale.reshape(shape) + bias.reshape(shape)

    def standard(self, x, axes, epsilon):
        centred = x - x.mean(axes, keepdims=True)
        variance = (centred**2).mean(axes, keepdims=True)
        return centred / np.sqrt(variance + self.floats(epsilon))

    def LRN(self, node, x, a):
        size, channels = a['size'], x[0].shape[1]
        squares = np.zeros_like(x[0])
        for c in range(channels):
            first, last = c - (size - 1) // 2, c + math.ceil((size - 1) / 2)
            squares[:, c] = (x[0][:, max(0, first) : last + 1] ** 2).sum(1)
        base = a.get('bias', 1.0) + a.get('alpha', 1e-4) / size * squares
        return x[0] / base ** a.get('beta', 0.75)

    def Gemm(self, node, x, a):
        left = x[0].T if a.get('transA', 0) else x[0]
        right = x[1].T if a.get('transB', 0) else x[1]
        y = self.floats(a.get('alpha', 1)) * (left @ right)
        if len(x) > 2 and x[2] is not None:
            y = y + self.floats(a.get('beta', 1)) * x[2]
        return y

    def MatMul(self, node, x, a):
        return np.matmul(x[0], x[1])

    def Dropout(self, node, x, a):
        return x[0], np.ones(x[0].shape, bool)

    # Element by element

    def Relu(self, node, x, a):
        return np.maximum(x[0], 0)

    def Clip(self, node, x, a):
        low = a.get('min', x[1] if len(x) > 1 and x[1] is not None else -np.inf)
        high = a.get('max', x[2] if len(x) > 2 and x[2] is not None else np.inf)
        return np.minimum(np.maximum(x[0], low), high)

    def LeakyRelu(self, node, x, a):
        return np.where(x[0] < 0, self.floats(a.get('alpha', 0.01)) * x[0], x[0])

    def PRelu(self, node, x, a):
        return np.where(x[0] < 0, x[1] * x[0], x[0])

    def Elu(self, node, x, a):
        return np.where(x[0] < 0, a.get('alpha', 1.0) * (np.exp(np.minimum(x[0], 0)) - 1), x[0])

    def Celu(self, node, x, a):
        alpha = a.get('alpha', 1.0)
        return np.maximum(x[0], 0) + np.minimum(0, alpha * (np.exp(x[0] / alpha) - 1))

    def Selu(self, node, x, a):
        alpha, gamma = a.get('alpha', 1.6732632423543772), a.get('gamma', 1.0507009873554805)
        return gamma * np.where(x[0] <= 0, alpha * (np.exp(np.minimum(x[0], 0)) - 1), x[0])

    def Sigmoid(self, node, x, a):
        return 1 / (1 + np.exp(-x[0]))

    def HardSigmoid(self, node, x, a):
        return np.clip(a.get('alpha', 0.2) * x[0] + a.get('beta', 0.5), 0, 1)

    def HardSwish(self, node, x, a):
        return x[0] * np.clip(x[0] / 6 + 0.5, 0, 1)

    def Softplus(self, node, x, a):
        return np.log1p(np.exp(-np.abs(x[0]))) + np.maximum(x[0], 0)

    def Softsign(self, node, x, a):
        return x[0] / (1 + np.abs(x[0]))

    def ThresholdedRelu(self, node, x, a):
        return np.where(x[0] > a.get('alpha', 1.0), x[0], 0)

    def Tanh(self, node, x, a):
        return np.tanh(x[0])

    def Mish(self, node, x, a):
        return x[0] * np.tanh(self.Softplus(node, x, a))

    def Gelu(self, node, x, a):
        if a.get('approximate', b'none') == b'tanh':
            inner = math.sqrt(2 / math.pi) * (x[0] + 0.044715 * x[0] ** 3)
            return 0.5 * x[0] * (1 + np.tanh(inner))
        return 0.5 * x[0] * (1 + self.Erf(node, [x[0] / math.sqrt(2)], a))

    def Erf(self, node, x, a):
        return np.vectorize(math.erf)(x[0]).astype(self.floats)

    def Swish(self, node, x, a):
        return x[0] / (1 + np.exp(-a.get('alpha', 1.0) * x[0]))

    def Exp(self, node, x, a):
        return np.exp(x[0])

    def Log(self, node, x, a):
        return np.log(x[0])

    def Sqrt(self, node, x, a):
        return np.sqrt(x[0])

    def Abs(self, node, x, a):
        return np.abs(x[0])

    def Neg(self, node, x, a):
        return -x[0]

    def Reciprocal(self, node, x, a):
        return 1 / x[0]

    def Floor(self, node, x, a):
        return np.floor(x[0])

    def Ceil(self, node, x, a):
        return np.ceil(x[0])

    def Round(self, node, x, a):
        return np.round(x[0])

    def Sin(self, node, x, a):
        return np.sin(x[0])

    def Softmax(self, node, x, a):
        return np.exp(self.LogSoftmax(node, x, a))

    def LogSoftmax(self, node, x, a):
        data = x[0]
        if self.opset >= 13:
            axis = a.get('axis', -1)
            shifted = data - data.max(axis, keepdims=True)
            return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
        axis = a.get('axis', 1) % data.ndim
        flat = data.reshape(int(np.prod(data.shape[:axis])), -1)
        shifted = flat - flat.max(1, keepdims=True)
        return (shifted - np.log(np.exp(shifted).sum(1, keepdims=True))).reshape(data.shape)

    def Add(self, node, x, a):
        return x[0] + x[1]

    def Sub(self, node, x, a):
        return x[0] - x[1]

    def Mul(self, node, x, a):
        return x[0] * x[1]

    def Div(self, node, x, a):
        if x[0].dtype.kind in 'iu':
            return (np.trunc(x[0] / x[1])).astype(x[0].dtype)
        return x[0] / x[1]

    def Pow(self, node, x, a):
        return np.power(x[0], x[1].astype(x[0].dtype))

    def Max(self, node, x, a):
        return fold(np.maximum, x)

    def Min(self, node, x, a):
        return fold(np.minimum, x)

    def Sum(self, node, x, a):
        return fold(np.add, x)

    def Mean(self, node, x, a):
        return fold(np.add, x) / len(x)

    def Mod(self, node, x, a):
        return np.fmod(x[0], x[1]) if a.get('fmod', 0) else np.mod(x[0], x[1])

    def Where(self, node, x, a):
        return np.where(x[0], x[1], x[2])

    def Equal(self, node, x, a):
        return x[0] == x[1]

    def Less(self, node, x, a):
        return x[0] < x[1]

    def Greater(self, node, x, a):
        return x[0] > x[1]

    def Not(self, node, x, a):
        return ~x[0]

    def And(self, node, x, a):
        return x[0] & x[1]

    def Or(self, node, x, a):
        return x[0] | x[1]


def fold(function, arrays):
    total = arrays[0]
    for other in arrays[1:]:
        total = function(total, other)
    return total
