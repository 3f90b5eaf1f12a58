"""Activation functions, arithmetic with its ways of broadcasting, and idioms that mean one function."""

import math

import numpy as np
from case import case, each

F = np.float32


def on(kind, *constants, channels=4, **attributes):
    """An operator on what a convolution makes."""
    return lambda b, x: b.op(kind, b.conv(x, channels), *constants, **attributes)


# Activation functions

each(
    {
        'Relu': on('Relu'),
        'LeakyRelu': on('LeakyRelu'),
        'LeakyRelu of 0.2': on('LeakyRelu', alpha=0.2),
        'Elu': on('Elu'),
        'Elu of 0.5': on('Elu', alpha=0.5),
        'Celu of 0.7': on('Celu', alpha=0.7),
        'Selu': on('Selu'),
        'Sigmoid': on('Sigmoid'),
        'HardSigmoid': on('HardSigmoid'),
        'HardSigmoid of 1/6': on('HardSigmoid', alpha=1 / 6, beta=0.5),
        'Softplus': on('Softplus'),
        'Softsign': on('Softsign'),
        'ThresholdedRelu': on('ThresholdedRelu', alpha=0.3),
        'Tanh': on('Tanh'),
        'Erf': on('Erf'),
        'Abs': on('Abs'),
        'Neg': on('Neg'),
        'Exp': on('Exp'),
        'Sqrt of Abs': lambda b, x: b.op('Sqrt', b.op('Abs', x)),
        'Log of what is above 0': lambda b, x: b.op('Log', b.op('Add', b.op('Abs', x), F(0.5))),
        'Reciprocal of what is above 0': lambda b, x: b.op('Reciprocal', b.op('Add', b.op('Abs', x), F(0.5))),
        'PRelu of a slope for each channel': on('PRelu', np.array([0.1, 0.2, -0.3, 1.5], F).reshape(4, 1, 1)),
        'PRelu of [1, C, 1, 1]': on('PRelu', np.array([0.1, 0.2, -0.3, 1.5], F).reshape(1, 4, 1, 1)),
        'PRelu of one slope': on('PRelu', np.array([0.25], F)),
        'PRelu of [1, 1, 1]': on('PRelu', np.array([0.25], F).reshape(1, 1, 1)),
    },
    12,
)
each({'Relu, LeakyRelu, Sigmoid': lambda b, x: b.op('Sigmoid', b.op('LeakyRelu', b.op('Relu', x)))}, (7, 22))
each({'HardSwish': on('HardSwish')}, (14, 22))
each({'Mish': on('Mish')}, 18)
each({'Gelu': on('Gelu'), 'Gelu by tanh': on('Gelu', approximate='tanh')}, 20)

each(
    {
        'Clip of 0 and 6': on('Clip', min=0.0, max=6.0),
        'Clip of a minimum alone': on('Clip', min=-0.5),
        'Clip of a maximum alone': on('Clip', max=0.75),
        'Clip without bounds': on('Clip'),
    },
    (7, 10),
)
each(
    {
        'Clip of 0 and 6': on('Clip', F(0), F(6)),
        'Clip of −0.5 and 0.5': on('Clip', F(-0.5), F(0.5)),
        'Clip of a minimum alone': on('Clip', F(-0.5)),
        'Clip of a maximum alone': on('Clip', None, F(0.75)),
        'Clip without bounds': on('Clip'),
        'Clip of bounds that are Constants': lambda b, x: b.op('Clip', x, b.constant(F(0)), b.constant(F(1))),
        'Clip of bounds that are cast': lambda b, x: b.op(
            'Clip',
            x,
            b.op('Cast', b.init(np.array(0, np.int64)), to=1),
            b.op('Cast', b.init(np.array(1, np.float64)), to=1),
        ),
    },
    (11, 13),
)


# Idioms


def relu6(b, x):
    return b.op('Clip', x, F(0), F(6))


def gelu(b, x):
    erf = b.op('Erf', b.op('Div', x, F(math.sqrt(2))))
    return b.op('Mul', b.op('Mul', x, b.op('Add', erf, F(1))), F(0.5))


def gelu_halved_first(b, x):
    erf = b.op('Add', b.op('Erf', b.op('Mul', x, F(1 / math.sqrt(2)))), F(1))
    return b.op('Mul', b.op('Mul', F(0.5), x), erf)


def gelu_tanh(b, x):
    cube = b.op('Mul', b.op('Pow', x, F(3)), F(0.044715))
    inner = b.op('Tanh', b.op('Mul', b.op('Add', x, cube), F(math.sqrt(2 / math.pi))))
    return b.op('Mul', b.op('Mul', x, F(0.5)), b.op('Add', inner, F(1)))


def squeeze_excite(gate, order=False):
    """Mean, two 1×1 convolutions, a gate; multiplied with the map."""

    def build(b, x):
        x = b.op('Relu', b.conv(x, 8))
        small = b.op('Relu', b.conv(b.op('GlobalAveragePool', x), 4, cin=8))
        gates = b.op(gate, b.conv(small, 8, cin=4))
        return b.op('Mul', gates, x) if order else b.op('Mul', x, gates)

    return build


def squeeze_excite_linear(b, x):
    """The same of linear layers: [N, C] → Reshape [N, C, 1, 1] → Expand."""
    x = b.op('Relu', b.conv(x, 8))
    mean = b.op('Reshape', b.op('GlobalAveragePool', x), b.ints(-1, 8))
    small = b.op('Relu', b.op('Gemm', mean, b.weight(8, 4), b.weight(4)))
    gates = b.op('Sigmoid', b.op('Gemm', small, b.weight(4, 8), b.weight(8)))
    wide = b.op('Expand', b.op('Reshape', gates, b.ints(-1, 8, 1, 1)), b.op('Shape', x))
    return b.op('Mul', x, wide)


def conv_then(idiom):
    return lambda b, x: idiom(b, b.conv(x, 4))


each(
    {
        'GELU by Erf': conv_then(gelu),
        'GELU by Erf, halved first': conv_then(gelu_halved_first),
        'GELU by Tanh': conv_then(gelu_tanh),
        'SiLU': conv_then(lambda b, x: b.op('Mul', x, b.op('Sigmoid', x))),
        'SiLU, gate first': conv_then(lambda b, x: b.op('Mul', b.op('Sigmoid', x), x)),
        'Swish of 1.702': conv_then(lambda b, x: b.op('Mul', x, b.op('Sigmoid', b.op('Mul', x, F(1.702))))),
        'hard swish by Clip': conv_then(
            lambda b, x: b.op('Div', b.op('Mul', x, relu6(b, b.op('Add', x, F(3)))), F(6))
        ),
        'hard swish by Clip, divided first': conv_then(
            lambda b, x: b.op('Mul', x, b.op('Div', relu6(b, b.op('Add', x, F(3))), F(6)))
        ),
        'hard swish by a factor of 1/6': conv_then(
            lambda b, x: b.op('Mul', b.op('Mul', x, relu6(b, b.op('Add', F(3), x))), F(1 / 6))
        ),
        'hard swish by HardSigmoid': conv_then(
            lambda b, x: b.op('Mul', x, b.op('HardSigmoid', x, alpha=1 / 6, beta=0.5))
        ),
        'hard sigmoid by Clip': conv_then(lambda b, x: b.op('Div', relu6(b, b.op('Add', x, F(3))), F(6))),
        'Mish by Softplus': conv_then(lambda b, x: b.op('Mul', x, b.op('Tanh', b.op('Softplus', x)))),
        'Softplus by Exp and Log': conv_then(lambda b, x: b.op('Log', b.op('Add', b.op('Exp', x), F(1)))),
        'Relu by Max with 0': conv_then(lambda b, x: b.op('Max', x, F(0))),
        'Relu6 by Min and Max': conv_then(lambda b, x: b.op('Min', b.op('Max', x, F(0)), F(6))),
        'LeakyRelu by Max': conv_then(lambda b, x: b.op('Max', x, b.op('Mul', x, F(0.1)))),
        'square by Pow': conv_then(lambda b, x: b.op('Pow', x, F(2))),
        'square by Mul': conv_then(lambda b, x: b.op('Mul', x, x)),
        'twice by Add': conv_then(lambda b, x: b.op('Add', x, x)),
        'StarRelu': conv_then(
            lambda b, x: b.op(
                'Add',
                b.op('Mul', b.op('Pow', b.op('Relu', x), F(2)), np.array([0.9], F)),
                np.array([-0.4], F),
            )
        ),
        'CReLU': conv_then(lambda b, x: b.op('Relu', b.op('Concat', x, b.op('Neg', x), axis=1))),
        'squeeze and excitation by Sigmoid': squeeze_excite('Sigmoid'),
        'squeeze and excitation, gate first': squeeze_excite('HardSigmoid', True),
        'squeeze and excitation by Gemm': squeeze_excite_linear,
    }
)
each(
    {
        'hard swish of opset 9': conv_then(
            lambda b, x: b.op(
                'Div', b.op('Mul', x, b.op('Clip', b.op('Add', x, F(3)), min=0.0, max=6.0)), F(6)
            )
        )
    },
    9,
)


# Arithmetic

SHAPES = {
    'scalar': (),
    '[1]': (1,),
    '[C, 1, 1]': (4, 1, 1),
    '[1, C, 1, 1]': (1, 4, 1, 1),
    '[1, 1, 1]': (1, 1, 1),
}
for kind in ('Add', 'Sub', 'Mul', 'Div'):
    for text, shape in SHAPES.items():

        def constant(b, shape=shape):
            return b.weight(*shape, low=0.3)

        each(
            {
                f'{kind} of {text}': lambda b, x, kind=kind, constant=constant: b.op(
                    kind, b.conv(x, 4), constant(b)
                ),
                f'{kind} of {text}, constant first': lambda b, x, kind=kind, constant=constant: b.op(
                    kind, constant(b), b.op('Add', b.op('Abs', b.conv(x, 4)), F(0.5))
                ),
            }
        )
    each(
        {
            f'{kind} of a constant map': lambda b, x, kind=kind: b.op(kind, x, b.weight(1, 3, 6, 8, low=0.3)),
            f'{kind} of a constant map of one channel': lambda b, x, kind=kind: b.op(
                kind, x, b.weight(6, 8, low=0.3)
            ),
            f'{kind} of a constant row': lambda b, x, kind=kind: b.op(kind, x, b.weight(8, low=0.3)),
            f'{kind} of two maps': lambda b, x, kind=kind: b.op(
                kind, b.conv(x, 4), b.op('Add', b.op('Abs', b.conv(x, 4)), F(0.5))
            ),
            f'{kind} of a map and a vector': lambda b, x, kind=kind: b.op(
                kind, b.conv(x, 4), b.op('Exp', b.conv(b.op('GlobalAveragePool', x), 4))
            ),
            f'{kind} of a vector and a map': lambda b, x, kind=kind: b.op(
                kind, b.conv(b.op('GlobalAveragePool', x), 4), b.op('Add', b.op('Abs', b.conv(x, 4)), F(0.5))
            ),
            f'{kind} of a map and a map of one channel': lambda b, x, kind=kind: b.op(
                kind, b.conv(x, 4), b.op('Exp', b.conv(x, 1))
            ),
        },
        14,
    )
each(
    {
        'Add, Sub, Mul, Div of constants': lambda b, x: b.op(
            'Div',
            b.op(
                'Mul', b.op('Sub', b.op('Add', b.conv(x, 4), b.weight(4, 1, 1)), F(0.5)), b.weight(1, 4, 1, 1)
            ),
            F(3),
        )
    },
    (7, 22),
)
each(
    {
        'Pow of 3': lambda b, x: b.op('Pow', x, F(3)),
        'Pow of an int64': lambda b, x: b.op('Pow', x, b.ints(2)),
        'Pow of 0.5': lambda b, x: b.op('Pow', b.op('Abs', x), F(0.5)),
        'Max of two maps': lambda b, x: b.op('Max', b.conv(x, 4), b.conv(x, 4)),
        'Min of two maps': lambda b, x: b.op('Min', b.conv(x, 4), b.conv(x, 4)),
        'Max of three maps': lambda b, x: b.op('Max', b.conv(x, 4), b.conv(x, 4), b.conv(x, 4)),
        'Max of a map and [C, 1, 1]': lambda b, x: b.op('Max', b.conv(x, 4), b.weight(4, 1, 1)),
        'Min of a number and a map': lambda b, x: b.op('Min', F(0.25), b.conv(x, 4)),
        'Sum of three maps': lambda b, x: b.op('Sum', b.conv(x, 4), b.conv(x, 4), b.conv(x, 4)),
        'Sum of one': lambda b, x: b.op('Sum', x),
        'Mean of two maps': lambda b, x: b.op('Mean', b.conv(x, 4), b.conv(x, 4)),
        'Caffe’s Scale by Unsqueeze': lambda b, x: b.op(
            'Add',
            b.op('Mul', b.conv(x, 4), b.op('Unsqueeze', b.weight(4), b.ints(1, 2))),
            b.op('Unsqueeze', b.weight(4), b.ints(1, 2)),
        ),
    }
)
each(
    {
        'Caffe’s Scale by Unsqueeze': lambda b, x: b.op(
            'Add',
            b.op('Mul', b.conv(x, 4), b.op('Unsqueeze', b.weight(4), axes=[1, 2])),
            b.op('Unsqueeze', b.weight(4), axes=[1, 2]),
        )
    },
    (7, 11),
)


@case('residual block with a layer scale')
def _(b, x):
    x = b.op('Relu', b.conv(x, 8))
    branch = b.conv(gelu(b, b.conv(x, 16, cin=8)), 8, cin=16)
    return b.op('Add', x, b.op('Mul', branch, b.weight(8, 1, 1)))


# Softmax: at the end of a file it would be looked through, so something is behind it


def vector(build):
    return lambda b, x: build(b, b.op('Flatten', b.op('GlobalAveragePool', b.conv(x, 5))))


each(
    {
        'Softmax of channels in the middle': lambda b, x: b.op('Neg', b.op('Softmax', b.conv(x, 4), axis=1)),
        'Softmax of channels last': lambda b, x: b.op(
            'Neg', b.op('Softmax', b.op('Transpose', b.conv(x, 4), perm=[0, 2, 3, 1]))
        ),
        'Softmax of two spatial dimensions as one': lambda b, x: b.op(
            'Reshape', b.op('Softmax', b.op('Reshape', b.conv(x, 4), b.ints(0, 4, -1))), b.ints(1, 4, 6, 8)
        ),
    }
)
each(
    {
        'Softmax of a vector, then a layer': vector(
            lambda b, x: b.op('Gemm', b.op('Softmax', x), b.weight(5, 3), b.weight(3))
        )
    },
    (7, 11, 13),
)
each(
    {
        'Softmax that takes the dimensions behind as one': vector(
            lambda b, x: b.op('Neg', b.op('Softmax', b.op('Reshape', x, b.ints(0, 0, 1, 1)), axis=1))
        )
    },
    (7, 11),
)
each(
    {
        'LogSoftmax, then a layer': vector(
            lambda b, x: b.op('Gemm', b.op('LogSoftmax', x, axis=1), b.weight(5, 3))
        )
    },
    (11, 13),
)
