"""Small ONNX files to write saliency into, and the maps that should come out.

    python3 test/onnx/instrument/make.py     (Debian 12: apt-get install python3-torch python3-onnx)

writes *.onnx, cases.json (what is tapped in each file) and expected.safetensors: for each case `input`, `logits`,
`scale.i`, `saliency` (equal weights), and with a linear classifier `cam.METHOD` of the top class and `next`, Grad-CAM++
of the class behind it, all computed in float64 from the formulas by PyTorch, stored as float32. The same versions write the same bytes.

Every file has fields that no ONNX knows, in the model, the graph and a node.
"""

import io
import json
import math
import os
import struct

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
EPS = 1e-7
METHODS = ['gradcam++', 'gradcam', 'xgradcam']
cases, expected = {}, {}


# The formulas, on columns in the last axis: x [..., C].


def smoe(x):
    z = x + EPS
    mean = z.mean(-1)
    return (mean * (mean.log2() - z.log2().mean(-1))).clamp(min=0)


def sd(x):
    return x.std(-1, unbiased=True)


def shares(x):
    z = x + EPS
    return z / z.sum(-1, keepdim=True)


STATISTICS = {
    'smoe': smoe,
    'sd': sd,
    'mean': lambda x: x.mean(-1),
    'max': lambda x: x.max(-1).values,
    'shannon-entropy': lambda x: -(shares(x) * shares(x).log2()).sum(-1),
    'renyi-entropy': lambda x: -(shares(x) ** 2).sum(-1).log2(),
    'log-normal-mean': lambda x: ((x + EPS).log().mean(-1) + sd((x + EPS).log()) ** 2 / 2).clamp(max=88.72283).exp(),
    'log-normal-entropy': lambda x: (x + EPS).log().mean(-1)
    + (sd((x + EPS).log()).clamp(min=1e-7) * math.sqrt(2 * math.pi * math.e)).log(),
    'normal-entropy': lambda x: (sd(x).clamp(min=1e-7) * math.sqrt(2 * math.pi * math.e)).log(),
}


def gaussian(maps):
    """[N, h, w], each picture's map by its own mean and deviation."""
    mean = maps.mean((1, 2), keepdim=True)
    deviation = maps.flatten(1).std(1, unbiased=True)[:, None, None]
    return 0.5 * (1 + torch.erf((maps - mean) / (deviation * math.sqrt(2))))


def enlarged(maps, size):
    return F.interpolate(maps[:, None], size=size, mode='bilinear', align_corners=False)[:, 0]


def class_map(features, row, method, size):
    """features [N, K, h, w], row [N, K]."""
    u = (row / features[0, 0].numel())[:, :, None, None]
    total = features.sum((2, 3), keepdim=True)
    if method == 'gradcam':
        a = u
    elif method == 'xgradcam':
        a = u * total / (total + 1e-6)
    else:
        denominator = 2 * u**2 + total * u**3
        a = u.relu() * u**2 / (torch.where(denominator == 0, 1.0, denominator) + 1e-7)
    maps = enlarged((a * features).sum(1).relu(), size)
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-9)


class Net(nn.Module):
    """Three scales and a classifier, in the ways that `kind` says."""

    def __init__(self, kind, channels=3):
        super().__init__()
        self.kind = kind
        self.conv1 = nn.Conv2d(channels, 8, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 12, 3, 2, bias=True)
        self.conv3 = nn.Conv2d(12, 16, 3, 1, 1, bias=True)
        self.fc = nn.Conv2d(16, 5, 1) if kind in ('conv-head', 'pooled') else nn.Linear(16, 5)

    def forward(self, x):
        act = F.silu if self.kind == 'silu' else F.relu
        x = self.tap0 = act(self.bn1(self.conv1(x)))
        if self.kind in ('opset7', 'opset9'):
            # Pad, Slice and Upsample have other forms in old opsets, and so has Clip.
            x = F.pad(x, (0, 1, 0, 1), value=0.25)[:, :, :, 1:]
            if self.kind == 'opset9':
                x = F.max_pool2d(F.interpolate(x, scale_factor=2.0, mode='nearest'), 2)
            x = self.tap1 = F.relu6(self.conv2(x))
        else:
            x = self.tap1 = act(self.conv2(x))
        x = self.tap2 = act(self.conv3(F.max_pool2d(x, 2, 1)))
        if self.kind == 'pooled':
            x = self.tap2 = F.relu(self.fc(x))
            return x.mean((2, 3), keepdim=True).flatten(1)
        x = F.adaptive_avg_pool2d(x, 1)
        x = self.fc(x).flatten(1) if self.kind == 'conv-head' else self.fc(x.flatten(1))
        return x.softmax(1) if self.kind == 'opset7' else x


def network(kind, seed):
    torch.manual_seed(seed)
    net = Net(kind).eval()
    for name, p in [*net.named_parameters(), *net.named_buffers()]:
        if p.dtype == torch.int64:
            continue
        spread = 0.5 if p.dim() < 2 else 1.8 / math.sqrt(p[0].numel())
        p.data = torch.randn(p.shape) * spread + (1 if name in ('bn1.weight', 'bn1.running_var') else 0)
    net.bn1.running_var.data.abs_().add_(0.2)
    return net


def exported(net, x, opset, dynamic, keep=False):
    file = io.BytesIO()
    axes = {'batch': {0: 'batch'}, 'all': {0: 'batch', 2: 'height', 3: 'width'}, None: None}[dynamic]
    options = {'training': torch.onnx.TrainingMode.PRESERVE, 'do_constant_folding': False} if keep else {}
    torch.onnx.export(
        net,
        x,
        file,
        opset_version=opset,
        input_names=['input'],
        output_names=['logits'],
        dynamic_axes=axes and {'input': axes, 'logits': {0: 'batch'}},
        keep_initializers_as_inputs=keep,
        **options,
    )
    return onnx.load_from_string(file.getvalue())


def add(name, model, net, x, taps, logits='logits', head=None, layout='nchw', statistics=False, size=None):
    """Stores a file and what it should give; `x` is NCHW, and `taps` say whether they are clamped."""
    net = net.double()
    for module in net.modules():
        module.double()
    with torch.no_grad():
        out = net(x.double())
    values = [net.tap0, net.tap1, net.tap2]
    picture = x if layout == 'nchw' else x.permute(0, 2, 3, 1)
    put = lambda key, value: expected.__setitem__(f'{name}.{key}', value)
    put('input', picture)
    put('logits', out)
    pixels = tuple(x.shape[2:])
    for statistic, compute in STATISTICS.items() if statistics else [('smoe', smoe)]:
        scales = [gaussian(compute(v.relu().permute(0, 2, 3, 1))) for v in values]
        saliency = sum(enlarged(s, pixels) for s in scales) / len(scales)
        if statistic == 'smoe':
            for i, scale in enumerate(scales):
                put(f'scale.{i}', scale)
            put('saliency', saliency)
        else:
            put(f'saliency.{statistic}', saliency)
    target = {'input': 'input', 'inputLayout': layout, 'taps': taps, 'logits': logits}
    if size:
        target['size'] = list(pixels)
    if head:
        target['head'] = {'layout': layout, 'transposed': False, **head}
        rows = torch.eye(5, dtype=torch.double) if 'weight' not in head else net.fc.weight.flatten(1)
        top = out.argmax(1)
        put('next', class_map(values[-1], rows[(top + 1) % 5], 'gradcam++', pixels))
        for method in METHODS if statistics or layout == 'nhwc' else METHODS[:1]:
            put(f'cam.{method}', class_map(values[-1], rows[top], method, pixels))
    cases[name] = {'target': target, 'statistics': statistics}
    write(name, model)


def write(name, model):
    """With fields 4000 that no ONNX knows: in a node, the graph and the model."""
    unknown = bytes([0x82, 0xFA, 0x01, 0x03]) + b'odd'  # field 4000, three bytes
    node = model.graph.node[len(model.graph.node) // 2]
    for message in [node, model.graph, model]:
        message.MergeFromString(unknown)
    with open(os.path.join(HERE, f'{name}.onnx'), 'wb') as file:
        file.write(model.SerializeToString())


def outputs(model, op_type):
    return [node.output[0] for node in model.graph.node if node.op_type == op_type]


def tap(name, layout='nchw', non_negative=True):
    return {'name': name, 'layout': layout, 'nonNegative': non_negative}


def picture(seed, N=1, size=(16, 20)):
    torch.manual_seed(seed)
    x = torch.randn(N, 3, *size) * 1.5
    x[:, :, 3:9, 5:12] += 2 * torch.randn(N, 3, 1, 1)
    return x.float()


def pytorch_cases():
    x = picture(1)
    net = network('opset7', 7)
    model = exported(net, x, 7, None, keep=True)
    model.ir_version = 3
    bn = next(n for n in model.graph.node if n.op_type == 'BatchNormalization')
    bn.attribute.append(helper.make_attribute('spatial', 1))
    relu, clip = outputs(model, 'Relu'), outputs(model, 'Clip')
    assert len(relu) == 3 and len(clip) == 1  # ReLU6 is both
    softmax = next(n for n in model.graph.node if n.op_type == 'Softmax').input[0]
    head = {'features': relu[2], 'weight': 'fc.weight'}
    add('opset7', model, net, x, [tap(relu[0]), tap(clip[0]), tap(relu[2])], softmax, head, size=True)

    net, x = network('opset9', 8), picture(2, N=2)
    model = exported(net, x, 9, 'all', keep=True)
    relu, clip = outputs(model, 'Relu'), outputs(model, 'Clip')
    head = {'features': relu[2], 'weight': 'fc.weight'}
    add('opset9', model, net, x, [tap(relu[0]), tap(clip[0]), tap(relu[2])], 'logits', head)

    for opset, kind, dynamic in [(11, 'plain', 'batch'), (12, 'pooled', 'all'), (13, 'silu', 'all'), (17, 'conv-head', 'all')]:
        net, x = network(kind, opset), picture(opset, N=2)
        model = exported(net, x, opset, dynamic)
        taps = outputs(model, 'Mul') if kind == 'silu' else outputs(model, 'Relu')
        taps = [taps[0], taps[1], taps[-1]]
        head = {'features': taps[-1]}
        if kind != 'pooled':
            head['weight'] = 'fc.weight'
        tapped = [tap(name, non_negative=kind != 'silu') for name in taps]
        add(f'opset{opset}', model, net, x, tapped, 'logits', head, statistics=opset == 11, size=dynamic == 'batch')
        if opset == 12:
            # The same with its weights in another file.
            cases['external'] = {'target': cases['opset12']['target'], 'like': 'opset12'}
            path = os.path.join(HERE, 'external.onnx')
            weights = os.path.join(HERE, 'external.bin')
            if os.path.exists(weights):
                os.remove(weights)
            onnx.save_model(model, path, save_as_external_data=True, location='external.bin', size_threshold=64)

    # Halves: weights, input and output. The network is that of the rounded weights, with a rounded input.
    net, x = network('plain', 21), picture(21).half().float()
    for p in [*net.parameters(), *net.buffers()]:
        if p.dtype == torch.float32:
            p.data = p.data.half().float()
    model = exported(net, x, 13, None)
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    taps = outputs(model, 'Relu')
    head = {'features': taps[-1], 'weight': 'fc.weight'}
    add('half', model, net, x, [tap(name) for name in taps], 'logits', head, size=True)


def nodes_by_hand(net):
    """NHWC as tf2onnx writes it, opset 18 and later: channels last at the input and at the taps, MatMul's weight
    [C, classes], axes as inputs."""
    w = lambda name, value: numpy_helper.from_array(value.detach().float().numpy(), name)
    scale = net.bn1.weight / (net.bn1.running_var + net.bn1.eps).sqrt()
    weights = [
        w('w1', net.conv1.weight * scale[:, None, None, None]),
        w('b1', net.bn1.bias - net.bn1.running_mean * scale),
        w('w2', net.conv2.weight),
        w('b2', net.conv2.bias),
        w('w3', net.conv3.weight),
        w('b3', net.conv3.bias),
        w('w4', net.fc.weight.T.contiguous()),
        w('b4', net.fc.bias),
        numpy_helper.from_array(np.array([1, 2], np.int64), 'axes'),
    ]
    node = helper.make_node
    channels_last = lambda x, y: node('Transpose', [x], [y], perm=[0, 2, 3, 1])
    nodes = [
        node('Transpose', ['input'], ['nchw'], perm=[0, 3, 1, 2]),
        node('Conv', ['nchw', 'w1', 'b1'], ['c1'], strides=[2, 2], pads=[1, 1, 1, 1]),
        node('Relu', ['c1'], ['r1']),
        channels_last('r1', 'tap0'),
        node('Conv', ['r1', 'w2', 'b2'], ['c2'], strides=[2, 2]),
        node('Relu', ['c2'], ['r2']),
        channels_last('r2', 'tap1'),
        node('MaxPool', ['r2'], ['p2'], kernel_shape=[2, 2]),
        node('Conv', ['p2', 'w3', 'b3'], ['c3'], pads=[1, 1, 1, 1]),
        channels_last('c3', 'l3'),
        node('Relu', ['l3'], ['tap2']),
        node('ReduceMean', ['tap2', 'axes'], ['mean'], keepdims=0),
        node('MatMul', ['mean', 'w4'], ['product']),
        node('Add', ['product', 'b4'], ['logits']),
    ]
    return nodes, weights


def channels_last_case():
    net, x = network('plain', 31), picture(31, N=2)
    nodes, weights = nodes_by_hand(net)
    info = helper.make_tensor_value_info
    # Names that instrument would like to take.
    nodes[-1].name = 'fastcam/node_0'
    nodes[-2].name = 'saliency'
    graph = helper.make_graph(
        nodes,
        'channels-last',
        [info('input', TensorProto.FLOAT, ['unk__1', 'h', 'w', 3])],
        [info('logits', TensorProto.FLOAT, ['unk__1', 5])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 21), helper.make_opsetid('ai.onnx.ml', 3)])
    model.ir_version = 10
    taps = [tap(f'tap{i}', 'nhwc') for i in range(3)]
    head = {'features': 'tap2', 'weight': 'w4', 'transposed': True}
    add('channels-last', model, net, x, taps, 'logits', head, layout='nhwc')


def rewrites():
    """Every operator whose form changed up to opset 11, in each form of it: what runtimes make of the file before is
    what they should make of it afterwards."""
    node = helper.make_node
    info = helper.make_tensor_value_info
    rng = np.random.default_rng(5)
    floats = lambda *shape: rng.normal(size=shape).astype(np.float32)
    forms = {
        7: [
            node('BatchNormalization', ['a', 'scale', 'bias', 'mean', 'variance'], ['y0'], spatial=1, epsilon=1e-3),
            node('Clip', ['a'], ['y1'], min=-0.5, max=0.75),
            node('Clip', ['a'], ['y2'], max=0.25, name='upper'),
            node('Clip', ['a'], ['y3'], min=0.1),
            node('Clip', ['a'], ['y4']),
            node('Pad', ['a'], ['y5'], pads=[0, 0, 1, 2, 0, 0, 0, 1], value=1.5),
            node('Pad', ['a'], ['y6'], pads=[0, 0, 1, 1, 0, 0, 1, 1], mode='reflect'),
            node('Pad', ['a'], ['y7'], pads=[0, 0, -1, 0, 0, 0, 0, 2], mode='edge'),
            node('Slice', ['a'], ['y8'], starts=[1, -3], ends=[3, 1000], axes=[1, 3]),
            node('Slice', ['a'], ['y9'], starts=[0, 1], ends=[1, 2]),
            node('TopK', ['a'], ['y10', 'y11'], k=3, axis=3),
            node('TopK', ['a'], ['y12', 'y13'], k=2),
            node('Upsample', ['a'], ['y14'], scales=[1.0, 1.0, 2.0, 1.5]),
            node('Upsample', ['a'], ['y15'], scales=[1.0, 1.0, 2.0, 3.0], mode='linear'),
            node('Dropout', ['a'], ['y16'], ratio=0.5),
        ],
        9: [
            node('Upsample', ['a', 'factors'], ['y0'], mode='linear'),
            node('Upsample', ['a', 'factors'], ['y1']),
            node('Scatter', ['a', 'where', 'what'], ['y2'], axis=1),
            node('BatchNormalization', ['a', 'scale', 'bias', 'mean', 'variance'], ['y3']),
        ],
        10: [
            node('Resize', ['a', 'factors'], ['y0'], mode='linear'),
            node('Resize', ['a', 'factors'], ['y1'], mode='nearest'),
            node('Resize', ['a', 'halves'], ['y2'], mode='nearest'),
            node('Slice', ['a', 'starts', 'ends', 'axes', 'steps'], ['y3']),
        ],
    }
    constants = {
        'w': floats(4, 3, 3, 3),
        'scale': floats(4),
        'bias': floats(4),
        'mean': floats(4),
        'variance': np.abs(floats(4)) + 0.5,
        'factors': np.array([1, 1, 2, 1.5], np.float32),
        'halves': np.array([1, 1, 0.5, 0.6], np.float32),
        'where': np.array([[[[0, 1, 2, 3]]]], np.int64),
        'what': floats(1, 1, 1, 4),
        'starts': np.array([1, 0], np.int64),
        'ends': np.array([6, 8], np.int64),
        'axes': np.array([2, 3], np.int64),
        'steps': np.array([2, 3], np.int64),
    }
    for opset, nodes in forms.items():
        used = {name for n in nodes for name in n.input} | {'w'}
        made = [name for n in nodes for name in n.output]
        integers = {'y11', 'y13'}
        kind = lambda name: TensorProto.INT64 if name in integers else TensorProto.FLOAT
        graph = helper.make_graph(
            [node('Conv', ['input', 'w'], ['c'], pads=[1, 1, 1, 1], strides=[2, 2]), node('Relu', ['c'], ['tap']), node('Sub', ['tap', 'c'], ['d']), node('Sub', ['tap', 'd'], ['a']), *nodes],
            'rewrites',
            [info('input', TensorProto.FLOAT, [1, 3, 12, 16])],
            [info(name, kind(name), [None] * 4) for name in made],
            [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)])
        model.ir_version = 4
        target = {'input': 'input', 'inputLayout': 'nchw', 'size': [12, 16], 'taps': [tap('tap')], 'logits': made[0]}
        cases[f'rewrites{opset}'] = {'target': target}
        write(f'rewrites{opset}', model)


def save():
    header, data = {}, b''
    for key, tensor in expected.items():
        raw = tensor.detach().to(torch.float32).contiguous().numpy().tobytes()
        header[key] = {'dtype': 'F32', 'shape': list(tensor.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(os.path.join(HERE, 'expected.safetensors'), 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)
    with open(os.path.join(HERE, 'cases.json'), 'w') as file:
        file.write(json.dumps(cases, indent=1) + '\n')


pytorch_cases()
channels_last_case()
rewrites()
save()
