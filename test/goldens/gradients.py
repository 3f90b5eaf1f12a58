"""The gradients of goldens/graph once more, by PyTorch in float64 from the ONNX files.

    python3 test/goldens/gradients.py  (Debian: apt-get install python3-torch python3-onnx)

The goldens were made from the networks before their export, this from what the files hold. It prints how far the two
are from each other.

In mobilenet-v2 one number that goes into the last ReLU6 is −1.5e-5, where float32 is exact to 1e-4 (PyTorch's own to
3e-4). If it comes out above 0, the gradient is another one, as right as the golden. It is written to
graph/mobilenet-v2.corner.safetensors.
"""

import json
import os
import struct

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch.nn import functional as F

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'graph')


def read(name):
    with open(os.path.join(HERE, f'{name}.safetensors'), 'rb') as file:
        data = file.read()
    length = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    metadata, arrays = header.pop('__metadata__', {}), {}
    for key, entry in header.items():
        begin, end = (8 + length + offset for offset in entry['data_offsets'])
        kind = {'F32': '<f4', 'F64': '<f8', 'I64': '<i8'}[entry['dtype']]
        arrays[key] = np.frombuffer(data[begin:end], kind).reshape(entry['shape'])
    return metadata, arrays


def save(name, key, array, metadata):
    raw = array.astype('<f4').tobytes()
    header = {
        '__metadata__': metadata,
        key: {'dtype': 'F32', 'shape': list(array.shape), 'data_offsets': [0, len(raw)]},
    }
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(os.path.join(HERE, f'{name}.safetensors'), 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + raw)


def hash_image(salt, shape):
    """4u − 2 of test/hash-weights.ts."""
    i = np.arange(1, np.prod(shape) + 1, dtype=np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    h = (i * np.uint64(0x9E3779B1) & mask) ^ np.uint64((salt + 10001) * 0x85EBCA6B & 0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h ^= h >> np.uint64(shift)
        h = h * np.uint64(factor) & mask
    return (4 * (h / 2**32) - 2).astype(np.float32).reshape(shape)


def pool(x, a, function, outside):
    """A pool without ceil_mode, or with the windows that it adds, whose rest is `outside`."""
    kernel, strides = a['kernel_shape'], a.get('strides', [1, 1])
    top, left, bottom, right = a.get('pads', [0] * 4)
    x = F.pad(x, (left, right, top, bottom), value=outside)
    return function(x, kernel, strides, ceil_mode=bool(a.get('ceil_mode', 0)))


def sliced(x, a):
    if len(x) > 1:
        begins, ends, axes = (v.tolist() for v in x[1:4])
    else:
        begins, ends, axes = a['starts'], a['ends'], a['axes']
    index = [slice(None)] * x[0].dim()
    for begin, end, axis in zip(begins, ends, axes):
        index[axis] = slice(begin, end)
    return x[0][tuple(index)]


def padded(x, a):
    rank = x[0].dim()
    pads = x[1].tolist() if len(x) > 1 else a['pads']
    return F.pad(x[0], [pads[side * rank + axis] for axis in range(rank - 1, -1, -1) for side in (0, 1)])


def convolved(x, a):
    top, left, bottom, right = a.get('pads', [0] * 4)
    bias = x[2] if len(x) > 2 else None
    stride, dilation = a.get('strides', [1, 1]), a.get('dilations', [1, 1])
    return F.conv2d(F.pad(x[0], (left, right, top, bottom)), x[1], bias, stride, 0, dilation, a.get('group', 1))


def limits(x, a):
    low = a.get('min', x[1] if len(x) > 1 else -np.inf)
    high = a.get('max', x[2] if len(x) > 2 else np.inf)
    return float(low), float(high)


OPERATORS = {
    'Conv': convolved,
    'BatchNormalization': lambda x, a: F.batch_norm(x[0], x[3], x[4], x[1], x[2], eps=a.get('epsilon', 1e-5)),
    'LayerNormalization': lambda x, a: F.layer_norm(x[0], x[1].shape, x[1], x[2], a.get('epsilon', 1e-5)),
    'Gemm': lambda x, a: F.linear(x[0], x[1] if a.get('transB', 0) else x[1].T, x[2]),
    'MatMul': lambda x, a: x[0] @ x[1],
    'Relu': lambda x, a: F.relu(x[0]),
    'Clip': lambda x, a: F.hardtanh(x[0], *limits(x, a)),
    'Sigmoid': lambda x, a: torch.sigmoid(x[0]),
    'HardSigmoid': lambda x, a: F.hardtanh(a.get('alpha', 0.2) * x[0] + a.get('beta', 0.5), 0, 1),
    'HardSwish': lambda x, a: F.hardswish(x[0]),
    'Erf': lambda x, a: torch.erf(x[0]),
    'Add': lambda x, a: x[0] + x[1],
    'Mul': lambda x, a: x[0] * x[1],
    'Div': lambda x, a: x[0] / x[1] if x[0].is_floating_point() else x[0] // x[1],
    'MaxPool': lambda x, a: pool(x[0], a, F.max_pool2d, -np.inf),
    'AveragePool': lambda x, a: pool(x[0], a, F.avg_pool2d, 0),
    'GlobalAveragePool': lambda x, a: x[0].mean((2, 3), keepdim=True),
    'ReduceMean': lambda x, a: x[0].mean(a['axes'], keepdim=bool(a.get('keepdims', 1))),
    'Concat': lambda x, a: torch.cat([torch.atleast_1d(v) for v in x], a['axis']),
    'Flatten': lambda x, a: x[0].flatten(1),
    'Reshape': lambda x, a: x[0].reshape([x[0].shape[i] if n == 0 else n for i, n in enumerate(x[1].tolist())]),
    'Transpose': lambda x, a: x[0].permute(a['perm']),
    'Slice': sliced,
    'Pad': padded,
    'Shape': lambda x, a: torch.tensor(x[0].shape),
    'Gather': lambda x, a: torch.index_select(x[0], a.get('axis', 0), torch.atleast_1d(x[1])).squeeze(a.get('axis', 0)),
    'Constant': lambda x, a: tensor(a['value']),
}


def tensor(stored):
    array = torch.from_numpy(numpy_helper.to_array(stored).copy())
    return array.double() if array.is_floating_point() else array


CORNER = '/features/features.18/features.18.0/Conv_output_0'


def logits(model, picture, corner):
    values = {stored.name: tensor(stored) for stored in model.graph.initializer}
    values[next(i.name for i in model.graph.input if i.name not in values)] = picture
    for node in model.graph.node:
        a = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        values[node.output[0]] = OPERATORS[node.op_type]([values[i] for i in node.input if i], a)
        if corner and node.output[0] == CORNER:
            above = values[CORNER]
            is_next = (above < 0) & (above > -2e-5)
            assert is_next.sum() == 1
            values[CORNER] = above + 2e-5 * is_next
    return values[model.graph.output[0].name]


def gradient(name, corner=False):
    """Every third row and column of [C, H, W] of the class's logit; and the logits."""
    metadata, arrays = read(name)
    salt = int(metadata['recipe'].split(' salt ')[1])
    picture = torch.from_numpy(hash_image(salt, json.loads(metadata['input']))).double()
    picture.requires_grad_()
    out = logits(onnx.load(os.path.join(HERE, f'{name}.onnx')), picture, corner)
    out[0, int(arrays['top'])].backward()
    return picture.grad[0, :, ::3, ::3].numpy(), out[0].detach().numpy(), arrays['logits']


def report(name, got, golden):
    far = abs(got - golden) / abs(golden).max()
    share = (far > 1e-3).any(0).mean()
    print(f'{name:20} gradient {far.max():.1e}, median {np.median(far):.1e}; {share:.1%} of the pixels above 1e-3')


def main():
    for file in sorted(os.listdir(HERE)):
        name, extension = os.path.splitext(file)
        if extension != '.onnx':
            continue
        golden = read(f'{name}.gradients')[1]['gradient']
        own, out, expected = gradient(name)
        print(f'{name:20} logits {abs(out - expected.ravel()).max() / abs(expected).max():.1e}')
        report(name, own, golden)
    other = gradient('mobilenet-v2', corner=True)[0]
    report('… other side', other, read('mobilenet-v2.gradients')[1]['gradient'])
    save('mobilenet-v2.corner', 'gradient', other, {'recipe': 'test/goldens/gradients.py'})


if __name__ == '__main__':
    main()
