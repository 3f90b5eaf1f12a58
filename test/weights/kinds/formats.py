"""Precisions, Keras, safetensors, names of classes, and formats that are not read."""

import copy
import io
import json
import pathlib
import re
import zipfile

import numpy
import torch
from torch import nn

from .cases import INPUTS, case, path_of, pth, renamed, safetensors, write_safetensors
from .networks import keras_net, resnet, short, with_head
from .strangers import fake, instance


def precisions():
    """Weights of other precisions than float32, mixed too; the logits are those of the weights as stored."""
    net = resnet()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.half()
    pth('half-convs', net.state_dict(), net, 'convolutions in half precision, the rest in float')
    net = resnet().half()
    pth('half', {'model': net.state_dict()}, net, 'model.half(), as YOLO and Lightning save')
    safetensors('half-safetensors', net.state_dict(), net, 'the same as safetensors')
    net = resnet().bfloat16()
    pth('bfloat16', net.state_dict(), net, 'model.bfloat16()')
    safetensors('bfloat16-safetensors', net.state_dict(), net, 'the same as safetensors')
    net = resnet()
    net.layer3.double()
    safetensors('double-stage', net.state_dict(), net, 'one stage in double')
    net = resnet()
    net.register_buffer('seen', torch.tensor(10**10))
    net.register_buffer('mask', torch.ones(3, dtype=torch.uint8))
    safetensors('integers', net.state_dict(), net, 'buffers of integers', warns='mask')


def keras_tensors(net, layer, head):
    """Keras' layers and variables, kernels as HWIO. layer: its name by stage, block and number of the layer."""
    out, norms = (
        {},
        {'running_mean': 'moving_mean', 'running_var': 'moving_variance', 'weight': 'gamma', 'bias': 'beta'},
    )
    for key, tensor in net.state_dict().items():
        path, _, variable = key.rpartition('.')
        if variable == 'num_batches_tracked':
            continue
        if path.startswith('fc'):
            name = head[int((re.findall(r'\d', path) or [0])[0] > '0') if '.' in path else 0]
            out[f'{name}/{"kernel" if variable == "weight" else "bias"}'] = (
                tensor.t() if variable == 'weight' else tensor
            )
            continue
        stage, block, part = re.match(r'(?:layer(\d)\.(\d)\.)?(.+)', path).groups()
        is_norm = part.startswith('bn') or part == 'downsample.1'
        number = 0 if part.startswith('downsample') else int(part[-1])
        name = layer(int(stage or 0), int(block or 0), number, is_norm)
        if is_norm:
            out[f'{name}/{norms[variable]}'] = tensor
        else:
            out[f'{name}/{"kernel" if variable == "weight" else "bias"}'] = (
                tensor.permute(2, 3, 1, 0) if variable == 'weight' else tensor
            )
    return out


def keras_layer(stage, block, number, is_norm):
    kind = 'bn' if is_norm else 'conv'
    return f'conv{stage + 1}_block{block + 1}_{number}_{kind}' if stage else f'conv1_{kind}'


def keras_old_layer(stage, block, number, is_norm):
    if stage == 0:
        return 'bn_conv1' if is_norm else 'conv1'
    branch = f'branch2{"abc"[number - 1]}' if number else 'branch1'
    return f'{"bn" if is_norm else "res"}{stage + 1}{"abcdef"[block]}_{branch}'


def keras():
    """Keras' ResNet v1 as safetensors. Its input is in the network's own order of channels (BGR), its mean taken off."""
    net = keras_net()
    plain = copy.deepcopy(net)
    for module in plain.modules():
        module.eps = 1e-3
    safetensors('keras-dense', keras_tensors(net, keras_layer, ['dense']), net, 'a head called dense', wrong=plain)
    nested = renamed(keras_tensors(net, keras_layer, ['dense']), (r'^(?!dense)', 'resnet50/'))
    safetensors('keras-nested', nested, net, 'ResNet50 as a layer of another model')
    twice = renamed(keras_tensors(net, keras_layer, ['predictions']), (r'^(\w+)/(\w+)$', r'\1/\1/\2:0'))
    safetensors('keras-twice', twice, net, "h5's names: the layer twice, :0 behind")
    net = with_head(keras_net(), nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 10)))
    two = keras_tensors(net, keras_layer, ['dense', 'dense_1'])
    safetensors('keras-two-dense', two, net, 'dense (relu) and dense_1')
    old = keras_net(eps=1e-3)
    plain = copy.deepcopy(old)
    for module in plain.modules():
        module.eps = 1.001e-5
    why = 'keras_applications up to 2.2: other names, and the default eps, 1e-3'
    safetensors('keras-old', keras_tensors(old, keras_old_layer, ['fc1000']), old, why, wrong=plain)


def safetensors_files():
    """What is in a header, and tensors that no layer needs; an index of shards."""
    net = resnet()
    state = net.state_dict()
    said = {'format': 'pt', 'architecture': 'resnet18', 'epoch': '7'}
    safetensors('st-architecture', state, net, 'architecture as plain text', said)
    more = {**state, 'cache.scale': torch.zeros(8, dtype=torch.uint8)}
    safetensors(
        'st-f8', more, net, 'a dtype that no layer needs', named={'cache.scale': 'F8_E4M3'}, warns=r'cache\.scale'
    )
    parts, index = [{}, {}], {}
    for i, (key, tensor) in enumerate(state.items()):
        parts[i % 2][key] = tensor
        index[key] = f'model-0000{i % 2 + 1}-of-00002.safetensors'
    for i, part in enumerate(parts):
        write_safetensors(path_of(f'st-index/model-0000{i + 1}-of-00002.safetensors'), part)
    with open(path_of('st-index/model.safetensors.index.json'), 'w') as out:
        json.dump({'metadata': {}, 'weight_map': index}, out, indent=2)
    case('st-index', 'st-index/model.safetensors.index.json', net, 'an index of shards')


def labels():
    """The names of classes inside the checkpoint."""
    net = short(classes=4)
    names = ['ant', 'bee', 'cat', 'dog']
    to_index = {'dog': 3, 'ant': 0, 'cat': 2, 'bee': 1}
    for key, value in {
        'class_to_idx': to_index,
        'classes': names,
        'id2label': dict(enumerate(names)),
    }.items():
        pth(f'labels-{key}', {'state_dict': net.half().state_dict(), key: value}, net, f'{key} beside', labels=names)


def field(number, value):
    """A field of a protobuf message: a varint, or bytes."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    value = value.encode() if isinstance(value, str) else value
    tag = number << 3 | 2
    return (bytes([tag]) if tag < 128 else bytes([tag & 127 | 128, tag >> 7])) + bytes([len(value)]) + value


def zip_of(entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as archive:
        for name, text in entries.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return file.getvalue()


def numpy_file(save, *values, **named):
    file = io.BytesIO()
    save(file, *values, **named)
    return file.getvalue()


def not_ours():
    """Other formats, by their first bytes: refused by name."""
    node = field(1, 'x') + field(2, 'y') + field(4, 'Relu')
    onnx = (
        field(1, 8)
        + field(2, 'pytorch')
        + field(3, '2.1.0')
        + field(7, field(1, node) + field(2, 'main'))
        + field(8, field(2, 17))
    )
    saved = field(1, 1) + field(2, field(1, field(4, 'serve') + field(5, '2.11.0')))
    core_ml = (
        field(1, 4) + field(2, field(1, field(1, 'image')) + field(10, field(1, 'label'))) + field(403, field(1, b''))
    )
    tfjs = {
        'format': 'layers-model',
        'generatedBy': 'keras v2.11.0',
        'modelTopology': {},
        'weightsManifest': [{'paths': ['a.bin']}],
    }
    for name, data, message in [
        ('model.tflite', b'\x1c\0\0\0TFL3' + bytes(200), 'TensorFlow ?Lite|TFLite'),
        ('model.h5', b'\x89HDF\r\n\x1a\n' + bytes(5) + b'\x08\x08' + bytes(200), 'HDF5'),
        (
            'model.keras',
            zip_of(
                {
                    'metadata.json': '{"keras_version": "3.3.3"}',
                    'config.json': '{}',
                    'model.weights.h5': b'\x89HDF\r\n\x1a\n',
                }
            ),
            'Keras',
        ),
        ('tfjs-model.json', json.dumps(tfjs).encode(), r'TensorFlow\.js'),
        ('weights.npy', numpy_file(numpy.save, numpy.zeros((3, 4), numpy.float32)), '(?i)numpy'),
        ('weights.npz', numpy_file(numpy.savez, w=numpy.zeros(4), b=numpy.zeros(1)), '(?i)numpy'),
        ('model.onnx', onnx, 'ONNX'),
        ('saved_model.pb', saved, 'TensorFlow|SavedModel'),
        ('model.mlmodel', core_ml, 'Core ?ML'),
        ('model.gguf', b'GGUF\x03\0\0\0' + bytes(16), 'GGUF'),
        ('model.pth.gz', b'\x1f\x8b\x08\0\0\0\0\0\x02\x03' + bytes(20), 'gzip'),
        ('model.7z', b"7z\xbc\xaf'\x1c\0\x04" + bytes(60), '7-?[zZ]ip|7z'),
        ('photo.jpg', b'\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0' + bytes(60), 'JPEG|picture'),
        ('nothing.json', b'{"hello": [1, 2, 3]}\n', '(?i)json|index'),
        ('empty.zip', zip_of({}), '(?i)zip'),
        ('empty.pth', b'', '(?i)empty|0 bytes'),
        ('notes.txt', b'These are the weights of my network: 0.1 0.2 0.3\n' * 4, '(?i)text|not? '),
    ]:
        with open(path_of(f'other-{name}'), 'wb') as file:
            file.write(data)
        case(f'other-{name}', f'other-{name}', why='no weights that are read', refuses=message)
    learner = instance(
        fake('fastai.learner.Learner'), model=nn.Linear(4, 2), path=pathlib.PosixPath('.'), loss_func=None
    )
    pth('other-export', learner, None, 'fastai: learn.export()', ending='pkl', refuses=r'(?i)fast\.?ai')
    dynamic = torch.quantization.quantize_dynamic(resnet(), {nn.Linear}, dtype=torch.qint8)
    pth('other-quantized-dynamic', dynamic.state_dict(), None, 'quantize_dynamic', refuses='(?i)quanti[sz]')
    net = nn.Sequential(torch.quantization.QuantStub(), *list(resnet().children())[:4])
    net.qconfig = torch.quantization.get_default_qconfig('fbgemm')
    prepared = torch.quantization.prepare(torch.quantization.fuse_modules(net.eval(), [['1', '2', '3']]))
    prepared(INPUTS['x'])
    static = torch.quantization.convert(prepared).state_dict()
    pth(
        'other-quantized-static',
        renamed(static, (r'^1\.', 'conv1.')),
        None,
        'static quantisation',
        refuses='(?i)quanti[sz]',
    )
