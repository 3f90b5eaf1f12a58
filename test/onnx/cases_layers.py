"""Convolutions, pools, norms and linear layers."""

import numpy as np
from case import case, each

ODD = (1, 3, 7, 9)
EVEN = (1, 3, 8, 6)


# Convolutions

for mode in ('SAME_UPPER', 'SAME_LOWER', 'VALID'):
    for shape in (ODD, EVEN):
        for stride, dilation, kernel in ((1, 1, 3), (2, 1, 3), (1, 2, 3), (2, 1, 2), (3, 1, 5), (1, 1, 2)):
            size = f'{shape[2]}x{shape[3]}'

            # onnxruntime does not run SAME with dilation.
            peer = dilation == 1 or mode == 'VALID'

            @case(
                f'Conv {mode} {size} kernel {kernel} stride {stride} dilation {dilation}',
                shape=shape,
                peer=peer,
            )
            def _(b, x, mode=mode, stride=stride, dilation=dilation, kernel=kernel):
                return b.conv(x, 4, kernel, auto_pad=mode, strides=[stride] * 2, dilations=[dilation] * 2)


def grouped(groups, per_in, per_out, kernel=3, **attributes):
    def build(b, x):
        x = b.conv(x, groups * per_in)
        weight = b.weight(groups * per_out, per_in, kernel, kernel)
        return b.op('Conv', x, weight, b.weight(groups * per_out), group=groups, **attributes)

    return build


each(
    {
        'Conv without bias, kernel_shape left out': lambda b, x: b.op(
            'Conv', x, b.weight(4, 3, 3, 3), pads=[1] * 4
        ),
        'Conv with pads of four sizes': lambda b, x: b.conv(x, 4, 3, pads=[0, 1, 2, 3]),
        'Conv kernel 1×3': lambda b, x: b.op('Conv', x, b.weight(4, 3, 1, 3), pads=[0, 1, 0, 1]),
        'Conv kernel 3×1 stride 2×1': lambda b, x: b.op(
            'Conv', x, b.weight(4, 3, 3, 1), pads=[1, 0, 1, 0], strides=[2, 1]
        ),
        'Conv dilation 2×3': lambda b, x: b.conv(x, 4, 2, dilations=[2, 3]),
        'Conv in 2 groups': grouped(2, 4, 3, pads=[1] * 4),
        'Conv depthwise 3×3': grouped(8, 1, 1, pads=[1] * 4),
        'Conv depthwise 3×3 stride 2': grouped(8, 1, 1, pads=[1] * 4, strides=[2, 2]),
        'Conv depthwise 5×5': grouped(8, 1, 1, 5, pads=[2] * 4),
        'Conv depthwise 5×5 stride 2 SAME_UPPER': grouped(8, 1, 1, 5, auto_pad='SAME_UPPER', strides=[2, 2]),
        'Conv depthwise 7×7': grouped(6, 1, 1, 7, pads=[3] * 4),
        'Conv depthwise dilated': grouped(8, 1, 1, pads=[2] * 4, dilations=[2, 2]),
        'Conv depthwise with two outputs a channel': grouped(4, 1, 2, pads=[1] * 4),
        'Conv as large as the picture': lambda b, x: b.op('Conv', x, b.weight(5, 3, 6, 8), b.weight(5)),
        'Conv of pads alone': lambda b, x: b.conv(x, 2, 1, pads=[1, 2, 0, 1]),
        'Conv 1×1 stride 2': lambda b, x: b.conv(x, 4, 1, strides=[2, 2]),
    }
)
each({'Conv': lambda b, x: b.conv(x, 4, 3, pads=[1] * 4)}, range(7, 23))


@case('Conv of a weight that Reshape and Transpose make', 13)
def _(b, x):
    flat = b.op('Reshape', b.weight(27, 4), b.ints(3, 3, 3, 4))
    return b.op('Conv', x, b.op('Transpose', flat, perm=[3, 0, 1, 2]))


@case('Conv of a weight that Mul and Add make', 13)
def _(b, x):
    scaled = b.op('Mul', b.weight(4, 3, 3, 3), b.weight(4, 1, 1, 1))
    return b.op('Conv', x, b.op('Add', scaled, np.float32(0.1)), b.op('Sub', b.weight(4), b.weight(4)))


@case('Conv of a weight that is standardised in the graph', 13)
def _(b, x):
    weight = b.weight(4, 3, 3, 3)
    name = b.init(weight)
    mean = b.op('ReduceMean', name, axes=[1, 2, 3])
    centred = b.op('Sub', name, mean)
    variance = b.op('ReduceMean', b.op('Mul', centred, centred), axes=[1, 2, 3])
    return b.op('Conv', x, b.op('Div', centred, b.op('Sqrt', b.op('Add', variance, np.float32(1e-5)))))


@case('Conv of a weight that ConstantOfShape makes', [9, 13])
def _(b, x):
    import onnx.helper as helper

    value = helper.make_tensor('value', 1, [1], [0.25])
    return b.op('Conv', x, b.op('ConstantOfShape', b.ints(4, 3, 3, 3), value=value))


@case('Conv whose bias is all zeros, of a Constant')
def _(b, x):
    return b.op('Conv', x, b.constant(b.weight(4, 3, 3, 3)), b.constant(np.zeros(4, np.float32)))


# Pools


def pool(kind, channels=4, **attributes):
    return lambda b, x: b.op(kind, b.conv(x, channels), **attributes)


for shape in (ODD, EVEN):
    size = f'{shape[2]}x{shape[3]}'
    table = {}
    for kind in ('MaxPool', 'AveragePool'):
        table |= {
            f'{kind} 2 stride 2 {size}': pool(kind, kernel_shape=[2, 2], strides=[2, 2]),
            f'{kind} 3 stride 2 pads 1 {size}': pool(kind, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
            f'{kind} 3 stride 2 ceil {size}': pool(kind, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
            f'{kind} 2 stride 2 ceil {size}': pool(kind, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
            f'{kind} 2×3 stride 1×2 {size}': pool(kind, kernel_shape=[2, 3], strides=[1, 2]),
            f'{kind} strides left out {size}': pool(kind, kernel_shape=[3, 3]),
            f'{kind} pads behind {size}': pool(kind, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]),
            f'{kind} SAME_UPPER {size}': pool(
                kind, kernel_shape=[3, 3], strides=[2, 2], auto_pad='SAME_UPPER'
            ),
            f'{kind} SAME_LOWER {size}': pool(
                kind, kernel_shape=[2, 2], strides=[1, 1], auto_pad='SAME_LOWER'
            ),
            f'{kind} VALID {size}': pool(kind, kernel_shape=[3, 3], strides=[2, 2], auto_pad='VALID'),
        }
    include = {'count_include_pad': 1}
    table |= {
        f'AveragePool with padding counted {size}': pool(
            'AveragePool', kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, **include
        ),
        f'AveragePool pads behind counted {size}': pool(
            'AveragePool', kernel_shape=[3, 3], strides=[1, 1], pads=[0, 0, 1, 1], **include
        ),
    }
    each(table, 11, shape=shape)
    # Newer runtimes and PyTorch leave out what is beyond the padding; older runtimes count it.
    each(
        {
            f'AveragePool ceil, padding counted {size}': pool(
                'AveragePool', kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, ceil_mode=1, **include
            )
        },
        11,
        shape=shape,
    )
    # A last window that would lie in the padding alone does not exist.
    each(
        {
            f'MaxPool 1 stride 2 pads behind ceil {size}': pool(
                'MaxPool', kernel_shape=[2, 2], strides=[3, 3], pads=[0, 0, 1, 1], ceil_mode=1
            )
        },
        11,
        shape=shape,
    )

each(
    {
        'MaxPool of negative values with pads': lambda b, x: b.op(
            'MaxPool', b.op('Sub', x, np.float32(10)), kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]
        ),
        'MaxPool 1 stride 2': pool('MaxPool', kernel_shape=[1, 1], strides=[2, 2]),
        'MaxPool as large as the picture': pool('MaxPool', kernel_shape=[6, 8]),
        'AveragePool as large as the picture': pool('AveragePool', kernel_shape=[6, 8]),
        'GlobalMaxPool': pool('GlobalMaxPool'),
        'GlobalAveragePool': pool('GlobalAveragePool'),
    },
    12,
)
each(
    {
        'MaxPool and AveragePool': lambda b, x: b.op(
            'AveragePool',
            b.op('MaxPool', x, kernel_shape=[2, 2], strides=[2, 2]),
            kernel_shape=[3, 3],
            pads=[1] * 4,
        )
    },
    (7, 8, 10, 19, 22),
)


# Norms


def norm(b, x, C=4, **attributes):
    vectors = [b.weight(C), b.weight(C), b.weight(C), b.weight(C, low=0.3)]
    return b.op('BatchNormalization', x, *vectors, **attributes)


def training(b, x):
    """As exporters write it in training mode up to opset 13: five outputs, nothing reads the last four."""
    vectors = [b.weight(4), b.weight(4), b.weight(4), b.weight(4, low=0.3)]
    return b.op('BatchNormalization', b.conv(x, 4), *vectors, outputs=5)[0]


def training_mode(b, x):
    """The same from opset 14 on."""
    vectors = [b.weight(4), b.weight(4), b.weight(4), b.weight(4, low=0.3)]
    return b.op('BatchNormalization', b.conv(x, 4), *vectors, outputs=3, training_mode=1)[0]


each(
    {
        'BatchNormalization behind Conv': lambda b, x: norm(b, b.conv(x, 4)),
        'BatchNormalization behind Relu': lambda b, x: norm(b, b.op('Relu', b.conv(x, 4))),
        'BatchNormalization of the picture, then padded Conv': lambda b, x: b.conv(
            norm(b, x, 3), 4, 3, pads=[1] * 4
        ),
        'BatchNormalization, Pad, Conv': lambda b, x: b.conv(
            b.op('Pad', norm(b, x, 3), b.ints(0, 0, 1, 1, 0, 0, 1, 1)), 4, 3
        ),
        'BatchNormalization twice': lambda b, x: norm(b, norm(b, b.conv(x, 4))),
        'BatchNormalization of a large epsilon': lambda b, x: norm(b, b.conv(x, 4), epsilon=0.5),
        'BatchNormalization, Relu, Conv': lambda b, x: b.conv(b.op('Relu', norm(b, b.conv(x, 4))), 5, 3, 4),
        'BatchNormalization behind Conv that something else reads too': lambda b, x: (
            lambda c: b.op('Add', norm(b, c), c)
        )(b.conv(x, 4)),
    }
)
each({'BatchNormalization': lambda b, x: norm(b, b.conv(x, 4))}, (7, 8, 9, 14, 15))
each(
    {
        'BatchNormalization with spatial and momentum': lambda b, x: norm(
            b, b.conv(x, 4), spatial=1, momentum=0.8
        )
    },
    (7, 8),
)
# Runtimes would take the statistics of the batch; an explanation wants those of the training.
each({'BatchNormalization in training form': training}, (7, 9, 13), peer=False)
each({'BatchNormalization of training_mode': training_mode}, 15, peer=False)


@case('BatchNormalization of a vector', 13)
def _(b, x):
    hidden = b.op('Gemm', b.op('Flatten', b.op('GlobalAveragePool', x)), b.weight(3, 4), b.weight(4))
    return norm(b, hidden)


@case('BatchNormalization of vectors that the graph computes')
def _(b, x):
    gamma = b.op('Add', b.weight(4), np.float32(1))
    return b.op('BatchNormalization', b.conv(x, 4), gamma, b.weight(4), b.weight(4), b.op('Exp', b.weight(4)))


def layer_norm(b, x, C=4):
    last = b.op('Transpose', x, perm=[0, 2, 3, 1])
    normed = b.op('LayerNormalization', last, b.weight(C), b.weight(C), axis=-1, epsilon=1e-3)
    return b.op('Transpose', normed, perm=[0, 3, 1, 2])


def by_hand(b, x, axes, C, last):
    """LayerNormalization as exporters wrote it before opset 17."""
    mean = b.op('ReduceMean', x, axes=axes)
    centred = b.op('Sub', x, mean)
    variance = b.op('ReduceMean', b.op('Pow', centred, np.float32(2)), axes=axes)
    root = b.op('Sqrt', b.op('Add', variance, np.float32(1e-3)))
    vector = (C,) if last else (C, 1, 1)
    scaled = b.op('Mul', b.op('Div', centred, root), b.weight(C).reshape(vector))
    return b.op('Add', scaled, b.weight(C).reshape(vector))


def group_norm(b, x, groups=2, C=4):
    """GroupNorm as PyTorch's exporter writes it: InstanceNormalization of [N, groups, −1]."""
    split = b.op('Reshape', x, b.ints(0, groups, -1))
    normed = b.op('InstanceNormalization', split, np.ones(groups, np.float32), np.zeros(groups, np.float32))
    back = b.op('Reshape', normed, b.op('Shape', x))
    scaled = b.op('Mul', back, b.weight(C).reshape(C, 1, 1))
    return b.op('Add', scaled, b.weight(C).reshape(C, 1, 1))


each({'LayerNormalization over channels': lambda b, x: layer_norm(b, b.conv(x, 4))}, 17)
each(
    {
        'LayerNormalization without a bias, axis 3': lambda b, x: b.op(
            'LayerNormalization', b.op('Transpose', x, perm=[0, 2, 3, 1]), b.weight(3), axis=3
        )
    },
    17,
)
each(
    {
        'LayerNormalization by hand, channels last': lambda b, x: b.op(
            'Transpose',
            by_hand(b, b.op('Transpose', b.conv(x, 4), perm=[0, 2, 3, 1]), [-1], 4, True),
            perm=[0, 3, 1, 2],
        ),
        'LayerNormalization by hand, over dimension 1': lambda b, x: by_hand(b, b.conv(x, 4), [1], 4, False),
        'LayerNormalization by hand over the whole map': lambda b, x: by_hand(
            b, b.conv(x, 4), [1, 2, 3], 4, False
        ),
        'InstanceNormalization': lambda b, x: b.op(
            'InstanceNormalization', b.conv(x, 4), b.weight(4), b.weight(4), epsilon=1e-3
        ),
        'GroupNorm by InstanceNormalization': lambda b, x: group_norm(b, b.conv(x, 4)),
        'GroupNorm of one group': lambda b, x: group_norm(b, b.conv(x, 4), 1),
        'LRN': lambda b, x: b.op('LRN', b.conv(x, 8), size=5, alpha=0.5, beta=0.75, bias=1.5),
        'LRN with defaults': lambda b, x: b.op('LRN', b.conv(x, 8), size=3),
    }
)
each({'LRN of an even size': lambda b, x: b.op('LRN', b.conv(x, 8), size=4, alpha=0.5)}, peer=False)
each(
    {
        'GroupNormalization': lambda b, x: b.op(
            'GroupNormalization', b.conv(x, 4), b.weight(2), b.weight(2), num_groups=2
        )
    },
    18,
    peer=False,
)
each(
    {
        'GroupNormalization': lambda b, x: b.op(
            'GroupNormalization', b.conv(x, 4), b.weight(4), b.weight(4), num_groups=2
        )
    },
    21,
)


# Linear layers


def behind_mean(build):
    return lambda b, x: build(b, b.op('Flatten', b.op('GlobalAveragePool', b.conv(x, 6))))


each(
    {
        'Gemm': behind_mean(lambda b, x: b.op('Gemm', x, b.weight(6, 5), b.weight(5))),
        'Gemm transB': behind_mean(lambda b, x: b.op('Gemm', x, b.weight(5, 6), b.weight(5), transB=1)),
        'Gemm alpha and beta': behind_mean(
            lambda b, x: b.op('Gemm', x, b.weight(6, 5), b.weight(5), alpha=0.5, beta=2.0)
        ),
        'Gemm without C': behind_mean(lambda b, x: b.op('Gemm', x, b.weight(6, 5))),
        'Gemm with C of one number': behind_mean(lambda b, x: b.op('Gemm', x, b.weight(6, 5), b.weight(1))),
        'Gemm with C of [1, 5]': behind_mean(lambda b, x: b.op('Gemm', x, b.weight(6, 5), b.weight(1, 5))),
        'Gemm with C a scalar': behind_mean(lambda b, x: b.op('Gemm', x, b.weight(6, 5), np.float32(0.5))),
        'MatMul': behind_mean(lambda b, x: b.op('MatMul', x, b.weight(6, 5))),
        'MatMul and Add': behind_mean(
            lambda b, x: b.op('Add', b.op('MatMul', x, b.weight(6, 5)), b.weight(5))
        ),
        'Add of a constant first, behind MatMul': behind_mean(
            lambda b, x: b.op('Add', b.weight(5), b.op('MatMul', x, b.weight(6, 5)))
        ),
        'Gemm of a whole map': lambda b, x: b.op(
            'Gemm', b.op('Flatten', x), b.weight(5, 144), b.weight(5), transB=1
        ),
        'two Gemms of a whole map': lambda b, x: b.op(
            'Gemm',
            b.op(
                'Relu', b.op('Gemm', b.op('Flatten', b.conv(x, 4)), b.weight(7, 192), b.weight(7), transB=1)
            ),
            b.weight(7, 5),
        ),
        'MatMul of a whole map, channels last': lambda b, x: b.op(
            'MatMul', b.op('Flatten', b.op('Transpose', x, perm=[0, 2, 3, 1])), b.weight(144, 5)
        ),
        'MatMul of channels last': lambda b, x: b.op(
            'Transpose',
            b.op('Add', b.op('MatMul', b.op('Transpose', x, perm=[0, 2, 3, 1]), b.weight(3, 5)), b.weight(5)),
            perm=[0, 3, 1, 2],
        ),
    }
)
