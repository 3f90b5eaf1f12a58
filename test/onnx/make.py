"""Writes goldens/onnx-cases.json: ONNX files of one operator or idiom each, and what they give for a hash image.

    python3 test/onnx/make.py                    (Debian: apt-get install python3-onnx python3-numpy)
    python3 test/onnx/make.py peers.json         (for crosscheck.mjs: maps are outputs of the files)
    node test/onnx/crosscheck.mjs peers.json     (compares the answers with onnxruntime-web's)

What makes a map gets a mean and two classes behind it: the library gives the map as the features that its classifier
averages, [h, w, C].

Each case: `file` (base64), `shape` and `layout` of the picture, `pixels` (case.py), `expected` by reference.py
in float64 (base64 of float32), the map or the logits; beside a map `logits`; and `rounding`, how far the same in float32
is from it, of the largest. Or `refused`: what the message says.
"""

import base64
import json
import os
import sys
from collections import Counter

import numpy as np
from onnx import TensorProto, helper
from case import CASES, Builder
from reference_shapes import Operators
import cases_layers  # noqa: F401
import cases_functions  # noqa: F401
import cases_shapes  # noqa: F401
import cases_sizes  # noqa: F401
import cases_files  # noqa: F401
import cases_quantised  # noqa: F401
import cases_refused  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))


def hash_image(length, salt=0):
    """As hashImage of hash-weights.ts: 4u − 2."""
    mask, t = np.uint64(0xFFFFFFFF), salt + 10000
    i = np.arange(1, length + 1, dtype=np.uint64)
    h = ((i * np.uint64(0x9E3779B1)) & mask) ^ np.uint64(((t + 1) * 0x85EBCA6B) & 0xFFFFFFFF)
    h = ((h ^ (h >> np.uint64(16))) * np.uint64(0x85EBCA6B)) & mask
    h = ((h ^ (h >> np.uint64(13))) * np.uint64(0xC2B2AE35)) & mask
    return (4 * ((h ^ (h >> np.uint64(16))) / 2**32) - 2).astype(np.float32)


def picture_of(case):
    """The picture as the file wants it; the hash is of NCHW."""
    shape = case.shape
    if case.layout == 'NHWC':
        shape = (shape[0], shape[3], shape[1], shape[2])
    x = hash_image(int(np.prod(shape))).reshape(shape)
    if case.pixels == 'byte':
        x = np.floor((x + 2) * 64)
    return x.transpose(0, 2, 3, 1) if case.layout == 'NHWC' else x


def file_of(case, has_classes, shows_maps):
    """The builder and the model; `has_classes` puts a classifier behind the map that the case makes."""
    b = Builder(case.name, case.opset)
    b.input = 'picture'
    made = case.build(b, 'picture')
    b.features = made if has_classes else None
    if has_classes:
        channels = has_classes
        mean = b.op('Flatten', b.op('GlobalAveragePool', made))
        dtype = np.float16 if case.element == TensorProto.FLOAT16 else np.float32
        weight, bias = b.weight(channels, 2).astype(dtype), b.weight(2).astype(dtype)
        b.outputs.append(b.op('Gemm', mean, weight, bias))
        b.outputs += [made] if shows_maps else []
    elif made is not None:
        b.outputs.append(made)
    dims = case.shape if case.dims is None else case.dims
    output_dims = case.output_dims or [None] * len(b.outputs)
    element = case.output_element or TensorProto.FLOAT
    model = b.model(dims, case.element, output_dims, element)
    inputs = model.graph.input
    if getattr(b, 'second', False):
        inputs.append(helper.make_tensor_value_info('second', TensorProto.FLOAT, case.shape))
    if b.listed == 'before':
        inputs.extend([inputs[0]])
        del inputs[0]
    return b, model


def computed(model, picture, floats):
    reference = Operators(model, floats)
    reference.run(picture)
    return reference.values


def wanted_of(case, b, model):
    if 'before' in case.options:
        node = next(n for n in model.graph.node if n.op_type == case.options['before'])
        return node.input[0]
    return b.features or case.options.get('output', b.outputs[0])


def answer_of(case, b, model, values):
    """In the order of the library: maps channels last."""
    value = np.asarray(values[wanted_of(case, b, model)], np.float64)
    assert np.isfinite(value).all(), case.name
    return (value[0].transpose(1, 2, 0) if b.features else value).reshape(-1)


def packed(array):
    return base64.b64encode(np.asarray(array).astype('<f4').tobytes()).decode()


def written(case, shows_maps):
    picture = picture_of(case)
    channels = None
    if case.refused is None and case.whole:
        b, model = file_of(case, None, False)
        value = computed(model, picture, np.float64)[b.outputs[0]]
        channels = value.shape[1] if value.ndim == 4 else None
    b, model = file_of(case, channels, shows_maps)
    entry = {'name': case.name, 'file': base64.b64encode(model.SerializeToString()).decode()}
    if case.refused is not None:
        return entry | {'refused': case.refused}
    entry |= {'shape': list(case.shape), 'layout': case.layout, 'pixels': case.pixels}
    entry |= {key: value for key, value in case.options.items() if key != 'before'}
    exact, rounded = (computed(model, picture, floats) for floats in (np.float64, np.float32))
    answer = answer_of(case, b, model, exact)
    rounding = np.abs(answer - answer_of(case, b, model, rounded)).max() / np.abs(answer).max()
    if shows_maps:
        peer = 'differs' if not case.peer else case.note or 'equal'
        entry |= {'peer': peer, 'maps': b.features, 'softmax': case.options.get('before')}
        if b.features:
            entry['expected'] = packed(exact[b.features])
            return entry | {'rounding': float(f'{rounding:.1e}')}
    if b.features:
        entry['logits'] = packed(exact[b.outputs[0]])
    return entry | {'expected': packed(answer), 'rounding': float(f'{rounding:.1e}')}


def main():
    shows_maps = len(sys.argv) > 1
    path = sys.argv[1] if shows_maps else os.path.join(HERE, '..', 'goldens', 'onnx-cases.json')
    twice = {name for name, count in Counter(case.name for case in CASES).items() if count > 1}
    assert not twice, twice
    entries = []
    for case in CASES:
        try:
            entries.append(written(case, shows_maps))
        except Exception as error:
            raise RuntimeError(f'case {case.name}') from error
    lines = ',\n'.join(json.dumps(entry, ensure_ascii=False, separators=(',', ':')) for entry in entries)
    with open(path, 'w') as file:
        file.write(f'[\n{lines}\n]\n')
    print(len(entries), 'cases')


if __name__ == '__main__':
    main()
