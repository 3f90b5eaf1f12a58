"""What joins, cuts, moves elements, and reduces."""

import numpy as np
from case import case, each

F = np.float32
LAST = 2**63 - 1

# Concat, Split, Slice, Pad


def concat(axis, *shapes):
    return lambda b, x: b.op('Concat', x, *[b.op('Neg', x)] * 2, axis=axis)


each({f'Concat on axis {axis}': concat(axis) for axis in (1, 2, 3, -1, -3)})
each({'Concat on axis 1': concat(1)}, (7, 22))


@case('Concat of four branches, one of them a pool')
def _(b, x):
    pooled = b.op('MaxPool', x, kernel_shape=[3, 3], pads=[1] * 4)
    branches = [b.conv(x, 4), b.conv(x, 5, 3, pads=[1] * 4), b.conv(pooled, 3), pooled]
    return b.op('Relu', b.op('Concat', *[b.op('Relu', branch) for branch in branches], axis=1))


@case('Concat of a map and a constant map')
def _(b, x):
    return b.conv(b.op('Concat', x, b.weight(1, 2, 6, 8), axis=1), 4, cin=5)


@case('dense block: each layer reads all before')
def _(b, x):
    features = [b.conv(x, 4)]
    for _ in range(3):
        together = b.op('Concat', *features, axis=1)
        features.append(b.conv(b.op('Relu', together), 4, 3, 4 * len(features), pads=[1] * 4))
    return b.op('Concat', *features, axis=1)


def halves(b, x, split):
    left, right = split(b, b.conv(x, 6))
    return b.op('Concat', b.op('Relu', right), left, axis=1)


def split(*inputs, count=2, **attributes):
    return lambda b, x: halves(b, x, lambda b, y: b.op('Split', y, *inputs, outputs=2, **attributes))


each({'Split of sizes': split(split=[2, 4], axis=1), 'Split evenly': split(axis=1)}, (7, 11))
each(
    {
        'Split of sizes': split(np.array([2, 4]), axis=1),
        'Split evenly': split(axis=1),
        'Split on axis −3': split(np.array([4, 2]), axis=-3),
    },
    (13, 17),
)
each(
    {'Split of num_outputs': split(axis=1, num_outputs=2), 'Split of sizes': split(np.array([1, 5]), axis=1)},
    (18, 22),
)


@case('Split of num_outputs that leaves a smaller last part', 18)
def _(b, x):
    parts = b.op('Split', b.conv(x, 8), outputs=3, axis=1, num_outputs=3)
    return b.op('Concat', *parts[::-1], axis=1)


@case('Split on height, one part unread')
def _(b, x):
    return b.op('Split', x, b.ints(2, 3, 1), outputs=3, axis=2)[1]


def cut(starts, ends, axes=None, steps=None):
    def build(b, x):
        return b.op('Slice', x, *(None if v is None else b.ints(*v) for v in (starts, ends, axes, steps)))

    return build


def cut9(starts, ends, axes=None):
    return lambda b, x: b.op('Slice', x, starts=starts, ends=ends, axes=axes)


each(
    {
        'Slice of channels': cut9([1], [3], [1]),
        'Slice to the end': cut9([1, 2], [LAST, LAST], [2, 3]),
        'Slice from the end': cut9([-3], [-1], [3]),
        'Slice of all axes': cut9([0, 1, 0, 2], [1, 3, 5, 8]),
    },
    (7, 9),
)
each(
    {
        'Slice of channels': cut([1], [3], [1]),
        'Slice of one channel': cut([1], [2], [1]),
        'Slice to the end': cut([1, 2], [LAST, LAST], [2, 3]),
        'Slice from the end': cut([-3], [-1], [-1]),
        'Slice of all axes': cut([0, 1, 0, 2], [1, 3, 5, 8]),
        'Slice with steps': cut([0, 1], [LAST, LAST], [2, 3], [2, 2]),
        'Slice beyond the end': cut([2], [100], [3]),
        'Slice that reverses channels': cut([-1], [-LAST], [1], [-1]),
        'Slice that flips a picture': cut([7], [-100], [3], [-1]),
    },
    (10, 13),
)


@case('space to depth by Slices with steps (YOLO’s Focus)')
def _(b, x):
    parts = []
    for row, column in ((0, 0), (1, 0), (0, 1), (1, 1)):
        rows = b.op('Slice', x, b.ints(row), b.ints(LAST), b.ints(2), b.ints(2))
        parts.append(b.op('Slice', rows, b.ints(column), b.ints(LAST), b.ints(3), b.ints(2)))
    return b.conv(b.op('Concat', *parts, axis=1), 4, cin=12)


@case('Gather of channels')
def _(b, x):
    return b.conv(b.op('Gather', x, b.ints(2, 1, 0), axis=1), 4)


def pad(pads, value=None, mode=None, axes=None):
    def build(b, x):
        constant = None if value is None else F(value)
        return b.op(
            'Pad',
            b.conv(x, 4),
            b.ints(*pads),
            constant,
            *(() if axes is None else (b.ints(*axes),)),
            mode=mode,
        )

    return build


ROUND = [0, 0, 1, 2, 0, 0, 2, 1]
each(
    {
        'Pad with zeros': pad(ROUND),
        'Pad with a value': pad(ROUND, -1.5),
        'Pad by reflection': pad(ROUND, mode='reflect'),
        'Pad with the edge': pad(ROUND, mode='edge'),
        'Pad of channels': pad([0, 1, 0, 0, 0, 2, 0, 0]),
        'Pad by nothing': pad([0] * 8),
        'Pad that cuts': pad([0, 0, -1, 0, 0, 0, -2, 1]),
    },
    (11, 13),
)
each({'Pad of two axes': pad([1, 2, 2, 1], axes=[2, 3])}, (18, 22))
each(
    {
        f'Pad by attribute, {mode}': lambda b, x, mode=mode: b.op(
            'Pad', b.conv(x, 4), pads=ROUND, mode=mode, value=0.5
        )
        for mode in ('constant', 'reflect', 'edge')
    },
    (7, 10),
)
each(
    {
        'Pad, then Conv': lambda b, x: b.conv(
            b.op('Pad', x, b.ints(0, 0, 1, 1, 0, 0, 2, 2), mode='constant'), 4, 3, strides=[2, 2]
        ),
        'Pad, then AveragePool': lambda b, x: b.op(
            'AveragePool', b.op('Pad', x, b.ints(*ROUND)), kernel_shape=[3, 3]
        ),
        'Relu, Pad, MaxPool': lambda b, x: b.op(
            'MaxPool', b.op('Pad', b.op('Relu', x), b.ints(*ROUND)), kernel_shape=[3, 3]
        ),
    },
    11,
)


# Transpose, Reshape, Flatten, Squeeze, Unsqueeze


def shuffle(b, x, groups=2, C=6):
    split = b.op('Reshape', b.conv(x, C), b.ints(0, groups, C // groups, 6, 8))
    return b.op('Reshape', b.op('Transpose', split, perm=[0, 2, 1, 3, 4]), b.ints(0, C, 6, 8))


def pixel_shuffle(b, x, r=2):
    split = b.op('Reshape', b.conv(x, 3 * r * r), b.ints(-1, 3, r, r, 6, 8))
    moved = b.op('Transpose', split, perm=[0, 1, 4, 2, 5, 3])
    return b.op('Reshape', moved, b.ints(-1, 3, 6 * r, 8 * r))


def tokens(b, x):
    """[N, C, H, W] → [N, HW, C], a layer, and back."""
    flat = b.op('Transpose', b.op('Reshape', b.conv(x, 4), b.ints(0, 4, -1)), perm=[0, 2, 1])
    mixed = b.op('Add', b.op('MatMul', flat, b.weight(4, 5)), b.weight(5))
    return b.op('Reshape', b.op('Transpose', mixed, perm=[0, 2, 1]), b.ints(0, 5, 6, 8))


def mean_of_tokens(b, x):
    flat = b.op('Transpose', b.op('Reshape', b.conv(x, 4), b.ints(0, 4, -1)), perm=[0, 2, 1])
    return b.op('Gemm', b.op('ReduceMean', flat, axes=[1], keepdims=0), b.weight(4, 3), b.weight(3))


each(
    {
        'Transpose to channels last': lambda b, x: b.op('Transpose', b.conv(x, 4), perm=[0, 2, 3, 1]),
        'Transpose there and back': lambda b, x: b.conv(
            b.op('Transpose', b.op('Relu', b.op('Transpose', x, perm=[0, 2, 3, 1])), perm=[0, 3, 1, 2]), 4
        ),
        'Transpose of height and width': lambda b, x: b.conv(b.op('Transpose', x, perm=[0, 1, 3, 2]), 4, 3),
        'channel shuffle': shuffle,
        'channel shuffle of 3 groups': lambda b, x: shuffle(b, x, 3),
        'pixel shuffle by Reshape and Transpose': pixel_shuffle,
        'tokens and back': tokens,
        'mean of tokens': mean_of_tokens,
        'Reshape to a vector by −1': lambda b, x: b.op(
            'Gemm', b.op('Reshape', b.conv(x, 4), b.ints(1, -1)), b.weight(192, 3)
        ),
        'Reshape to a vector by 0 and −1': lambda b, x: b.op(
            'Gemm', b.op('Reshape', b.conv(x, 4), b.ints(0, -1)), b.weight(192, 3)
        ),
        'Reshape to [−1, C]': lambda b, x: b.op(
            'Gemm', b.op('Reshape', b.op('GlobalAveragePool', b.conv(x, 4)), b.ints(-1, 4)), b.weight(4, 3)
        ),
        'Flatten of axis −3': lambda b, x: b.op(
            'Gemm', b.op('Flatten', b.conv(x, 4), axis=-3), b.weight(192, 3)
        ),
        'Flatten of axis 2 and back': lambda b, x: b.op(
            'Reshape', b.op('Relu', b.op('Flatten', b.conv(x, 4), axis=2)), b.ints(1, 4, 6, 8)
        ),
        'Squeeze of both spatial dimensions': lambda b, x: b.op(
            'Squeeze', b.op('GlobalAveragePool', b.conv(x, 4)), b.ints(2, 3)
        ),
        'Squeeze of negative axes': lambda b, x: b.op(
            'Squeeze', b.op('GlobalAveragePool', b.conv(x, 4)), b.ints(-1, -2)
        ),
        'Unsqueeze of a vector, then Conv': lambda b, x: b.conv(
            b.op('Unsqueeze', b.op('Flatten', b.op('GlobalAveragePool', x)), b.ints(2, 3)), 4
        ),
        'Unsqueeze and Squeeze of a fifth dimension': lambda b, x: b.op(
            'Squeeze', b.op('Relu', b.op('Unsqueeze', x, b.ints(2))), b.ints(2)
        ),
        'two vectors joined': lambda b, x: b.op(
            'Concat',
            b.op('Flatten', b.op('GlobalMaxPool', x)),
            b.op('Flatten', b.op('GlobalAveragePool', x)),
            axis=1,
        ),
    }
)
each(
    {
        'Squeeze of both spatial dimensions': lambda b, x: b.op(
            'Squeeze', b.op('GlobalAveragePool', b.conv(x, 4)), axes=[2, 3]
        ),
        'Unsqueeze of a vector, then Conv': lambda b, x: b.conv(
            b.op('Unsqueeze', b.op('Flatten', b.op('GlobalAveragePool', x)), axes=[2, 3]), 4
        ),
    },
    (7, 11),
)
each(
    {
        'Transpose, Reshape, Flatten': lambda b, x: b.op(
            'Gemm',
            b.op('Flatten', b.op('Reshape', b.op('Transpose', x, perm=[0, 2, 3, 1]), b.ints(1, 6, 24))),
            b.weight(144, 3),
            b.weight(3),
        )
    },
    (7, 22),
)
each({'Identity and Dropout': lambda b, x: b.op('Dropout', b.op('Identity', x), ratio=0.5)}, (7, 10))
each(
    {'Dropout whose mask nothing reads': lambda b, x: b.op('Relu', b.op('Dropout', x, outputs=2)[0])},
    (7, 10, 12),
)
each(
    {'Dropout with a training flag that is false': lambda b, x: b.op('Dropout', x, F(0.3), np.array(False))},
    (12, 22),
)
# Runtimes would drop at random; an explanation wants the network as it is used.
each(
    {'Dropout with a training flag that is true': lambda b, x: b.op('Dropout', x, F(0.3), np.array(True))},
    13,
    peer=False,
)
each(
    {
        'Cast to float': lambda b, x: b.op('Cast', x, to=1),
        'Cast to double and back': lambda b, x: b.op('Cast', b.op('Cast', x, to=11), to=1),
    },
    (9, 19),
)


# Reductions


def reduced(kind, axes, keep):
    def build(b, x):
        x = b.conv(x, 4)
        if b.opset >= (13 if kind == 'ReduceSum' else 18):
            return b.op(kind, x, None if axes is None else b.ints(*axes), keepdims=keep)
        return b.op(kind, x, axes=axes, keepdims=keep)

    return build


for kind in ('ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceL2', 'ReduceSumSquare', 'ReduceL1'):
    table = {f'{kind} over the map, keepdims {keep}': reduced(kind, [2, 3], keep) for keep in (0, 1)} | {
        f'{kind} over channels': reduced(kind, [1], 1),
        f'{kind} over width': reduced(kind, [-1], 1),
    }
    each(table, (11, 18) if kind in ('ReduceMean', 'ReduceSum', 'ReduceMax') else 13)
each({'ReduceMean over the map': reduced('ReduceMean', [-2, -1], 0)}, (7, 13, 22))
each(
    {
        'ReduceMean of channels last': lambda b, x: b.op(
            'ReduceMean', b.op('Transpose', b.conv(x, 4), perm=[0, 2, 3, 1]), axes=[1, 2], keepdims=0
        )
    }
)
each(
    {
        'a picture divided by its norm': lambda b, x: b.op('Div', x, b.op('ReduceL2', x, axes=[1])),
    }
)
