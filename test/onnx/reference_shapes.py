"""What moves elements, reduces them, or computes with shapes; constants; and quantised operators."""

import numpy as np
from onnx import TensorProto, numpy_helper
from onnx.mapping import TENSOR_TYPE_TO_NP_TYPE
from reference import Quantised, Reference
from reference_resize import resize, upsample


def given(inputs, i):
    return inputs[i] if len(inputs) > i else None


class Operators(Reference):
    def Identity(self, node, x, a):
        return x[0]

    def Cast(self, node, x, a):
        dtype = TENSOR_TYPE_TO_NP_TYPE[a['to']]
        # Of what depends on the picture only whether it is whole matters.
        if dtype.kind == 'f':
            return x[0].astype(self.floats) if dtype != np.float16 or self.depends else x[0].astype(dtype)
        return x[0].astype(dtype)

    def Concat(self, node, x, a):
        return np.concatenate(x, a['axis'])

    def Split(self, node, x, a):
        axis = a.get('axis', 0)
        size, count = x[0].shape[axis], len(node.output)
        sizes = a.get('split', given(x, 1))
        if sizes is None:
            each = -(-size // a.get('num_outputs', count))
            sizes = [each] * (count - 1) + [size - each * (count - 1)]
        return np.split(x[0], np.cumsum(sizes)[:-1], axis)

    def Slice(self, node, x, a):
        starts, ends = a.get('starts', given(x, 1)), a.get('ends', given(x, 2))
        axes, steps = a.get('axes', given(x, 3)), given(x, 4)
        axes = range(len(starts)) if axes is None else axes
        steps = [1] * len(starts) if steps is None else steps
        index = [slice(None)] * x[0].ndim
        for axis, start, end, step in zip(axes, starts, ends, steps):
            size = x[0].shape[axis]
            start, end, step = int(start), int(end), int(step)
            # Ends below −size mean "to the first one", which Python would count from the end again.
            low = max(end, -size) if end < 0 else end
            stop = None if step < 0 and end < -size else low
            index[axis] = slice(start, stop, step)
        return x[0][tuple(index)]

    def Pad(self, node, x, a):
        pads = a.get('pads', given(x, 1))
        value = a.get('value', 0) if given(x, 2) is None else float(x[2])
        axes = given(x, 3)
        rank = x[0].ndim
        axes = list(range(rank)) if axes is None else [int(axis) % rank for axis in axes]
        around = [(0, 0)] * rank
        for i, axis in enumerate(axes):
            around[axis] = (int(pads[i]), int(pads[i + len(axes)]))
        cut = tuple(slice(-min(b, 0), size + min(e, 0)) for (b, e), size in zip(around, x[0].shape))
        around = [(max(b, 0), max(e, 0)) for b, e in around]
        mode = a.get('mode', b'constant').decode()
        if mode == 'constant':
            return np.pad(x[0][cut], around, constant_values=value)
        return np.pad(x[0][cut], around, mode=mode)

    def Transpose(self, node, x, a):
        return x[0].transpose(a.get('perm', list(range(x[0].ndim))[::-1]))

    def Reshape(self, node, x, a):
        zeros = a.get('allowzero', 0)
        shape = [x[0].shape[i] if size == 0 and not zeros else int(size) for i, size in enumerate(x[1])]
        return x[0].reshape(shape)

    def Flatten(self, node, x, a):
        axis = a.get('axis', 1)
        axis += x[0].ndim if axis < 0 else 0
        return x[0].reshape(int(np.prod(x[0].shape[:axis])), -1)

    def Squeeze(self, node, x, a):
        axes = a.get('axes', given(x, 1))
        return x[0].squeeze() if axes is None else x[0].squeeze(tuple(int(i) for i in axes))

    def Unsqueeze(self, node, x, a):
        axes = a.get('axes', given(x, 1))
        return np.expand_dims(x[0], tuple(int(i) for i in axes))

    def Expand(self, node, x, a):
        return np.broadcast_to(x[0], np.broadcast_shapes(x[0].shape, tuple(x[1])))

    def Resize(self, node, x, a):
        if self.opset == 10:
            return upsample(x[0], x[1], a.get('mode', b'nearest').decode())
        return resize(x[0], given(x, 2), given(x, 3), a)

    def Upsample(self, node, x, a):
        return upsample(x[0], a.get('scales', given(x, 1)), a.get('mode', b'nearest').decode())

    # Reductions

    def reduced(self, function, node, x, a):
        axes = a.get('axes', given(x, 1))
        if axes is None or len(axes) == 0:
            if a.get('noop_with_empty_axes', 0):
                return x[0]
            axes = range(x[0].ndim)
        axes = tuple(int(i) for i in axes)
        return function(x[0], axis=axes, keepdims=bool(a.get('keepdims', 1)))

    def ReduceMean(self, *call):
        return self.reduced(np.mean, *call)

    def ReduceSum(self, *call):
        return self.reduced(np.sum, *call)

    def ReduceMax(self, *call):
        return self.reduced(np.max, *call)

    def ReduceMin(self, *call):
        return self.reduced(np.min, *call)

    def ReduceProd(self, *call):
        return self.reduced(np.prod, *call)

    def ReduceSumSquare(self, *call):
        return self.reduced(lambda x, **how: (x**2).sum(**how), *call)

    def ReduceL1(self, *call):
        return self.reduced(lambda x, **how: np.abs(x).sum(**how), *call)

    def ReduceL2(self, *call):
        return self.reduced(lambda x, **how: np.sqrt((x**2).sum(**how)), *call)

    # Constants and shapes

    def Constant(self, node, x, a):
        if 'value' in a:
            return numpy_helper.to_array(a['value'])
        ((key, value),) = a.items()
        return np.array(value, np.int64 if 'int' in key else np.float32)

    def ConstantOfShape(self, node, x, a):
        value = numpy_helper.to_array(a['value']) if 'value' in a else np.zeros(1, np.float32)
        return np.full(tuple(x[0]), value.reshape(()), value.dtype)

    def Shape(self, node, x, a):
        return np.array(x[0].shape[a.get('start', 0) : a.get('end', None)], np.int64)

    def Size(self, node, x, a):
        return np.array(x[0].size, np.int64)

    def Gather(self, node, x, a):
        return np.take(x[0], x[1], a.get('axis', 0))

    def Range(self, node, x, a):
        return np.arange(*(v.item() for v in x)).astype(x[0].dtype)

    # What is quantised

    def integers(self, dtype):
        return np.iinfo(dtype)

    def QuantizeLinear(self, node, x, a):
        scale, zero = x[1], given(x, 2)
        zero = np.zeros(1, np.uint8) if zero is None else zero
        bounds, shape = self.integers(zero.dtype), [1] * x[0].ndim
        if scale.size > 1:
            shape[a.get('axis', 1)] = -1
        scale = scale.reshape(shape)
        shift = zero.astype(np.int64).reshape(shape if zero.size > 1 else [1] * x[0].ndim)
        if self.depends:
            return Quantised(np.clip(x[0], (bounds.min - shift) * scale, (bounds.max - shift) * scale))
        return np.clip(np.round(x[0] / scale) + shift, bounds.min, bounds.max).astype(zero.dtype)

    def DequantizeLinear(self, node, x, a):
        if isinstance(x[0], Quantised):
            return x[0].real
        scale, zero = x[1], given(x, 2)
        shape = [1] * x[0].ndim
        if scale.size > 1:
            shape[a.get('axis', 1)] = -1
        shift = 0 if zero is None else zero.astype(np.int64).reshape(shape if zero.size > 1 else -1)
        return (x[0].astype(np.int64) - shift).astype(self.floats) * scale.reshape(shape)

    def DynamicQuantizeLinear(self, node, x, a):
        one = np.ones((), self.floats)
        return Quantised(x[0]), one, np.zeros((), np.uint8)

    def ConvInteger(self, node, x, a):
        zero = given(x, 3)
        shift = 0 if zero is None else zero.astype(np.int64)
        if zero is not None and zero.size > 1:
            shift = shift.reshape(-1, 1, 1, 1)
        weight = (x[1].astype(np.int64) - shift).astype(self.floats)
        return self.Conv(node, [x[0].real, weight], a)

    def MatMulInteger(self, node, x, a):
        shift = 0 if given(x, 3) is None else x[3].astype(np.int64)
        return x[0].real @ (x[1].astype(np.int64) - shift).astype(self.floats)

    def QLinearConv(self, node, x, a):
        data, x_scale, _, weight, w_scale, w_zero, y_scale, y_zero = x[:8]
        shape = (-1, 1, 1, 1) if w_scale.size > 1 else (1, 1, 1, 1)
        zero = w_zero.astype(np.int64).reshape(shape if w_zero.size > 1 else (1, 1, 1, 1))
        real = (weight.astype(np.int64) - zero).astype(self.floats) * w_scale.reshape(shape)
        bias = None if given(x, 8) is None else x[8].astype(self.floats) * x_scale * w_scale
        return self.requantised(self.Conv(node, [data.real, real, bias], a), y_scale, y_zero)

    def QLinearMatMul(self, node, x, a):
        data, _, _, weight, w_scale, w_zero, y_scale, y_zero = x
        real = (weight.astype(np.int64) - w_zero.astype(np.int64)).astype(self.floats) * w_scale
        return self.requantised(data.real @ real, y_scale, y_zero)

    def requantised(self, y, scale, zero):
        bounds, shift = self.integers(zero.dtype), zero.astype(np.int64)
        return Quantised(np.clip(y, (bounds.min - shift) * scale, (bounds.max - shift) * scale))
