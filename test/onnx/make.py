"""Writes goldens/onnx-cases.json: ONNX files of one operator or idiom each, and what they give for a hash image.

    python3 test/onnx/make.py [NAME]     (Debian: apt-get install python3-onnx python3-numpy)
    node test/onnx/crosscheck.mjs        (compares the answers with onnxruntime-web's)

Each case: `file` (base64), `shape` and `layout` of the picture, `pixels` (case.py), `expected` by reference.py
in float64 (base64 of float32), and `rounding`, how far the same in float32 is from it, of the largest. Or `refused`: what the message says.
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


def file_of(case):
    b = Builder(case.name, case.opset)
    b.input = 'picture'
    made = case.build(b, 'picture')
    if made is not None:
        if case.whole and not case.refused:
            made = b.op('Flatten', made)
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


def expected_of(case, b, model):
    picture = picture_of(case)
    wanted = case.options.get('output', b.outputs[0])
    if 'before' in case.options:
        node = next(n for n in model.graph.node if n.op_type == case.options['before'])
        wanted = node.input[0]
    answers = []
    for floats in (np.float64, np.float32):
        reference = Operators(model, floats)
        reference.run(picture)
        answers.append(np.asarray(reference.values[wanted], np.float64).reshape(-1))
    exact, rounded = answers
    assert np.isfinite(exact).all(), case.name
    return exact, np.abs(exact - rounded).max() / max(np.abs(exact).max(), 1e-30)


def written(case):
    b, model = file_of(case)
    entry = {'name': case.name, 'file': base64.b64encode(model.SerializeToString()).decode()}
    entry |= {'shape': list(case.shape), 'layout': case.layout, 'pixels': case.pixels}
    entry |= {key: value for key, value in case.options.items() if key != 'before'}
    if case.refused is not None:
        return entry | {'refused': case.refused}
    exact, rounding = expected_of(case, b, model)
    if not case.peer or case.note:
        entry['peer'] = case.note or 'differs'
    if 'before' in case.options:
        entry['softmax'] = case.options['before']
    numbers = base64.b64encode(exact.astype('<f4').tobytes()).decode()
    return entry | {'expected': numbers, 'rounding': float(f'{rounding:.1e}')}


def main():
    names = sys.argv[1:]
    chosen = [case for case in CASES if not names or case.name in names]
    twice = {name for name, count in Counter(case.name for case in CASES).items() if count > 1}
    assert not twice, twice
    entries = []
    for case in chosen:
        try:
            entries.append(written(case))
        except Exception as error:
            raise RuntimeError(f'case {case.name}') from error
    lines = ',\n'.join(json.dumps(entry, ensure_ascii=False, separators=(',', ':')) for entry in entries)
    with open(os.path.join(HERE, '..', 'goldens', 'onnx-cases.json'), 'w') as file:
        file.write(f'[\n{lines}\n]\n')
    print(len(entries), 'cases')


if __name__ == '__main__':
    main()
