"""What is refused: operator, node and opset are named."""

import numpy as np
import onnx.helper as helper
from case import case

F = np.float32
UP = np.array([1, 1, 2, 2], F)

REFUSED = {
    'ConvTranspose': lambda b, x: b.op('ConvTranspose', x, b.weight(3, 4, 2, 2), strides=[2, 2]),
    'TopK': lambda b, x: b.op('TopK', x, b.ints(2), outputs=2)[0],
    'ArgMax': lambda b, x: b.op('Cast', b.op('ArgMax', x, axis=1), to=1),
    'NonMaxSuppression': lambda b, x: b.op('NonMaxSuppression', x, x),
    'GridSample': lambda b, x: b.op('GridSample', x, b.weight(1, 6, 8, 2)),
    'LSTM': lambda b, x: b.op(
        'LSTM', b.op('Reshape', x, b.ints(6, 1, 24)), b.weight(1, 16, 24), b.weight(1, 16, 4), hidden_size=4
    ),
    'Einsum': lambda b, x: b.op('Einsum', x, x, equation='nchw,nchw->nchw'),
    'RandomNormalLike': lambda b, x: b.op('Add', x, b.op('RandomNormalLike', x)),
    'Loop': lambda b, x: b.op(
        'Loop', b.ints(2), np.array(True), x, body=helper.make_graph([], 'body', [], [])
    ),
    'If': lambda b, x: b.op(
        'Add',
        x,
        b.op(
            'If',
            np.array(True),
            then_branch=helper.make_graph([], 't', [], []),
            else_branch=helper.make_graph([], 'e', [], []),
        ),
    ),
    'MaxUnpool': lambda b, x: b.op('MaxUnpool', x, x, kernel_shape=[2, 2]),
    'Multinomial': lambda b, x: b.op('Multinomial', b.op('Flatten', x)),
    'StringNormalizer': lambda b, x: b.op('StringNormalizer', x),
}
for kind, build in REFUSED.items():
    case(f'{kind} is refused', 16, refused=[kind, f'node {kind.lower()}1', '16'])(build)
case('an operator that there is not is refused', 13, refused=['Frobnicate', 'node frobnicate1', '13'])(
    lambda b, x: b.op('Frobnicate', x)
)
case('Resize by cubic is refused', 13, refused=['Resize', 'node resize1', '13', 'cubic'])(
    lambda b, x: b.op('Resize', x, None, np.array([1, 1, 2, 2], F), mode='cubic')
)
case('Resize with antialias is refused', 18, refused=['Resize', 'node resize1', '18', 'antialias'])(
    lambda b, x: b.op('Resize', x, None, np.array([1, 1, 0.5, 0.5], F), mode='linear', antialias=1)
)
case('Conv whose weight depends on the picture is refused', 13, refused=['Conv', 'node conv1', '13'])(
    lambda b, x: b.op('Conv', x, x)
)
case('MaxPool whose indices are read is refused', 13, refused=['MaxPool', '13'])(
    lambda b, x: b.op('Cast', b.op('MaxPool', x, outputs=2, kernel_shape=[2, 2])[1], to=1)
)


@case('a domain of its own is refused', 13, refused=['Magic', 'node magic1', 'com.example'])
def _(b, x):
    b.domains.append('com.example')
    return b.op('Magic', x, domain='com.example')


@case('an opset that is too old is refused', 6, refused=['6'])
def _(b, x):
    return b.op('Relu', x)


@case('a cycle is refused', 13, refused=[])
def _(b, x):
    y = b.op('Add', x, 'relu1')
    return b.op('Relu', y)


@case('an input of five dimensions is refused', 13, shape=(1, 3, 4, 4, 4), refused=['[1,3,4,4,4]'])
def _(b, x):
    return b.op('Relu', x)


@case('a network of two inputs is refused', 13, refused=['second'])
def _(b, x):
    b.second = True
    return b.op('Add', x, 'second')


def sparse(b, x):
    values, indices = helper.make_tensor('v', 1, [2], [0.5, 3.0]), helper.make_tensor('i', 7, [2], [0, 2])
    return b.op(
        'Mul', x, b.op('Constant', sparse_value=helper.make_sparse_tensor(values, indices, [3, 1, 1]))
    )


def resized(**attributes):
    return lambda b, x: b.op('Resize', x, None, UP, **attributes)


def pooled(kind):
    return lambda b, x: b.op(kind, x, kernel_shape=[2, 2], dilations=[2, 2])


# Sound ONNX that hardly any network of pictures has.
RARE = {
    'Constant of a sparse tensor': ('Constant', 13, sparse),
    'Gemm of constants': (
        'Gemm',
        13,
        lambda b, x: b.op('Mul', x, b.op('Gemm', b.weight(6, 2), b.weight(2, 8))),
    ),
    'SpaceToDepth': ('SpaceToDepth', 13, lambda b, x: b.op('SpaceToDepth', x, blocksize=2)),
    'LpNormalization': ('LpNormalization', 13, lambda b, x: b.op('LpNormalization', x, axis=1)),
    'MaxPool with dilations': ('MaxPool', 12, pooled('MaxPool')),
    'AveragePool with dilations': ('AveragePool', 19, pooled('AveragePool')),
    'PRelu of a slope for each pixel': ('PRelu', 12, lambda b, x: b.op('PRelu', x, b.weight(3, 6, 8))),
    'Selu of other constants': ('Selu', 12, lambda b, x: b.op('Selu', x, alpha=1.5)),
    'Softmax over channels and places together': ('Softmax', 11, lambda b, x: b.op('Softmax', x, axis=1)),
    'Tile': ('Tile', 13, lambda b, x: b.op('Tile', x, b.ints(1, 1, 2, 2))),
    'Resize half_pixel_symmetric': (
        'Resize',
        19,
        resized(mode='linear', coordinate_transformation_mode='half_pixel_symmetric'),
    ),
    'Resize tf_half_pixel_for_nn': (
        'Resize',
        11,
        resized(mode='nearest', coordinate_transformation_mode='tf_half_pixel_for_nn'),
    ),
    'Resize tf_crop_and_resize': (
        'Resize',
        11,
        resized(mode='linear', coordinate_transformation_mode='tf_crop_and_resize'),
    ),
}
for name, (kind, opset, build) in RARE.items():
    case(f'{name} is refused', opset, refused=[kind, f'node {kind.lower()}1', f'{opset}'])(build)
