"""A case: an ONNX file of an operator or an idiom, written by a function that is given a `Builder`."""

import zlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper

CASES = []

#: IR version by opset. Up to 3 initializers must be listed as inputs, too.
IR = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8, 18: 8, 19: 9}


class Builder:
    """What a file is made of. Methods that add something give the name of its value."""

    def __init__(self, name, opset):
        self.name, self.opset = name, opset
        self.nodes, self.initializers, self.counts = [], [], {}
        self.listed, self.input, self.outputs = IR.get(opset, 10) <= 3, None, []
        self.metadata, self.domains = {}, []

    def fresh(self, stem):
        self.counts[stem] = self.counts.get(stem, 0) + 1
        return f'{stem}{self.counts[stem]}'

    def op(self, kind, *inputs, outputs=1, domain='', name=None, **attributes):
        """A node; a list of names where it has several outputs. `None` leaves an input out."""
        stem = self.fresh(kind.lower())
        made = [stem] if outputs == 1 else [f'{stem}.{i}' for i in range(outputs)]
        given = ['' if i is None else i for i in inputs]
        given = [self.init(i) if isinstance(i, (np.ndarray, np.generic)) else i for i in given]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        called = f'node {stem}' if name is None else name
        self.nodes.append(helper.make_node(kind, given, made, called, domain=domain, **attributes))
        return made[0] if outputs == 1 else made

    def init(self, array, typed=False):
        """An initializer: raw bytes, or in the field of its type."""
        name, array = self.fresh('tensor'), np.asarray(array)
        tensor = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        if typed:
            values = array.view(np.uint16) if array.dtype == np.float16 else array
            tensor = TensorProto(name=name, dims=array.shape, data_type=tensor.data_type)
            field = {'f2': 'int32_data', 'f4': 'float_data', 'f8': 'double_data', 'i8': 'int64_data'}
            getattr(tensor, field.get(array.dtype.str[1:], 'int32_data')).extend(values.reshape(-1).tolist())
        self.initializers.append(tensor)
        return name

    def weight(self, *shape, scale=None, low=None):
        """Floats that depend on the case and the place in it alone: normal, or from `low` to 1."""
        seed = zlib.crc32(f'{self.name} {len(self.initializers)} {len(self.nodes)}'.encode())
        random = np.random.RandomState(seed % 2**31)
        if low is not None:
            return (low + (1 - low) * random.random_sample(shape)).astype(np.float32)
        fan = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        return (random.standard_normal(shape) * (scale or fan**-0.5)).astype(np.float32)

    def constant(self, array):
        """A Constant node with a tensor."""
        return self.op('Constant', value=numpy_helper.from_array(np.asarray(array)))

    def ints(self, *values):
        return self.init(np.array(values, np.int64))

    def conv(self, x, channels, kernel=1, cin=3, **attributes):
        weight = self.weight(channels, cin, kernel, kernel)
        return self.op('Conv', x, weight, self.weight(channels), **attributes)

    def logits(self, x, channels, classes=4):
        """A global mean, and a layer that is linear in it."""
        mean = self.op('Flatten', self.op('GlobalAveragePool', x))
        return self.op('Gemm', mean, self.weight(classes, channels), self.weight(classes), transB=1)

    def model(self, dims, element, output_dims, output_element):
        inputs = [helper.make_tensor_value_info(self.input, element, dims)]
        if self.listed:
            inputs += [
                helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in self.initializers
            ]
        outputs = [
            helper.make_tensor_value_info(o, output_element, d) for o, d in zip(self.outputs, output_dims)
        ]
        graph = helper.make_graph(self.nodes, 'g', inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid('', self.opset)]
        opsets += [helper.make_opsetid(domain, 1) for domain in self.domains]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = IR.get(self.opset, 10)
        model.producer_name = ''
        if self.metadata:
            helper.set_model_props(model, self.metadata)
        return model


class Case:
    """
    shape: of the input, as the file has it; layout: what its dimensions are; dims: what the file says of them, if
    not numbers; pixels: how the picture's values are made of the hash image h in [−2, 2): 'unit' h, 'byte'
    whole numbers from 0 to 255; whole: classes are put behind a map; refused: words of the message.
    """

    def __init__(
        self,
        name,
        build,
        opset=13,
        shape=(1, 3, 6, 8),
        layout='NCHW',
        dims=None,
        element=TensorProto.FLOAT,
        pixels='unit',
        whole=True,
        refused=None,
        options=None,
        output_dims=None,
        output_element=None,
        peer=True,
        note=None,
    ):
        self.name, self.build, self.opset, self.shape = name, build, opset, shape
        self.layout, self.dims, self.element, self.pixels = layout, dims, element, pixels
        self.whole, self.refused, self.options, self.peer = whole, refused, options or {}, peer
        self.output_dims, self.output_element, self.note = output_dims, output_element, note
        CASES.append(self)


def case(name, opsets=13, **options):
    """Adds a case for each opset: a function of builder and input that gives the output's name."""

    def add(build):
        for opset in [opsets] if isinstance(opsets, int) else opsets:
            Case(f'{name} (opset {opset})', build, opset, **options)
        return build

    return add


def each(table, opsets=13, **options):
    """Adds cases whose functions are the values of a dictionary by name."""
    for name, build in table.items():
        case(name, opsets, **options)(build)
