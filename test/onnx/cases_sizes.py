"""Resize, and shapes that the graph computes."""

import numpy as np
import onnx.helper as helper
from case import case, each

F = np.float32
LAST = 2**63 - 1

# Resize


def resized(sizes=None, scales=None, **attributes):
    def build(b, x):
        scale = None if scales is None else b.init(np.array(scales, F))
        # Only from opset 13 on the region of interest may be left out.
        region = np.zeros(0, F) if b.opset < 13 else None
        scale = np.zeros(0, F) if scale is None and b.opset < 13 else scale
        return b.op('Resize', x, region, scale, *(() if sizes is None else (b.ints(*sizes),)), **attributes)

    return build


UP, DOWN, UNEVEN = (1, 1, 2, 2), (1, 1, 0.5, 0.5), (1, 1, 1.5, 2.5)
for mode in ('half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'):
    for text, scales in (('up', UP), ('down', DOWN), ('uneven', UNEVEN)):
        each(
            {
                f'Resize linear {mode} {text}': resized(
                    scales=scales, mode='linear', coordinate_transformation_mode=mode
                )
            },
            (11, 13),
        )
    for rounding in ('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'):
        each(
            {
                f'Resize nearest {mode} {rounding}': resized(
                    scales=UNEVEN, mode='nearest', coordinate_transformation_mode=mode, nearest_mode=rounding
                )
            },
            13,
        )
for mode in ('nearest', 'linear'):
    each(
        {
            f'Resize {mode} to sizes': resized((1, 3, 9, 5), mode=mode),
            f'Resize {mode} to the same size': resized((1, 3, 6, 8), mode=mode),
        },
        (11, 13, 22),
    )
    each(
        {f'Resize {mode}': lambda b, x, mode=mode: b.op('Resize', x, b.init(np.array(UP, F)), mode=mode)}, 10
    )
    each(
        {f'Upsample {mode}': lambda b, x, mode=mode: b.op('Upsample', x, b.init(np.array(UP, F)), mode=mode)},
        9,
    )
    each(
        {
            f'Upsample {mode}': lambda b, x, mode=mode: b.op(
                'Upsample', x, mode=mode, scales=[float(s) for s in UP]
            )
        },
        (7, 8),
    )
each(
    {
        'Resize nearest asymmetric floor, 2×': resized(
            scales=UP, mode='nearest', coordinate_transformation_mode='asymmetric', nearest_mode='floor'
        )
    },
    (11, 19),
)
each(
    {
        'Resize of axes 2 and 3': lambda b, x: b.op(
            'Resize', x, None, None, b.ints(9, 5), mode='linear', axes=[2, 3]
        )
    },
    (18, 19),
)


@case('feature pyramid: Resize to the size of another map')
def _(b, x):
    small = b.op('MaxPool', b.conv(x, 4), kernel_shape=[2, 2], strides=[2, 2])
    large = b.conv(x, 4)
    sizes = b.op('Slice', b.op('Shape', large), b.ints(2), b.ints(4), b.ints(0))
    whole = b.op(
        'Concat', b.op('Slice', b.op('Shape', small), b.ints(0), b.ints(2), b.ints(0)), sizes, axis=0
    )
    return b.op(
        'Add',
        large,
        b.op(
            'Resize',
            small,
            None,
            None,
            whole,
            mode='nearest',
            coordinate_transformation_mode='asymmetric',
            nearest_mode='floor',
        ),
    )


# Shapes that the graph computes


def size_of(b, x, i):
    return b.op('Gather', b.op('Shape', x), b.init(np.array(i, np.int64)), axis=0)


def as_list(b, *parts):
    return b.op('Concat', *[b.op('Unsqueeze', p, b.ints(0)) for p in parts], axis=0)


@case('flatten by Shape, Gather, Unsqueeze, Concat, Reshape')
def _(b, x):
    x = b.op('GlobalAveragePool', b.conv(x, 4))
    return b.op(
        'Gemm',
        b.op(
            'Reshape', x, b.op('Concat', b.op('Unsqueeze', size_of(b, x, 0), b.ints(0)), b.ints(-1), axis=0)
        ),
        b.weight(4, 3),
    )


@case('flatten by Shape of opset 9', 9)
def _(b, x):
    x = b.op('GlobalAveragePool', b.conv(x, 4))
    batch = b.op('Unsqueeze', b.op('Gather', b.op('Shape', x), b.constant(np.array(0))), axes=[0])
    shape = b.op('Concat', batch, b.op('Unsqueeze', b.constant(np.array(-1)), axes=[0]), axis=0)
    return b.op('Gemm', b.op('Reshape', x, shape), b.weight(4, 3), b.weight(3))


@case('channel shuffle whose sizes are computed')
def _(b, x):
    x = b.conv(x, 6)
    n, c, h, w = (size_of(b, x, i) for i in range(4))
    per = b.op('Div', c, np.array(2))
    shape = as_list(b, n, b.init(np.array(2)), per, h, w)
    moved = b.op('Transpose', b.op('Reshape', x, shape), perm=[0, 2, 1, 3, 4])
    return b.op('Reshape', moved, as_list(b, n, c, h, w))


@case('half of the channels by Slice up to half of Shape')
def _(b, x):
    x = b.conv(x, 6)
    half = b.op('Div', size_of(b, x, 1), np.array(2))
    bound = b.op('Mul', b.op('Unsqueeze', half, b.ints(0)), b.ints(1))
    return b.op(
        'Concat',
        b.op('Slice', x, bound, b.op('Mul', bound, b.ints(2)), b.ints(1)),
        b.op('Slice', x, b.ints(0), bound, b.ints(1)),
        axis=1,
    )


def same_padding(b, x, positive):
    """Zeros around a picture as timm's tf_ networks compute them."""
    amounts = []
    for i in (2, 3):
        size = b.op('Cast', size_of(b, x, i), to=1)
        out = b.op('Ceil', b.op('Div', size, F(2)))
        need = b.op('Sub', b.op('Add', b.op('Mul', b.op('Sub', out, F(1)), F(2)), F(3)), size)
        need = b.op('Cast', positive(need), to=7)
        before = b.op('Div', need, np.array(2))
        amounts.append((before, b.op('Sub', need, before)))
    (top, bottom), (left, right) = amounts
    zero = b.init(np.array(0))
    return b.op('Pad', x, as_list(b, zero, zero, top, left, zero, zero, bottom, right))


@case('SAME padding computed from Shape by Max', shape=(1, 3, 7, 10))
def _(b, x):
    return b.conv(same_padding(b, x, lambda need: b.op('Max', need, F(0))), 4, 3, strides=[2, 2])


@case('SAME padding computed from Shape by Clip', shape=(1, 3, 7, 10))
def _(b, x):
    return b.conv(same_padding(b, x, lambda need: b.op('Clip', need, F(0))), 4, 3, strides=[2, 2])


@case('SAME padding computed from Shape by Relu', shape=(1, 3, 7, 10))
def _(b, x):
    return b.conv(same_padding(b, x, lambda need: b.op('Relu', need)), 4, 3, strides=[2, 2])


@case('pads of PyTorch: a list, padded, turned round by Reshape, Slice and Transpose')
def _(b, x):
    pads = b.ints(1, 2, 2, 1)
    missing = b.op(
        'Sub',
        b.op('Mul', b.init(np.array(2)), b.op('Size', b.op('Shape', x))),
        b.op('Gather', b.op('Shape', pads), np.array(0)),
    )
    zeros = b.op(
        'ConstantOfShape', b.op('Unsqueeze', missing, b.ints(0)), value=helper.make_tensor('v', 7, [1], [0])
    )
    pairs = b.op('Reshape', b.op('Concat', pads, zeros, axis=0), b.ints(-1, 2))
    turned = b.op('Transpose', b.op('Slice', pairs, b.ints(-1), b.ints(-LAST), b.ints(0), b.ints(-1)))
    return b.op('Pad', x, b.op('Cast', b.op('Reshape', turned, b.ints(-1)), to=7))


@case('Expand of a vector to the size of a map')
def _(b, x):
    x = b.conv(x, 4)
    return b.op('Add', x, b.op('Expand', b.op('GlobalAveragePool', x), b.op('Shape', x)))


@case('positions: Range, Cast, Div, Unsqueeze, Expand, Concat (CoordConv)')
def _(b, x):
    h, w = size_of(b, x, 2), size_of(b, x, 3)
    one, zero = np.array(1), np.array(0)

    def ramp(size, axes):
        steps = b.op('Cast', b.op('Range', zero, size, one), to=1)
        unit = b.op('Div', steps, b.op('Cast', b.op('Sub', size, one), to=1))
        return b.op('Expand', b.op('Unsqueeze', unit, b.ints(*axes)), as_list(b, one, one, h, w))

    return b.conv(b.op('Concat', x, ramp(h, (0, 1, 3)), ramp(w, (0, 1, 2)), axis=1), 4, cin=5)


@case('Where, Equal, ConstantOfShape and Expand of a shape (PyTorch’s expand)')
def _(b, x):
    x = b.conv(x, 4)
    shape = as_list(b, size_of(b, x, 0), b.init(np.array(-1)), size_of(b, x, 2), size_of(b, x, 3))
    ones = b.op('ConstantOfShape', b.op('Shape', shape), value=helper.make_tensor('v', 7, [1], [1]))
    is_free = b.op('Equal', shape, b.op('Mul', ones, np.array(-1)))
    return b.op('Expand', b.conv(x, 1, cin=4), b.op('Where', is_free, ones, shape))


@case('shape arithmetic with Mod, Floor, Ceil, Max, Less, Not, And')
def _(b, x):
    h = size_of(b, x, 2)
    odd = b.op('Equal', b.op('Mod', h, np.array(4)), np.array(2))
    small = b.op('And', odd, b.op('Not', b.op('Greater', h, np.array(100))))
    floor = b.op('Cast', b.op('Floor', b.op('Mul', b.op('Cast', h, to=1), F(0.34))), to=7)
    rows = b.op('Where', small, floor, b.op('Neg', floor))
    return b.op('Slice', x, b.ints(0), b.op('Unsqueeze', rows, b.ints(0)), b.ints(2))


@case('Shape of a part by start and end', 15)
def _(b, x):
    x = b.conv(x, 4)
    tail = b.op('Shape', x, start=2)
    return b.op(
        'Reshape',
        b.op('Relu', b.op('Reshape', x, b.ints(0, 4, -1))),
        b.op('Concat', b.op('Shape', x, end=2), tail, axis=0),
    )


@case('adaptive mean to 2×2 by Slices')
def _(b, x):
    x = b.conv(x, 4)
    rows = []
    for top in (0, 3):
        row = []
        for left in (0, 4):
            part = b.op('Slice', x, b.ints(top, left), b.ints(top + 3, left + 4), b.ints(2, 3))
            row.append(b.op('ReduceMean', part, axes=[2, 3]))
        rows.append(b.op('Concat', *row, axis=3))
    return b.op('Concat', *rows, axis=2)
