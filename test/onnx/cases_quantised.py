"""Integers with scales: QuantizeLinear and DequantizeLinear pairs, and operators of integers."""

import numpy as np
from case import case, each

F = np.float32


def quantised(b, weight, per_channel, signed=True, axis=0):
    """Integers of a weight, its scales and zero points."""
    kind = np.int8 if signed else np.uint8
    rest = tuple(d for d in range(weight.ndim) if d != axis)
    largest = np.abs(weight).max(rest if per_channel else None)
    scale = (largest / 127).astype(F)
    zero = np.zeros(scale.shape, kind) if signed else np.full(scale.shape, 128, kind)
    shape = [1] * weight.ndim
    if per_channel:
        shape[axis] = -1
    shift = zero.astype(int).reshape(shape) if per_channel else int(zero)
    return (np.round(weight / scale.reshape(shape)) + shift).astype(kind), scale, zero


def qdq(b, x, scale, zero):
    zero = np.array(zero, np.uint8)
    return b.op('DequantizeLinear', b.op('QuantizeLinear', x, F(scale), zero), F(scale), zero)


def qdq_conv(per_channel, signed=True, clips=True):
    def build(b, x):
        x = qdq(b, x, 4 / 255, 128)
        weight, scale, zero = quantised(b, b.weight(6, 3, 3, 3), per_channel, signed)
        w = b.op('DequantizeLinear', weight, scale, zero, axis=0 if per_channel else None)
        bias = b.op(
            'DequantizeLinear', np.arange(-3, 3).astype(np.int32) * 40, F(0.002), np.array(0, np.int32)
        )
        # No Relu: what is below 0 is cut off by what bytes from a zero point of 0 can hold.
        y = qdq(b, b.op('Conv', x, w, bias), 0.01, 0) if clips else b.op('Conv', x, w, bias)
        return b.op('GlobalAveragePool', y)

    return build


# In what a runtime computes of them, integers are rounded; here they are the real numbers that they stand for.
QUANTISED = {'shape': (1, 3, 9, 8), 'note': 'quantised'}
each(
    {
        'QDQ, one scale': qdq_conv(False),
        'QDQ, a scale for each channel': qdq_conv(True),
        'QDQ, weights of uint8': qdq_conv(False, False),
        'QDQ, no clipping': qdq_conv(True, clips=False),
    },
    13,
    **QUANTISED,
)
each({'QDQ, one scale': qdq_conv(False)}, 10, **QUANTISED)


@case('QDQ of weights that the graph quantises', 13, **QUANTISED)
def _(b, x):
    q = b.op('QuantizeLinear', b.weight(4, 3, 3, 3), F(0.01), np.array(0, np.int8))
    return b.op(
        'GlobalAveragePool', b.op('Conv', x, b.op('DequantizeLinear', q, F(0.01), np.array(0, np.int8)))
    )


@case('QDQ of Gemm', 13, **QUANTISED)
def _(b, x):
    y = qdq(b, b.op('Flatten', b.op('GlobalAveragePool', b.op('Relu', b.conv(x, 6)))), 0.01, 0)
    weight, scale, zero = quantised(b, b.weight(4, 6), True)
    return b.op('Gemm', y, b.op('DequantizeLinear', weight, scale, zero, axis=0), b.weight(4), transB=1)


@case('ConvInteger behind DynamicQuantizeLinear', 13, **QUANTISED)
def _(b, x):
    weight, scale, zero = quantised(b, b.weight(6, 3, 3, 3), False)
    q, x_scale, x_zero = b.op('DynamicQuantizeLinear', x, outputs=3)
    y = b.op('Cast', b.op('ConvInteger', q, weight, x_zero, zero, pads=[1] * 4), to=1)
    return b.op(
        'GlobalAveragePool',
        b.op('Add', b.op('Mul', y, b.op('Mul', x_scale, scale.reshape(1))), b.weight(6, 1, 1)),
    )


@case('MatMulInteger behind DynamicQuantizeLinear', 13, **QUANTISED)
def _(b, x):
    hidden = b.op('Flatten', b.op('GlobalAveragePool', b.op('Relu', b.conv(x, 6))))
    weight, scale, zero = quantised(b, b.weight(6, 4), False)
    q, x_scale, x_zero = b.op('DynamicQuantizeLinear', hidden, outputs=3)
    y = b.op('Cast', b.op('MatMulInteger', q, weight, x_zero, zero), to=1)
    return b.op('Add', b.op('Mul', y, b.op('Mul', x_scale, scale.reshape(1))), b.weight(4))


@case('QLinearConv', 13, **QUANTISED)
def _(b, x):
    weight, scale, zero = quantised(b, b.weight(6, 3, 3, 3), True)
    q = b.op('QuantizeLinear', x, F(4 / 255), np.array(128, np.uint8))
    bias = (np.arange(-3, 3) * 40).astype(np.int32)
    y = b.op(
        'QLinearConv',
        q,
        F(4 / 255),
        np.array(128, np.uint8),
        weight,
        scale,
        zero,
        F(0.01),
        np.array(0, np.uint8),
        bias,
    )
    return b.op('GlobalAveragePool', b.op('DequantizeLinear', y, F(0.01), np.array(0, np.uint8)))
