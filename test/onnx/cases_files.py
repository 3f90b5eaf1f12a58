"""How files hold their tensors, what they say of inputs and outputs"""

import numpy as np
import onnx.helper as helper
from case import case, each
from onnx import TensorProto

F = np.float32
FLOAT16, DOUBLE, UINT8 = TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.UINT8

# Tensors


def stored(dtype, typed):
    """A network whose weights are stored in another type, cast to floats in the graph."""

    def build(b, x):
        weight, bias = (b.init(v.astype(dtype), typed) for v in (b.weight(4, 3, 3, 3), b.weight(4)))
        if dtype != F:
            weight, bias = b.op('Cast', weight, to=1), b.op('Cast', bias, to=1)
        return b.op('Conv', x, weight, bias)

    return build


each(
    {
        f'weights of {np.dtype(dtype).name} {"in the field of their type" if typed else "in raw bytes"}': stored(
            dtype, typed
        )
        for dtype in (np.float16, F, np.float64)
        for typed in (False, True)
    }
)


def whole(dtype, typed):
    def build(b, x):
        weight = (b.weight(4, 3, 3, 3) * 40).astype(np.int64) % 100
        scaled = b.op('Mul', b.op('Cast', b.init(weight.astype(dtype), typed), to=1), F(0.01))
        return b.op('Conv', x, scaled)

    return build


each(
    {
        f'weights of {np.dtype(dtype).name} {"in the field of their type" if typed else "in raw bytes"}': whole(
            dtype, typed
        )
        for dtype in (np.int8, np.uint8, np.int16, np.int32, np.int64)
        for typed in (False, True)
    }
)


def constant(**attributes):
    return lambda b, x: b.op('Mul', x, b.op('Constant', **attributes))


each(
    {
        'Constant value_float': constant(value_float=0.5),
        'Constant value_floats': lambda b, x: b.op(
            'Mul', x, b.op('Reshape', b.op('Constant', value_floats=[0.5, 2.0, -1.0]), b.ints(3, 1, 1))
        ),
        'Constant value_ints': lambda b, x: b.op(
            'Gemm', b.op('Reshape', b.conv(x, 4), b.op('Constant', value_ints=[1, 192])), b.weight(192, 3)
        ),
        'Constant value_int': lambda b, x: b.op(
            'Concat',
            x,
            b.op('Gather', x, b.op('Unsqueeze', b.op('Constant', value_int=2), b.ints(0)), axis=1),
            axis=1,
        ),
    },
    13,
    peer=True,
)
each({'Constants of opset': lambda b, x: b.op('Add', x, b.constant(F(1)))}, (7, 9, 11, 19, 22))


# Inputs


def net(b, x, cin=3):
    x = b.op('Relu', b.conv(x, 6, 3, cin, pads=[1] * 4, strides=[2, 2]))
    return b.logits(b.op('Relu', b.conv(x, 8, 3, 6, pads=[1] * 4)), 8)


def last(b, x):
    """As tf2onnx begins: channels last, transposed to channels first."""
    return net(b, b.op('Transpose', x, perm=[0, 3, 1, 2]))


def last_with_outputs(b, x):
    y = b.op('Relu', b.conv(b.op('Transpose', x, perm=[0, 3, 1, 2]), 4, 3))
    return b.op('Transpose', y, perm=[0, 2, 3, 1])


def bytes_in(b, x):
    real = b.op('Cast', x, to=1)
    mean = np.array([123.7, 116.3, 103.5], F).reshape(1, 3, 1, 1)
    return net(b, b.op('Div', b.op('Sub', real, mean), np.array([58.4, 57.1, 57.4], F).reshape(1, 3, 1, 1)))


def bytes_last(b, x):
    real = b.op('Div', b.op('Cast', x, to=1), F(255))
    return last(b, b.op('Sub', b.op('Mul', real, F(2)), F(1)))


def half(b, x):
    weight, bias = b.weight(4, 3, 3, 3).astype(np.float16), b.weight(4).astype(np.float16)
    return b.op('Relu', b.op('Conv', x, weight, bias))


NHWC = {'shape': (1, 12, 10, 3), 'layout': 'NHWC', 'whole': False}
NCHW = {'shape': (1, 3, 12, 10), 'whole': False}
case('input NHWC, Transpose', 13, **NHWC)(last)
case('input NHWC of symbolic sizes', 13, dims=['N', 'H', 'W', 3], output_dims=[['N', 4]], **NHWC)(last)
case('input and output NHWC', 13, shape=(1, 12, 10, 3), layout='NHWC')(last_with_outputs)
case('input NHWC, uint8, scaled in the graph', 13, element=UINT8, pixels='byte', **NHWC)(bytes_last)
case('input uint8, normalised in the graph', 13, element=UINT8, pixels='byte', **NCHW)(bytes_in)
case('input, weights and output of float16', [9, 13], element=FLOAT16, output_element=FLOAT16)(half)
case('input of one channel', 13, shape=(1, 1, 9, 9), whole=False)(lambda b, x: net(b, x, 1))
case('input of four channels', 13, shape=(1, 4, 9, 9), whole=False)(lambda b, x: net(b, x, 4))
case('input of eleven channels', 13, shape=(1, 11, 9, 9), whole=False)(lambda b, x: net(b, x, 11))
for dims in (['N', 3, 12, 10], ['N', 3, 'H', 'W'], [None, 3, None, None], [-1, 3, 12, 10], [0, 3, 12, 10]):
    text = ', '.join('?' if d is None else str(d) for d in dims)
    # Runtimes refuse dimensions of −1 or 0, which some exporters write for "any".
    case(f'input of [{text}]', 13, dims=dims, output_dims=[['N', 4]], peer=dims[0] not in (-1, 0), **NCHW)(
        net
    )
case('initializers listed as inputs', 7, **NCHW)(net)


@case('initializers listed as inputs before the picture', 11, **NCHW)
def _(b, x):
    b.listed = 'before'
    return net(b, x)


# Outputs


def outputs(*dims):
    return {'output_dims': list(dims), 'whole': False, 'shape': (1, 3, 12, 10)}


def map_logits(b, x):
    return b.op('GlobalAveragePool', b.conv(b.op('Relu', b.conv(x, 6, 3)), 4, cin=6))


case('output [1, K, 1, 1]', 13, **outputs([1, 4, 1, 1]))(map_logits)
case('output [1, 1, 1, K]', 13, **outputs([1, 1, 1, 4]))(
    lambda b, x: b.op('Transpose', map_logits(b, x), perm=[0, 2, 3, 1])
)
case('output [K]', 13, **outputs([4]))(lambda b, x: b.op('Squeeze', map_logits(b, x)))
case('output [K] by Reshape', 13, **outputs([4]))(lambda b, x: b.op('Reshape', map_logits(b, x), b.ints(-1)))
case('output [1, 1]', 13, **outputs([1, 1]))(lambda b, x: b.logits(b.op('Relu', b.conv(x, 6)), 6, 1))
case('output without a shape', 13, **outputs(None))(net)
case(
    'output behind Softmax is what lies before it', [7, 13], **outputs([1, 4]), options={'before': 'Softmax'}
)(lambda b, x: b.op('Softmax', net(b, x), axis=1))
case('output [1, K, 1, 1] behind Softmax', [7, 13], **outputs([1, 4, 1, 1]), options={'before': 'Softmax'})(
    lambda b, x: b.op('Softmax', map_logits(b, x), axis=1)
)
case('output behind Softmax and Reshape', 13, **outputs([1, 4]), options={'before': 'Softmax'})(
    lambda b, x: b.op('Reshape', b.op('Softmax', net(b, x)), b.ints(1, 4))
)
case(
    'output behind LogSoftmax is what lies before it', 13, **outputs([1, 4]), options={'before': 'LogSoftmax'}
)(lambda b, x: b.op('LogSoftmax', net(b, x)))
case('output behind Softmax and Identity', 13, **outputs([1, 4]), options={'before': 'Softmax'})(
    lambda b, x: b.op('Identity', b.op('Softmax', net(b, x)))
)


def two(b, x):
    features = b.op('Relu', b.conv(x, 6, 3))
    b.outputs.append(b.logits(features, 6, 4))
    b.outputs.append(b.logits(features, 6, 5))
    return None


case('two outputs: the first', 13, **outputs([1, 4], [1, 5]))(two)
case('two outputs: the one asked for', 13, **outputs([1, 4], [1, 5]), options={'output': 'gemm2'})(two)


# Metadata


@case(
    'labels in the metadata', 13, shape=(1, 3, 12, 10), whole=False, options={'labels': ['a', 'b', 'c', 'd']}
)
def _(b, x):
    b.metadata = {'labels': '["a", "b", "c", "d"]'}
    return net(b, x)


case('Microsoft’s Gelu', 13, peer=False)(
    lambda b, x: (b.domains.append('com.microsoft'), b.op('Gelu', b.conv(x, 4), domain='com.microsoft'))[1]
)
