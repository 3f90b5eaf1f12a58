"""One small file for every way in which people keep the weights of a network, and what each should give.

    python3 test/weights/make.py     (Debian 12: apt-get install python3-torch python3-torchvision)

writes files/ (weights, many in folders of their own), inputs/ (tensors `input`, normalised, NCHW) and
expected.json (the logits that PyTorch gives in float64 for the weights as they are stored). Run it from the
project's folder: TorchScript writes the path of this script into its files. The same versions write the
same bytes. README.md says what expected.json has.

Programs that are not here (timm, Transformers, Lightning, fastai, OpenMMLab …) are imitated: the structure
and the names of their modules, the dicts that they save, and the names of their classes in the pickle.
"""

import argparse
import builtins
import collections
import copy
import dataclasses
import datetime
import enum
import functools
import io
import json
import os
import pathlib
import pickle
import random
import re
import shutil
import struct
import sys
import tarfile
import types
import typing
import zipfile
import zlib

import numpy
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import AlexNet, DenseNet, vgg
from torchvision.models import resnet as tv
from torchvision.ops.misc import FrozenBatchNorm2d

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = {}


# ---------------------------------------------------------------------------------------------- writing


def path_of(file):
    path = os.path.join(HERE, 'files', file)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def logits_of(net, x):
    with torch.no_grad():
        return copy.deepcopy(net).eval().double()(INPUTS[x].double())


def case(name, file, net=None, why='', x='x', should=None, wrong=None, options=None, warns=None, **more):
    """Says what a file should give.

    net: computes the logits; None where there are none. wrong: what a careless reader takes the file for.
    warns: a regex; None where there is nothing to warn of. more: refuses, labels.
    """
    logits = None
    if net is not None:
        logits = logits_of(net, x)
        assert torch.isfinite(logits).all() and logits.abs().max() < 50, (name, logits)
        assert logits.numel() < 3 or logits.std() > 0.05, (name, logits)
    if wrong is not None:
        off = (logits_of(wrong, x) - logits).abs().max().item()
        assert off >= 1e-3, f'{name}: the wrong reading is off by {off} only'
    default = 'refused' if 'refuses' in more else 'right' if net is not None else 'maps'
    assert name not in CASES, name
    CASES[name] = {
        'file': f'files/{file}',
        'input': f'inputs/{x}.safetensors',
        'options': options or {},
        'should': should or default,
        'why': why,
        'logits': None if logits is None else logits.flatten().tolist(),
        'warns': warns,
        **more,
    }


def pth(name, value, net=None, why='', ending='pth', save=None, **more):
    """A case of one file that `torch.save` writes."""
    file = f'{name}.{ending}'
    torch.save(value, path_of(file), **(save or {}))
    case(name, file, net, why, **more)


DTYPES = {
    torch.float32: 'F32',
    torch.float64: 'F64',
    torch.float16: 'F16',
    torch.bfloat16: 'BF16',
    torch.int64: 'I64',
    torch.uint8: 'U8',
}


def write_safetensors(path, tensors, metadata=None, named=None):
    """named: the dtype that a tensor is given out as, where PyTorch 1.13 does not know it."""
    header, data = {'__metadata__': metadata or {'format': 'pt'}}, b''
    for key, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        bits = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
        raw = bits.numpy().tobytes()
        dtype = (named or {}).get(key, DTYPES[tensor.dtype])
        offsets = [len(data), len(data) + len(raw)]
        header[key] = {'dtype': dtype, 'shape': list(tensor.shape), 'data_offsets': offsets}
        data += raw
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


def safetensors(name, tensors, net=None, why='', metadata=None, named=None, **more):
    """A case of one safetensors file."""
    write_safetensors(path_of(f'{name}.safetensors'), tensors, metadata, named)
    case(name, f'{name}.safetensors', net, why, **more)


def repository(name, tensors, net=None, why='', config=None, more_files=None, **more):
    """A case of a folder as a hub has it: model.safetensors, config.json and others."""
    write_safetensors(path_of(f'{name}/model.safetensors'), tensors)
    for file, value in {'config.json': config, **(more_files or {})}.items():
        with open(path_of(f'{name}/{file}'), 'w') as out:
            json.dump(value, out, indent=2)
            out.write('\n')
    case(name, f'{name}/model.safetensors', net, why, **more)


def seeded(kind):
    """Each kind of files begins with a seed of its own: a new case changes no other kind."""
    torch.manual_seed(zlib.crc32(kind.__name__.encode()))


def add_prefix(prefix, tensors):
    return {prefix + key: tensor for key, tensor in tensors.items()}


def renamed(tensors, *patterns):
    """patterns: (regex, replacement), each for all keys."""
    out = {}
    for key, tensor in tensors.items():
        for pattern, replacement in patterns:
            key = re.sub(pattern, replacement, key)
        out[key] = tensor
    return out


def module_of(name):
    """The module of that name, a made one where there is none."""
    if name in sys.modules:
        return sys.modules[name]
    parent, _, child = name.rpartition('.')
    module = sys.modules[name] = types.ModuleType(name)
    if parent:
        setattr(module_of(parent), child, module)
    return module


def fake(full, base=object, **members):
    """A class that pickles call by this name."""
    module, _, name = full.rpartition('.')
    cls = type(name, (base,), {'__module__': module, '__qualname__': name, **members})
    setattr(module_of(module), name, cls)
    return cls


def fake_function(full):
    def function(*_):
        return None

    function.__module__, _, function.__name__ = full.rpartition('.')
    function.__qualname__ = function.__name__
    setattr(module_of(function.__module__), function.__name__, function)
    return function


def instance(cls, **state):
    made = cls.__new__(cls)
    made.__dict__.update(state)
    return made


# --------------------------------------------------------------------------------------------- networks


def randomise(net, variance=(0.5, 1.5)):
    """Weights as of a trained network: batch norms that all matter, features of about 1."""
    low, high = variance
    scale = ((low + high) / 2) ** 0.5
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5)
        if getattr(module, 'running_mean', None) is not None:
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(low, high)
            if 'num_batches_tracked' in module._buffers:
                module.num_batches_tracked.fill_(1000)
        if 'Norm' in type(module).__name__ and module.weight is not None:
            module.weight.data.uniform_(0.5 * scale, 1.2 * scale)
            module.bias.data.uniform_(-0.3, 0.3)
    return net.eval()


WIDTHS = (4, 4, 6, 8)


class Stages(tv.ResNet):
    """torchvision's ResNet of any number of stages."""

    def _forward_impl(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for name, stage in self.named_children():
            x = stage(x) if name.startswith('layer') else x
        return self.fc(self.avgpool(x).flatten(1))


def resnet(
    widths=WIDTHS, depths=(1, 1, 1, 1), block=tv.BasicBlock, stem=4, cin=3, classes=10,
    norm=nn.BatchNorm2d, dilate=(False, False, False, False), cls=tv.ResNet, **how,
):  # fmt: skip
    """A torchvision ResNet that is narrow; its own code makes its stages and runs them."""
    net = cls.__new__(cls)
    nn.Module.__init__(net)
    net._norm_layer, net.inplanes, net.dilation, net.groups, net.base_width = norm, stem, 1, 1, 64
    net.conv1 = nn.Conv2d(cin, stem, 7, 2, 3, bias=False)
    net.bn1, net.relu, net.maxpool = norm(stem), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
    for s, (width, depth) in enumerate(zip(widths, depths)):
        layer = net._make_layer(block, width, depth, 1 if s == 0 else 2, dilate[s])
        setattr(net, f'layer{s + 1}', layer)
    net.avgpool = nn.AdaptiveAvgPool2d((1, 1))
    net.fc = nn.Linear(widths[-1] * block.expansion, classes)
    return randomise(net, **how)


def with_stem(net, *conv):
    """The same behind another first convolution, and no max pool."""
    net.conv1, net.maxpool = nn.Conv2d(*conv, bias=False), nn.Identity()
    nn.init.kaiming_normal_(net.conv1.weight)
    return net


def with_head(net, head):
    net.fc = randomise(head)
    return net


def headless(net):
    """The same with `fc` taken out, as most who take features do."""
    net.fc = nn.Identity()
    return net


def activated(net, make):
    """The same with another activation in place of each ReLU."""
    for module in list(net.modules()):
        for key, child in module._modules.items():
            if isinstance(child, nn.ReLU):
                module._modules[key] = make()
    return net


class Parts(nn.Module):
    """Modules in a row under names of one's own; the mean of all pixels before the first that takes vectors."""

    def __init__(self, **parts):
        super().__init__()
        for key, part in parts.items():
            setattr(self, key, part)

    def forward(self, x):
        for part in self.children():
            first = next((m for m in part.modules() if not list(m.children())), part)
            vectors = isinstance(first, (nn.Linear, nn.BatchNorm1d, nn.LayerNorm))
            x = part(x.mean((2, 3)) if x.dim() == 4 and vectors else x)
        return x


def features(net):
    """nn.Sequential(*list(net.children())[:-2]): numbered children, without pool and classifier."""
    return nn.Sequential(*list(net.children())[:-2])


# ------------------------------------------------------------------------------------------- containers


class Numbers(type):
    """Stands in for `str` while the format of before 1.6 is written, which names storages by address."""

    seen = {}

    def __instancecheck__(cls, value):
        return isinstance(value, builtins.str)

    def __call__(cls, value):
        if not isinstance(value, int):
            return builtins.str(value)
        return builtins.str(94000000000000 + 160 * Numbers.seen.setdefault(value, len(Numbers.seen)))


def legacy(name, value, net, why, **more):
    """_use_new_zipfile_serialization=False, with storages in the order in which they are met."""
    Numbers.seen = {}
    torch.serialization.str = Numbers('str', (), {})
    try:
        pth(name, value, net, why, save={'_use_new_zipfile_serialization': False}, **more)
    finally:
        del torch.serialization.str


@dataclasses.dataclass(frozen=True)
class Named:
    """A global of a pickle, whether there is one here or not."""

    module: str
    name: str

    def __call__(self):
        raise NotImplementedError


class Call:
    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


class OldPickler(pickle._Pickler):
    """Pickles as Python 2 wrote them: text is bytes. Persistent ids by `ids`, a function."""

    def __init__(self, file, ids=lambda _: None):
        super().__init__(file, 2)
        self.persistent_id = ids

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(f'c{obj.module}\n{obj.name}\n'.encode())
        elif type(obj) is str:
            self.write(b'U' + bytes([len(obj)]) + obj.encode())
        else:
            super().save(obj, save_persistent_id)


def old_dumps(value, ids=lambda _: None):
    file = io.BytesIO()
    OldPickler(file, ids).dump(value)
    return file.getvalue()


ORDERED_DICT = Named('collections', 'OrderedDict')
FLOATS = Named('torch', 'FloatStorage')


def write_python2(path, tensors):
    """PyTorch 0.3 on Python 2: storages that are views of one, `_rebuild_tensor`, an OrderedDict of lists."""
    total = sum(tensor.numel() for tensor in tensors.values())
    items, at = [], 0
    for i, (key, tensor) in enumerate(tensors.items()):
        size, stride = tuple(tensor.shape), tensor.stride()
        view = types.SimpleNamespace(id=('storage', FLOATS, '7', 'cpu', total, (str(100 + i), at, tensor.numel())))
        items.append([key, Call(Named('torch._utils', '_rebuild_tensor'), view, 0, size, stride)])
        at += tensor.numel()
    sizes = {'int': 4, 'long': 4, 'short': 2}
    with open(path, 'wb') as file:
        file.write(old_dumps(torch.serialization.MAGIC_NUMBER) + old_dumps(1001))
        file.write(old_dumps({'protocol_version': 1001, 'little_endian': True, 'type_sizes': sizes}))
        file.write(old_dumps(Call(ORDERED_DICT, items), lambda obj: getattr(obj, 'id', None)))
        file.write(old_dumps(['7']) + struct.pack('<q', total))
        for tensor in tensors.values():
            file.write(tensor.numpy().tobytes())


def write_tar(path, tensors):
    """PyTorch 0.1: a tar of `sys_info`, `pickle`, `tensors` and `storages`; the last tensor's storage is a view."""
    stored = dict(enumerate(tensors.values(), 1000))
    marks = {key: types.SimpleNamespace(id=str(number)) for key, number in zip(tensors, stored)}
    value = Call(ORDERED_DICT, [[key, mark] for key, mark in marks.items()])
    metadata, storages = [old_dumps(len(stored))], [old_dumps(len(stored))]
    for number, tensor in stored.items():
        last = number == 999 + len(stored)
        metadata.append(old_dumps((number, number + 1000 * (2 if last else 1), Named('torch', 'FloatTensor'))))
        shape, stride = tensor.shape, tensor.stride()
        metadata.append(struct.pack('<ii', len(shape), 0) + struct.pack(f'<{2 * len(shape)}q', *shape, *stride))
        metadata.append(struct.pack('<q', 0))
        # One element before and one behind what the view has.
        data = F.pad(tensor.flatten(), (1, 1)) if last else tensor.flatten()
        storages.append(old_dumps((number + 1000, 'cpu', FLOATS)))
        storages.append(struct.pack('<q', data.numel()) + data.numpy().tobytes())
    views = [(number + 2000, number + 1000, 1, tensor.numel())]
    sizes = {'int': 4, 'long': 8, 'short': 2}
    with tarfile.open(path, 'w', format=tarfile.PAX_FORMAT) as tar:
        for member, data in {
            'sys_info': old_dumps({'protocol_version': 1000, 'little_endian': True, 'type_sizes': sizes}),
            'pickle': old_dumps(value, lambda obj: getattr(obj, 'id', None)),
            'tensors': b''.join(metadata),
            'storages': b''.join(storages) + old_dumps(views),
        }.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def containers():
    """torch.save of all years, of a state dict and of modules; torch.jit.save; Transformers' shards."""
    net = resnet()
    state = net.state_dict()
    pth('zip', state, net, 'torch.save since 1.6')
    pth('zip-protocol-4', state, net, 'torch.save(…, pickle_protocol=4)', save={'pickle_protocol': 4})
    legacy('legacy', state, net, 'torch.save of before 1.6')
    flat = torch.cat([tensor.float().flatten() for tensor in state.values()])
    views, at = {}, 0
    for key, tensor in state.items():
        views[key] = flat[at : at + tensor.numel()].view(tensor.shape)
        at += tensor.numel()
    # A kernel that lies in memory as NHWC has it, and one name for two tensors.
    views['layer4.0.conv2.weight'] = views['layer4.0.conv2.weight'].contiguous(memory_format=torch.channels_last)
    views['ema.fc.weight'] = views['fc.weight']
    legacy('legacy-views', {'state_dict': views}, net, 'one storage for all tensors', warns=r'ema\.fc\.weight')
    floats = {key: tensor for key, tensor in state.items() if tensor.dtype == torch.float32}
    write_python2(path_of('legacy-python2.pth'), floats)
    case('legacy-python2', 'legacy-python2.pth', net, 'PyTorch 0.3 on Python 2, views of a storage')
    write_tar(path_of('tar-2016.pth'), floats)
    case('tar-2016', 'tar-2016.pth', net, 'PyTorch 0.1')
    pth('module', net, net, 'torch.save(model)')
    legacy('module-legacy', net, net, 'torch.save(model) of before 1.6: with the source text of its classes')
    pth('module-in-dict', {'epoch': 3, 'model': net, 'loss': 0.25}, net, "{'model': model}, as YOLO saves")
    pth('module-parallel', nn.DataParallel(net), net, 'torch.save(DataParallel(model))')
    trace = torch.jit.trace(net, INPUTS['x'])
    trace.save(path_of('script-trace.pt'))
    case('script-trace', 'script-trace.pt', net, 'torch.jit.trace(…).save')
    torch.jit.script(net).save(path_of('script.pt'))
    case('script', 'script.pt', net, 'torch.jit.script(…).save')
    hf = HuggingFace(WIDTHS)
    index, parts = {}, [{}, {}]
    for i, (key, tensor) in enumerate(hf.state_dict().items()):
        part = int(i > 40)
        parts[part][key] = tensor
        index[key] = f'pytorch_model-0000{part + 1}-of-00002.bin'
    for i, part in enumerate(parts):
        torch.save(part, path_of(f'shards-bin/pytorch_model-0000{i + 1}-of-00002.bin'))
    with open(path_of('shards-bin/pytorch_model.bin.index.json'), 'w') as out:
        json.dump({'metadata': {'total_size': 20000}, 'weight_map': index}, out, indent=2)
    case('shards-bin', 'shards-bin/pytorch_model.bin.index.json', hf, "save_pretrained(…, max_shard_size=…)")


# ---------------------------------------------------------------------------------- beside the weights


class Phase(enum.Enum):
    TRAIN = 'train'


@dataclasses.dataclass
class Config:
    lr: float = 0.1
    widths: typing.Tuple[int, ...] = (4, 8)


def trained(net, make):
    """The state of an optimizer after one step, and of a scheduler."""
    net = copy.deepcopy(net).train()
    optimizer = make(net.parameters())
    net(INPUTS['xx']).sum().backward()
    optimizer.step()
    return optimizer


def in_main(*classes):
    """Pickled as the script of a stranger has them: __main__.Config."""
    for cls in classes:
        cls.__module__ = '__main__'
        setattr(sys.modules['__main__'], cls.__name__, cls)


def beside():
    """What training scripts keep beside the state dict."""
    in_main(Phase, Config)
    net = resnet()
    state = net.state_dict()
    sgd = trained(net, functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9))
    steps = torch.optim.lr_scheduler.MultiStepLR(sgd, [30, 60, 60])
    args = argparse.Namespace(arch='resnet18', lr=0.1, data=pathlib.PurePosixPath('/data'), gpu=None)
    imagenet = {
        **{'epoch': 7, 'arch': 'resnet18', 'state_dict': add_prefix('module.', state)},
        **{'best_acc1': torch.tensor(71.5), 'optimizer': sgd.state_dict(), 'scheduler': steps.state_dict()},
    }
    pth('beside-imagenet-example', imagenet, net, 'pytorch/examples: SGD, MultiStepLR (a Counter)', ending='pth.tar')
    adam = trained(net, torch.optim.AdamW)
    scaler = {'scale': 65536.0, 'growth_factor': 2.0, 'backoff_factor': 0.5, '_growth_tracker': 3}
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 10).state_dict()
    pth(
        'beside-adamw-scaler',
        {'args': args, 'optimizer': adam.state_dict(), 'lr_scheduler': cosine, 'scaler': scaler, 'model': state},
        net,
        'torchvision/references: Namespace, AdamW, GradScaler, the model last',
    )
    history = {
        'loss': [numpy.float64(0.5), numpy.float32(0.25)],
        'confusion': numpy.arange(9).reshape(3, 3),
        'classes': numpy.array(['cat', 'dog'], dtype=object),
        'best': numpy.int64(3),
        'done': numpy.bool_(True),
    }
    pth('beside-numpy', {'state_dict': state, 'history': history}, net, 'numpy scalars and arrays')
    scalar, float64 = fake_function('numpy._core.multiarray.scalar'), numpy.dtype('float64')
    number = Call(scalar, float64, struct.pack('<d', 0.5))
    pth('beside-numpy-2', {'model_state_dict': state, 'best': number}, net, 'numpy 2 has its own name for scalars')
    pth(
        'beside-sets',
        {
            **{'seen': {1, 2, 3}, 'frozen': frozenset({4, 5}), 'output': pathlib.PosixPath('runs/1/best.pth')},
            **{'counts': collections.Counter('aab'), 'phase': Phase.TRAIN, 'range': range(3)},
            **{'metrics': collections.defaultdict(list, {'acc': [0.5]}), 'slice': slice(1, 2), 'c': 1 + 2j},
            **{'saved': datetime.datetime(2021, 5, 17, 12, 30), 'took': datetime.timedelta(hours=3)},
            'state_dict': state,
        },
        net,
        'set, frozenset, Path, Counter, Enum, defaultdict, datetime',
    )
    pth(
        'beside-torch',
        {
            **{'device': torch.device('cuda:0'), 'dtype': torch.float16, 'size': torch.Size([3, 224, 224])},
            **{'rng': torch.get_rng_state()[:64].clone(), 'numpy_rng': numpy.random.RandomState(0).get_state()[:1]},
            **{'python_rng': random.Random(0).getstate()[:1], 'bools': torch.tensor([True]), 'empty': torch.empty(0)},
            **{'complex': torch.tensor([1 + 2j]), 'sparse': torch.eye(2).to_sparse(), 'parameter': nn.Parameter(torch.ones(2))},
            **{'criterion': nn.CrossEntropyLoss(weight=torch.ones(10)), 'model': state},
        },
        net,
        'torch.device, dtype, Size; complex and sparse tensors; the loss as a module',
    )
    attributes = fake('pytorch_lightning.utilities.parsing.AttributeDict', dict)
    easy = fake('easydict.EasyDict', dict)
    cfg = easy(lr=0.1, model={'depth': 18})
    cfg.lr = 0.1
    pth(
        'beside-dicts',
        {'state_dict': add_prefix('net.', state), 'hyper_parameters': attributes(lr=0.1), 'cfg': cfg},
        net,
        'AttributeDict of Lightning, EasyDict',
    )
    pth(
        'beside-own-classes',
        {'config': Config(), 'norm': functools.partial(nn.BatchNorm2d, eps=1e-5), 'init': Config, 'model': state},
        net,
        '__main__.Config (a dataclass), a partial, a class itself',
    )
    node, meta = fake('omegaconf.nodes.AnyNode'), fake('omegaconf.base.ContainerMetadata')
    config = instance(fake('omegaconf.dictconfig.DictConfig'), _parent=None)
    value = instance(node, _parent=config, _val=0.1)
    config._metadata = instance(meta, ref_type=typing.Any, object_type=dict, flags={}, key=None)
    config._content = {'lr': value, 'again': config}
    pth('beside-omegaconf', {'cfg': config, 'model': state}, net, 'OmegaConf: objects that hold each other')
    fields = collections.namedtuple('Fields', 'epoch loss')
    in_main(fields)
    pth('beside-namedtuple', {'info': fields(3, 0.1), 'weights': state}, net, 'a namedtuple of the script')


# --------------------------------------------------------------------------------------------- wrappers


def wrappers_dicts():
    """Dicts and lists around the state dict, by the names that scripts have for it."""
    net, other = resnet(), resnet()
    state, ema = net.state_dict(), other.state_dict()
    for key in ['net', 'state_dict', 'model_state_dict', 'weights', 'params', 'model_ema', 'ema']:
        pth(f'in-{key}', {'epoch': 3, key: state, 'best': 0.5}, net, f"{{'{key}': model.state_dict()}}")
    both = {'epoch': 9, 'arch': 'resnet18', 'state_dict': state, 'state_dict_ema': ema, 'version': 2}
    pth('ema-beside', both, net, "timm's train.py: the weights, and their mean over time", wrong=other, warns='')
    case('ema-chosen', 'ema-beside.pth', other, 'the same file', wrong=net, options={'stateDict': 'state_dict_ema'})
    pair = {'student': state, 'teacher': ema, 'epoch': 1}
    pth('student-chosen', pair, net, 'a mean teacher', wrong=other, options={'stateDict': 'student'})
    case('teacher-chosen', 'student-chosen.pth', other, 'the same file', wrong=net, options={'stateDict': 'teacher'})
    pth('in-list', [state, {'lr': 0.1}], net, 'torch.save([model.state_dict(), …])')
    pth('in-tuple', (3, state), net, 'torch.save((epoch, model.state_dict()))')
    pth('in-model-backbone', {'epoch': 1, 'model': {'backbone': state}}, net, 'nested dicts')
    body = copy.deepcopy(state)
    head = {key: body.pop(f'fc.{key}') for key in ['weight', 'bias']}
    pth('in-two-dicts', {'feature_extractor': body, 'classifier': head}, net, 'a state dict for each part')


def wrappers_prefixes():
    """Prefixes of wrappers: DataParallel, torch.compile, averages, Lightning, OpenMMLab."""
    net = resnet()
    state = net.state_dict()
    for prefix, why in {
        'module.': 'DataParallel, DDP',
        '_orig_mod.': 'torch.compile',
        'module._orig_mod.': 'torch.compile inside DDP',
        'model.module.': 'DDP inside Lightning',
        'model.net.backbone.': 'wrappers in wrappers',
    }.items():
        pth(f'prefix-{prefix[:-1]}', {'state_dict': add_prefix(prefix, state)}, net, why)
    average = torch.optim.swa_utils.AveragedModel(net)
    average.n_averaged.fill_(12)
    pth('averaged-model', average.state_dict(), net, 'AveragedModel: n_averaged beside module.*', warns='n_averaged')
    for prefix in ['model.', '_model.', 'net.']:
        lightning = {
            **{'epoch': 4, 'global_step': 500, 'pytorch-lightning_version': '1.9.0'},
            'state_dict': {
                **add_prefix(prefix, state),
                **{'criterion.weight': torch.rand(10), 'val_acc.tp': torch.tensor([3]), 'val_acc.fp': torch.tensor([1])},
            },
            'loops': {'fit_loop': {'state_dict': {}, 'epoch_progress': {'total': {'ready': 5}}}},
            'callbacks': {"ModelCheckpoint{'monitor': 'val_loss'}": {'best_model_score': torch.tensor(0.3)}},
            **{'optimizer_states': [], 'lr_schedulers': [], 'hparams_name': 'kwargs', 'hyper_parameters': {'lr': 0.1}},
        }
        name = f'lightning-{prefix[:-1]}'
        pth(name, lightning, net, 'Lightning, with a loss and a metric', ending='ckpt', warns=r'criterion\.weight')
    body = renamed(state, (r'^fc\.', 'head.fc.'), (r'^(?!head)', 'backbone.'))
    meta = {'mmcls_version': '0.23.0', 'CLASSES': [f'class {i}' for i in range(10)], 'epoch': 100}
    pth('openmmlab-1', {'meta': meta, 'state_dict': body}, net, 'OpenMMLab: backbone.*, head.fc.*')
    buffer = fake('mmengine.logging.history_buffer.HistoryBuffer', mean=lambda self: 0)
    buffer.mean.__module__, buffer.mean.__qualname__ = buffer.__module__, 'HistoryBuffer.mean'
    log = instance(buffer, _log_history=numpy.ones(3), _statistics_methods={'mean': buffer.mean})
    hub = {'log_scalars': {'train/loss': log}, 'runtime_info': {'epoch': 3}, 'resumed_keys': {}}
    pth('openmmlab-2', {'meta': meta, 'message_hub': hub, 'state_dict': body}, net, 'MMEngine, with its history')


def wrappers_own():
    """Modules of one's own around a ResNet: parts under any name, numbered children."""
    for body, head in [('backbone', 'head'), ('resnet', 'classifier'), ('encoder', 'fc'), ('base_model', 'linear')]:
        net = Parts(**{body: headless(resnet()), head: nn.Linear(8, 10)})
        pth(f'own-{body}-{head}', net.state_dict(), net, f'self.{body}, self.{head}')
    net = Parts(features=features(resnet()), classifier=randomise(nn.Linear(8, 10)))
    pth('children-and-classifier', net.state_dict(), net, 'self.features = Sequential(*children[:-2])')
    net = Parts(model=nn.Sequential(*list(resnet().children())[:-1]), flat=nn.Flatten(), fc=nn.Linear(8, 7))
    pth('children-and-fc', {'model': net.state_dict()}, net, 'Sequential(*children[:-1]) and an own fc')
    net = nn.Sequential(*list(resnet().children())[:-1], nn.Flatten(), nn.Linear(8, 10))
    pth('children-all', net.state_dict(), net, 'all in one Sequential: 0 … 7 and 10')
    pth('children-alone', features(resnet()).state_dict(), why='Sequential(*children[:-2]): no classifier')


class ConcatPool(nn.Module):
    """fastai's AdaptiveConcatPool2d: the maxima, then the means."""

    def forward(self, x):
        return torch.cat([x.amax((2, 3)), x.mean((2, 3))], 1)


def fastai(bias, hidden=12):
    """cnn_learner's model: the body's children, and a head behind two pools."""
    head = nn.Sequential(
        *[ConcatPool(), nn.Flatten(), nn.BatchNorm1d(16), nn.Dropout(0.25), nn.Linear(16, hidden, bias=bias)],
        *[nn.ReLU(inplace=True), nn.BatchNorm1d(hidden), nn.Dropout(0.5), nn.Linear(hidden, 10, bias=bias)],
    )
    return nn.Sequential(features(resnet()), randomise(head))


def wrappers_fastai():
    """fastai: learn.save with the optimizer and without, of version 2 and 1."""
    net = fastai(bias=False)
    order = copy.deepcopy(net)
    order[1][0].forward = lambda x: torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
    moments = [{'grad_avg': torch.zeros(4), 'step': 3}]
    hypers = [{'lr': 1e-3, 'mom': 0.9, 'eps': 1e-5}]
    opt = {'state': moments, 'hypers': hypers}
    pth('fastai-with-opt', {'model': net.state_dict(), 'opt': opt}, net, 'fastai 2: learn.save', wrong=order)
    net = fastai(bias=False, hidden=14)
    pth('fastai', net.state_dict(), net, 'fastai 2: learn.save(…, with_opt=False)')
    net = fastai(bias=True)
    pth('fastai-1', {'model': net.state_dict(), 'opt': None}, net, 'fastai 1: a head with biases')


def wrappers_self_supervised():
    """MoCo, BYOL, SimCLR, DINO, SwAV, Barlow Twins: what their repositories save."""
    net, other = resnet(classes=6), resnet(classes=6)
    state = {
        **add_prefix('module.encoder_q.', net.state_dict()),
        **add_prefix('module.encoder_k.', other.state_dict()),
        **{'module.queue': torch.rand(6, 32), 'module.queue_ptr': torch.tensor([16])},
    }
    moco = {'epoch': 200, 'arch': 'resnet50', 'state_dict': state, 'optimizer': {'state': {}, 'param_groups': []}}
    pth('moco', moco, net, 'MoCo: the query encoder, not the key encoder', wrong=other, warns='encoder_k[^]*queue')
    online, target = Parts(encoder=features(resnet())), Parts(encoder=features(resnet()))
    projection = add_prefix('projetion.net.', nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4)).state_dict())
    byol = {
        'online_network_state_dict': {**online.state_dict(), **projection},
        'target_network_state_dict': {**target.state_dict(), **projection},
        'optimizer_state_dict': {'state': {}, 'param_groups': []},
    }
    pth('byol', byol, why='sthalles/PyTorch-BYOL', warns='target_network_state_dict')
    net = Parts(backbone=with_head(resnet(), nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 6))))
    simclr = {'epoch': 100, 'arch': 'resnet18', 'state_dict': net.state_dict(), 'optimizer': {}}
    pth('simclr', simclr, net, 'sthalles/SimCLR: backbone.fc.0, backbone.fc.2', ending='pth.tar')
    student, teacher = headless(resnet()), headless(resnet())
    mlp = Parts(mlp=nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 4)))
    mlp.last_layer = nn.utils.weight_norm(nn.Linear(4, 12, bias=False))
    head = add_prefix('head.', mlp.state_dict())
    dino = {
        'student': add_prefix('module.', {**add_prefix('backbone.', student.state_dict()), **head}),
        'teacher': {**add_prefix('backbone.', teacher.state_dict()), **head},
        **{'epoch': 100, 'args': argparse.Namespace(arch='resnet50'), 'dino_loss': {'center': torch.zeros(1, 12)}},
    }
    pth('dino', dino, why='DINO: a student, a teacher, their heads', options={'stateDict': 'teacher'}, warns=r'head\.mlp\.0')
    swav = {
        **headless(resnet()).state_dict(),
        **add_prefix('projection_head.', nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4)).state_dict()),
        'prototypes.weight': torch.rand(12, 4),
    }
    pth('swav', add_prefix('module.', swav), why='SwAV: a projection head and prototypes', warns=r'prototypes\.weight')
    pth('barlow-twins', headless(resnet()).state_dict(), why='Barlow Twins, VICReg, DINO: the backbone alone')


# ------------------------------------------------------------------------------------- heads and stems


def heads_linear():
    """Classifiers of one matrix: any name, in a Sequential, without bias, with weight norm, of 1 class."""
    net = resnet()
    for name in ['classifier', 'last_linear', 'my_output']:
        state = renamed(net.state_dict(), (r'^fc', name))
        pth(f'head-{name}', state, net, f'self.{name} = nn.Linear(…)')
    net = with_head(resnet(), nn.Sequential(nn.Dropout(0.3), nn.Linear(8, 10)))
    pth('head-dropout', net.state_dict(), net, 'fc.1: dropout first')
    net = with_head(resnet(), nn.Linear(8, 10, bias=False))
    pth('head-no-bias', net.state_dict(), net, 'nn.Linear(…, bias=False)')
    net = with_head(resnet(), nn.Linear(8, 1))
    pth('head-one-class', net.state_dict(), net, 'one logit: BCEWithLogitsLoss')
    net = resnet()
    with torch.no_grad():
        nn.utils.weight_norm(net.fc).weight_g.mul_(1.5)
    wrong = with_head(copy.deepcopy(net), nn.Linear(8, 10))
    wrong.fc.weight.data, wrong.fc.bias.data = net.fc.weight_v.data.clone(), net.fc.bias.data.clone()
    pth('head-weight-norm', net.state_dict(), net, 'weight norm: weight_g, weight_v', wrong=wrong)
    new = renamed(net.state_dict(), ('weight_g', 'parametrizations.weight.original0'), ('weight_v', 'parametrizations.weight.original1'))
    pth('head-parametrized', new, net, 'weight norm of PyTorch 2', wrong=wrong)


def heads_several():
    """Classifiers of several layers: ReLU, Dropout and BatchNorm1d between."""
    net = with_head(resnet(), nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 10)))
    pth('head-mlp', net.state_dict(), net, 'fc.0 and fc.3: Linear, ReLU, Dropout, Linear')
    net = with_head(resnet(), nn.Sequential(nn.Linear(8, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 10)))
    pth('head-mlp-norm', net.state_dict(), net, 'Linear, BatchNorm1d, ReLU, Linear')
    net = with_head(resnet(), nn.Sequential(nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 10)))
    pth('head-norm-first', net.state_dict(), net, 'BatchNorm1d, Dropout, Linear')
    names = collections.OrderedDict(fc1=nn.Linear(8, 12), act=nn.ReLU(), drop=nn.Dropout(), fc2=nn.Linear(12, 10))
    net = with_head(resnet(), nn.Sequential(names))
    pth('head-named-layers', net.state_dict(), net, 'fc.fc1, fc.fc2: an OrderedDict in a Sequential')
    net = with_head(resnet(), nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 10)))
    pth('head-layer-norm', net.state_dict(), why='LayerNorm before the Linear', refuses=r'(?i)layer ?norm|fc\.0')


def heads_and_more():
    """Two heads, none, and tensors beside that no layer needs."""
    net = Parts(backbone=headless(resnet()), fc_age=nn.Linear(8, 5))
    state = {**net.state_dict(), **add_prefix('fc_gender.', nn.Linear(8, 2).state_dict())}
    pth('heads-two', state, net, 'multi-task: the first answers, the second is named', warns='fc_gender')
    net = Parts(encoder=headless(resnet()), classifiers=nn.Sequential(nn.Linear(8, 4)))
    state = {**net.state_dict(), **add_prefix('classifiers.1.', nn.Linear(8, 3).state_dict())}
    pth('heads-in-list', state, net, 'a ModuleList of classifiers', warns=r'classifiers\.1')
    pth('head-none', headless(resnet()).state_dict(), why='fc = Identity(): maps and no classes')
    net = resnet()
    more = {'loss.weight': torch.rand(10), 'center_loss.centers': torch.rand(10, 8), 'queue': torch.rand(8, 16)}
    pth('more-losses', {**net.state_dict(), **more}, net, 'loss weights, centres, a queue', warns=r'center_loss\.centers')
    more = {'mean': torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), 'std': torch.ones(1, 3, 1, 1)}
    pth('more-normalizer', {**more, **add_prefix('1.', net.state_dict())}, net, 'Sequential(Normalize, net)', warns='mean')


class SqueezeExcite(nn.Module):
    """timm's: convolutions fc1, fc2. moskomule's and its copies: fc.0, fc.2 without bias."""

    def __init__(self, channels, timm):
        super().__init__()
        if timm:
            self.fc1, self.fc2 = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)
        else:
            layers = [nn.Linear(channels, 4, bias=False), nn.ReLU(), nn.Linear(4, channels, bias=False), nn.Sigmoid()]
            self.fc = nn.Sequential(*layers)

    def forward(self, x):
        mean = x.mean((2, 3), keepdim=True)
        if hasattr(self, 'fc'):
            return x * self.fc(mean.flatten(1))[:, :, None, None]
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(mean))))


class SqueezeExciteBlock(tv.BasicBlock):
    timm = True

    def __init__(self, cin, planes, *more, **how):
        super().__init__(cin, planes, *more, **how)
        self.se = SqueezeExcite(planes, self.timm)

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(self.se(y) + (x if self.downsample is None else self.downsample(x)))


class MoskomuleBlock(SqueezeExciteBlock):
    timm = False


def stems():
    """First layers: channels, sizes, widths, pools."""
    for cin in [1, 2, 4, 6]:
        net = resnet(cin=cin)
        pth(f'channels-{cin}', net.state_dict(), net, f'{cin} channels', x=f'x{cin}')
    net = with_stem(resnet(), 3, 4, 3, 1, 1)
    pth('stem-3x3', net.state_dict(), net, "CIFAR's stem in torchvision's ResNet: no max pool", x='x32')
    pooled = copy.deepcopy(net)
    pooled.maxpool = nn.MaxPool2d(3, 2, 1)
    case('stem-3x3-pool', 'stem-3x3.pth', pooled, 'a max pool, by option', x='x32', wrong=net, options={'maxPool': True})
    net = resnet(stem=8)
    deep = [nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, 1, 1, bias=False)]
    net.conv1 = nn.Sequential(*deep, nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3, 1, 1, bias=False))
    for s in [1, 2, 3, 4]:
        block = getattr(net, f'layer{s}')[0]
        conv, norm = block.downsample
        pool = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False) if s > 1 else nn.Identity()
        block.downsample = nn.Sequential(pool, nn.Conv2d(conv.in_channels, conv.out_channels, 1, bias=False), norm)
    pth('stem-deep', randomise(net).state_dict(), net, "timm's resnet18d: three 3×3, mean pools in shortcuts")
    net = resnet(stem=8)
    pth('stem-wider', net.state_dict(), net, 'a stem wider than the first stage')
    net = resnet(widths=(6, 6, 8, 8), stem=4)
    pth('stem-narrower', net.state_dict(), net, 'a stem narrower than the first stage')
    net = resnet(widths=(3, 5, 10, 7))
    pth('widths-free', net.state_dict(), net, 'widths that do not double')
    net = resnet(widths=(4, 8, 16, 32))
    pth('widths-double', net.state_dict(), net, "ResNet-10 at a sixteenth of its width")
    net = resnet(widths=(4, 6, 8), depths=(2, 1, 1))
    net.layer4 = nn.Identity()
    pth('stages-3', net.state_dict(), net, 'three stages')
    net = resnet(widths=(4, 4, 6, 6, 8), depths=(1,) * 5, dilate=(False,) * 5, cls=Stages)
    pth('stages-5', net.state_dict(), net, 'five stages', x='xx')
    net = resnet(depths=(2, 2, 2, 2), widths=(4, 4, 4, 6))
    for s in [1, 2, 3, 4]:
        block = getattr(net, f'layer{s}')[0]
        kept = 2 + s % 2
        block.conv1 = nn.Conv2d(block.conv1.in_channels, kept, 3, block.stride, 1, bias=False)
        block.bn1, block.conv2 = nn.BatchNorm2d(kept), nn.Conv2d(kept, block.conv2.out_channels, 3, 1, 1, bias=False)
    pth('widths-pruned', randomise(net).state_dict(), net, 'channels pruned inside blocks')
    for name, block in {'timm': SqueezeExciteBlock, 'moskomule': MoskomuleBlock}.items():
        net = resnet(block=block)
        pth(f'se-{name}', net.state_dict(), net, 'squeeze-and-excitation')


def norms():
    """Batch norm folded away, without gamma, frozen; other norms, which are refused by name."""
    net = resnet()
    fuse = nn.utils.fusion.fuse_conv_bn_eval
    net.conv1, net.bn1 = fuse(net.conv1, net.bn1), nn.Identity()
    for block in [net.layer1[0], net.layer2[0], net.layer3[0], net.layer4[0]]:
        block.conv1, block.bn1 = fuse(block.conv1, block.bn1), nn.Identity()
        block.conv2, block.bn2 = fuse(block.conv2, block.bn2), nn.Identity()
        if block.downsample is not None:
            block.downsample = nn.Sequential(fuse(*block.downsample))
    pth('norm-folded', net.state_dict(), net, 'fuse_conv_bn_eval: convolutions with biases alone')
    net = resnet(norm=functools.partial(nn.BatchNorm2d, affine=False))
    pth('norm-not-affine', net.state_dict(), net, 'BatchNorm2d(…, affine=False)')
    net = resnet(norm=FrozenBatchNorm2d)
    for module in net.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.weight.uniform_(0.5, 1.5)
            module.bias.uniform_(-0.3, 0.3)
    pth('norm-frozen', net.state_dict(), net, 'FrozenBatchNorm2d of detection: no counters')
    for name, norm in {'group': lambda c: nn.GroupNorm(2, c), 'instance': nn.InstanceNorm2d}.items():
        state = resnet(norm=norm).state_dict()
        message = {'group': r'(?i)group ?norm', 'instance': r'(?i)norm'}[name]
        pth(f'norm-{name}', state, why=f'{name} norm has no statistics in the file', refuses=message)
    state = resnet(widths=(4, 6, 8, 10), depths=(2, 1, 1, 1)).state_dict()
    for key in [key for key in state if re.match(r'bn1|layer\d\.0\.downsample\.1', key)]:
        del state[key]
    for s, width in zip([1, 2, 3, 4], [4, 4, 6, 8]):
        norm = randomise(nn.Sequential(nn.BatchNorm2d(width))).state_dict()
        state.update(renamed(norm, (r'^0', f'layer{s}.0.bn1')))
    state = renamed(state, ('downsample', 'shortcut'), ('^fc', 'linear'))
    pth('preactivation', state, why='kuangliu: PreActResNet18', x='x32', refuses=r'(?i)pre-?activation')
    state = resnet().state_dict()
    for s, width in zip([1, 2, 3, 4], WIDTHS):
        state[f'layer{s}.0.ca.fc.0.weight'] = torch.rand(2, width, 1, 1)
        state[f'layer{s}.0.ca.fc.2.weight'] = torch.rand(width, 2, 1, 1)
        state[f'layer{s}.0.sa.conv1.weight'] = torch.rand(1, 2, 7, 7)
    pth('cbam', state, why='CBAM: attention inside blocks', refuses=r'(?i)cbam|attention|\.(ca|sa)\.')


def other_families():
    """VGG, AlexNet and DenseNet with prefixes and other heads."""

    def vgg_of(norm, classifier):
        net = vgg.VGG.__new__(vgg.VGG)
        nn.Module.__init__(net)
        net.features = vgg.make_layers([4, 'M', 6, 'M', 8, 8, 'M', 8, 'M', 8, 'M'], batch_norm=norm)
        net.avgpool, net.classifier = nn.AdaptiveAvgPool2d((7, 7)), classifier
        return randomise(net)

    def classifier(cin, hidden=12):
        first = [nn.Linear(cin, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout()]
        return nn.Sequential(*first, nn.Linear(hidden, 10))

    net = vgg_of(False, classifier(8 * 49))
    pth('vgg', {'state_dict': add_prefix('module.', net.state_dict())}, net, 'VGG by DataParallel')
    net = vgg_of(True, classifier(8 * 49))
    pth('vgg-bn', net.state_dict(), net, 'VGG with batch norm')
    net = vgg_of(True, nn.Linear(8, 10))
    net.avgpool = nn.AdaptiveAvgPool2d((1, 1))
    pth('vgg-bn-linear', net.state_dict(), net, "CIFAR's VGG: one Linear behind the mean", x='x32')
    net = AlexNet.__new__(AlexNet)
    nn.Module.__init__(net)
    layers = [nn.Conv2d(3, 4, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(4, 6, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)]
    for cin, cout in [(6, 8), (8, 8), (8, 6)]:
        layers += [nn.Conv2d(cin, cout, 3, 1, 1), nn.ReLU()]
    net.features, net.avgpool = nn.Sequential(*layers, nn.MaxPool2d(3, 2)), nn.AdaptiveAvgPool2d((6, 6))
    names = [nn.Dropout(), nn.Linear(216, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 10)]
    net.classifier = nn.Sequential(*names)
    pth('alexnet', add_prefix('model.', randomise(net).state_dict()), net, 'AlexNet in a wrapper', x='xx')

    def dense(head=None):
        net = DenseNet(4, (2, 2, 1, 1), 8, 2, num_classes=10)
        net.classifier = head or net.classifier
        return randomise(net)

    net = dense()
    pth('densenet', {'net': add_prefix('module.', net.state_dict())}, net, 'DenseNet by DataParallel', x='x')
    width = net.classifier.in_features
    net = dense(nn.Sequential(nn.Linear(width, 14), nn.Sigmoid()))
    names = [(r'\.(norm|conv|relu)([12])\.', r'.\1.\2.'), ('^', 'module.densenet121.')]
    chexnet = copy.deepcopy(net)
    chexnet.classifier = net.classifier[0]
    state = {'state_dict': renamed(net.state_dict(), *names), 'best_loss': 0.1}
    pth('densenet-chexnet', state, chexnet, 'CheXNet: old names, a Sigmoid behind, which has no weights', ending='pth.tar')
    net = dense(nn.Sequential(nn.Linear(width, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 10)))
    pth('densenet-mlp', net.state_dict(), net, 'a classifier of two layers')
    pth('densenet-features', dense().features.state_dict(), why='model.features alone: conv0, denseblock1 …')


# ------------------------------------------------------------------------------ what weights do not show


class HuggingFaceLayer(nn.Module):
    def __init__(self, cin, cout, kernel, stride=1, act=nn.Identity):
        super().__init__()
        self.convolution = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False)
        self.normalization, self.activation = nn.BatchNorm2d(cout), act()

    def forward(self, x):
        return self.activation(self.normalization(self.convolution(x)))


class HuggingFaceBlock(nn.Module):
    def __init__(self, cin, cout, stride, act, bottleneck, on_first):
        super().__init__()
        changes = cin != cout or stride > 1
        self.shortcut = HuggingFaceLayer(cin, cout, 1, stride) if changes else nn.Identity()
        mid, (first, second) = cout // 4, (stride, 1) if on_first else (1, stride)
        if bottleneck:
            layers = [HuggingFaceLayer(cin, mid, 1, first, act), HuggingFaceLayer(mid, mid, 3, second, act)]
            self.layer = nn.Sequential(*layers, HuggingFaceLayer(mid, cout, 1))
        else:
            self.layer = nn.Sequential(HuggingFaceLayer(cin, cout, 3, stride, act), HuggingFaceLayer(cout, cout, 3))
        self.activation = act()

    def forward(self, x):
        return self.activation(self.layer(x) + self.shortcut(x))


class HuggingFace(nn.Module):
    """Transformers' ResNetForImageClassification."""

    def __init__(self, widths=WIDTHS, stem=4, depth=1, act=nn.ReLU, first=1, bottleneck=False, on_first=False, classes=10):
        super().__init__()
        self.resnet = nn.Module()
        self.resnet.embedder = nn.Module()
        self.resnet.embedder.embedder = HuggingFaceLayer(3, stem, 7, 2, act)
        self.resnet.encoder = nn.Module()
        self.resnet.encoder.stages = nn.ModuleList()
        for s, width in enumerate(widths):
            stage, strides = nn.Module(), [2 if s else first] + [1] * (depth - 1)
            cins = [widths[s - 1] if s else stem] + [width] * (depth - 1)
            blocks = [HuggingFaceBlock(cin, width, stride, act, bottleneck, on_first) for cin, stride in zip(cins, strides)]
            stage.layers = nn.Sequential(*blocks)
            self.resnet.encoder.stages.append(stage)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1], classes))
        randomise(self)

    def forward(self, x):
        x = F.max_pool2d(self.resnet.embedder.embedder(x), 3, 2, 1)
        for stage in self.resnet.encoder.stages:
            x = stage.layers(x)
        return self.classifier(x.mean((2, 3)))


def hidden_eps():
    """An eps of batch norm other than 1e-5: by option, by a whole module, by a program."""
    net = resnet(norm=functools.partial(nn.BatchNorm2d, eps=1e-3), variance=(0.01, 0.05))
    plain = copy.deepcopy(net)
    for module in plain.modules():
        module.eps = 1e-5
    options = {'batchNormEps': 1e-3}
    pth('eps-option', net.state_dict(), net, 'TensorFlow’s eps, by option', wrong=plain, options=options)
    pth('eps-module', net, net, 'a whole module knows its eps', wrong=plain)
    torch.jit.script(net).save(path_of('eps-script.pt'))
    case('eps-script', 'eps-script.pt', net, 'so does a TorchScript program', wrong=plain)
    pth('eps-plain', plain.state_dict(), plain, 'the same weights, PyTorch’s eps', wrong=net)
    config = {'architectures': ['ResNetForImageClassification'], 'model_type': 'resnet', 'batch_norm_eps': 1e-3}
    repository('eps-config', net.state_dict(), net, 'batch_norm_eps of config.json', config, wrong=plain)


def hidden_activations():
    """LeakyReLU and SiLU in place of ReLU: by option, by a whole module."""
    plain = resnet()
    for name, make in {
        'leaky_relu': functools.partial(nn.LeakyReLU, 0.01),
        'silu': nn.SiLU,
    }.items():
        net = activated(copy.deepcopy(plain), make)
        options = {'activationFunction': name}
        pth(f'act-{name}', net.state_dict(), net, f'{name}, by option', wrong=plain, options=options)
    steep = activated(copy.deepcopy(plain), functools.partial(nn.LeakyReLU, 0.2, inplace=True))
    pth('act-module-leaky', steep, steep, 'a whole module: LeakyReLU(0.2)', wrong=plain)
    pth('act-module-silu', net, net, 'a whole module: SiLU', wrong=plain)


def hidden_dilation():
    """replace_stride_with_dilation of torchvision: by option, by a whole module, by timm's output_stride."""
    net = resnet((2, 2, 3, 4), (1, 1, 2, 2), tv.Bottleneck, dilate=(False, False, True, True))
    plain = resnet((2, 2, 3, 4), (1, 1, 2, 2), tv.Bottleneck)
    plain.load_state_dict(net.state_dict())
    options = {'dilations': [1, 1, 2, 4]}
    pth('dilated-option', net.state_dict(), net, 'as for segmentation', x='xx', wrong=plain, options=options)
    pth('dilated-module', net, net, 'a whole module knows its dilations', x='xx', wrong=plain)
    net = resnet((2, 2, 3, 4), (1, 1, 1, 2), tv.Bottleneck, dilate=(False, False, False, True))
    plain = resnet((2, 2, 3, 4), (1, 1, 1, 2), tv.Bottleneck)
    plain.load_state_dict(net.state_dict())
    config = timm_config('resnet26', output_stride=16)
    repository('dilated-timm', net.state_dict(), net, 'output_stride of timm', config, x='xx', wrong=plain)


def hidden_huggingface():
    """Transformers: hidden_act, downsample_in_first_stage, downsample_in_bottleneck of config.json; names of classes."""
    names = ['tench', 'goldfish', 'shark', 'ray', 'cock', 'hen', 'ostrich', 'finch', 'robin', 'jay']
    processor = {
        **{'image_processor_type': 'ConvNextImageProcessor', 'do_resize': True, 'size': {'shortest_edge': 64}},
        **{'crop_pct': 0.875, 'resample': 3, 'do_rescale': True, 'rescale_factor': 1 / 255, 'do_normalize': True},
        **{'image_mean': [0.5, 0.5, 0.5], 'image_std': [0.5, 0.5, 0.5]},
    }
    for name, how, said in [
        ('hf-basic', {}, {'layer_type': 'basic'}),
        ('hf-first-stage', {'first': 2}, {'layer_type': 'basic', 'downsample_in_first_stage': True}),
        ('hf-in-bottleneck', {'bottleneck': True, 'on_first': True}, {'downsample_in_bottleneck': True}),
        ('hf-bottleneck', {'bottleneck': True}, {'downsample_in_bottleneck': False}),
        ('hf-silu', {'act': nn.SiLU}, {'layer_type': 'basic', 'hidden_act': 'silu'}),
        ('hf-leaky', {'act': nn.LeakyReLU}, {'layer_type': 'basic', 'hidden_act': 'leaky_relu'}),
    ]:
        widths = (8, 8, 12, 16) if how.get('bottleneck') else WIDTHS
        net = HuggingFace(widths, **how)
        plain = HuggingFace(widths, bottleneck=how.get('bottleneck', False))
        if name != 'hf-first-stage':
            plain.load_state_dict(net.state_dict())
        else:
            plain = copy.deepcopy(net)
            block = plain.resnet.encoder.stages[0].layers[0]
            block.layer[0].convolution.stride = block.shortcut.convolution.stride = (1, 1)
        config = {
            **{'architectures': ['ResNetForImageClassification'], 'model_type': 'resnet', 'embedding_size': 4},
            **{'hidden_sizes': list(widths), 'depths': [1, 1, 1, 1], 'layer_type': 'bottleneck', 'hidden_act': 'relu'},
            **{'downsample_in_first_stage': False, 'num_channels': 3, **said},
            **{'id2label': {str(i): label for i, label in enumerate(names)}, 'torch_dtype': 'float32'},
        }
        files = {'preprocessor_config.json': processor}
        same = name in ['hf-basic', 'hf-bottleneck']
        wrong = None if same else plain
        repository(name, net.state_dict(), net, 'Transformers', config, files, wrong=wrong, labels=names)


def timm_config(architecture, labels=None, **model_args):
    """config.json as timm pushes it to a hub."""
    pretrained = {
        **{'tag': 'a1_in1k', 'custom_load': False, 'input_size': [3, 64, 64], 'fixed_input_size': False},
        **{'interpolation': 'bicubic', 'crop_pct': 0.95, 'crop_mode': 'center'},
        **{'mean': [0.5, 0.5, 0.5], 'std': [0.5, 0.5, 0.5], 'num_classes': 10, 'pool_size': [2, 2]},
        **{'first_conv': 'conv1', 'classifier': 'fc'},
    }
    config = {'architecture': architecture, 'num_classes': 10, 'num_features': 8, 'pretrained_cfg': pretrained}
    if labels:
        config['label_names'] = labels
    return {**config, 'model_args': model_args} if model_args else config


def hidden_timm():
    """timm: model_args of config.json, and networks of blur pools, which only their name tells."""
    labels = [f'label {i}' for i in range(10)]
    net = resnet()
    repository('timm', net.state_dict(), net, 'timm', timm_config('resnet18', labels), labels=labels)
    net = activated(resnet(), nn.SiLU)
    plain = activated(copy.deepcopy(net), nn.ReLU)
    plain = copy.deepcopy(net)
    for module in list(plain.modules()):
        module._modules.update({k: nn.ReLU() for k, m in module._modules.items() if isinstance(m, nn.SiLU)})
    config = timm_config('resnet18', act_layer='silu')
    repository('timm-act', net.state_dict(), net, 'act_layer of timm', config, wrong=plain)
    case(
        'timm-act-told', 'timm-act/model.safetensors', net, 'the same, and its config by option',
        wrong=plain, options={'architecture': 'files/timm-act/config.json'},
    )  # fmt: skip
    state = resnet().state_dict()
    refuses = r'(?i)blur|anti-?alias|aa_layer'
    repository('blur-config', state, None, 'architecture of timm', timm_config('resnetblur18'), refuses=refuses)
    config = timm_config('resnet18', aa_layer='blurpool')
    repository('blur-model-args', state, None, 'aa_layer of timm', config, refuses=refuses)
    safetensors('blur-option', state, None, 'by option', options={'architecture': 'resnetblur18'}, refuses=refuses)
    saved = {'arch': 'resnetblur18', 'epoch': 1, 'state_dict': state}
    pth('blur-arch', saved, None, "arch of timm's train.py", refuses=refuses)
    filters = {f'layer{s}.0.aa.filt': torch.rand(w, 1, 3, 3) for s, w in zip([2, 3, 4], WIDTHS[1:])}
    pth('blur-filters', {**state, **filters}, None, 'timm of before 0.5: the filters', should='warned', warns=r'layer2\.0\.aa\.filt')


# ------------------------------------------------------------------------- precision, Keras, safetensors


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
    pth('double-stage', net.state_dict(), net, 'one stage in double')
    net = resnet()
    net.register_buffer('seen', torch.tensor(10**10))
    net.register_buffer('mask', torch.ones(3, dtype=torch.uint8))
    pth('integers', net.state_dict(), net, 'buffers of integers', warns='mask')


class StrideOnFirst(tv.Bottleneck):
    """The bottleneck of v1, which Keras has."""

    def __init__(self, cin, planes, stride=1, *more, **how):
        super().__init__(cin, planes, stride, *more, **how)
        self.conv1.stride, self.conv2.stride = (stride, stride), (1, 1)


def keras_net(eps=1.001e-5):
    net = resnet((2, 2, 3, 4), (1, 2, 1, 1), StrideOnFirst, norm=functools.partial(nn.BatchNorm2d, eps=eps), variance=(0.01, 0.05))
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(torch.rand(module.out_channels) * 0.02)
    return net.eval()


def keras_tensors(net, layer, head):
    """Keras' layers and variables, kernels as HWIO. layer: its name by stage, block and number of the layer."""
    out, norms = {}, {'running_mean': 'moving_mean', 'running_var': 'moving_variance', 'weight': 'gamma', 'bias': 'beta'}
    for key, tensor in net.state_dict().items():
        path, _, variable = key.rpartition('.')
        if variable == 'num_batches_tracked':
            continue
        if path.startswith('fc'):
            name = head[int((re.findall(r'\d', path) or [0])[0] > '0') if '.' in path else 0]
            out[f'{name}/{"kernel" if variable == "weight" else "bias"}'] = tensor.t() if variable == 'weight' else tensor
            continue
        stage, block, part = re.match(r'(?:layer(\d)\.(\d)\.)?(.+)', path).groups()
        is_norm = part.startswith('bn') or part == 'downsample.1'
        number = 0 if part.startswith('downsample') else int(part[-1])
        name = layer(int(stage or 0), int(block or 0), number, is_norm)
        if is_norm:
            out[f'{name}/{norms[variable]}'] = tensor
        else:
            out[f'{name}/{"kernel" if variable == "weight" else "bias"}'] = tensor.permute(2, 3, 1, 0) if variable == 'weight' else tensor
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
    safetensors('st-f8', more, net, 'a dtype that no layer needs', named={'cache.scale': 'F8_E4M3'}, warns=r'cache\.scale')
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
    net = resnet(classes=4)
    names = ['ant', 'bee', 'cat', 'dog']
    to_index = {'dog': 3, 'ant': 0, 'cat': 2, 'bee': 1}
    for key, value in {
        'class_to_idx': to_index,
        'classes': names,
        'id2label': dict(enumerate(names)),
        'idx_to_class': dict(enumerate(names)),
    }.items():
        pth(f'labels-{key}', {'state_dict': net.state_dict(), key: value}, net, f'{key} beside', labels=names)


# ---------------------------------------------------------------------------------------------- not ours


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
    onnx = field(1, 8) + field(2, 'pytorch') + field(3, '2.1.0') + field(7, field(1, node) + field(2, 'main')) + field(8, field(2, 17))
    saved = field(1, 1) + field(2, field(1, field(4, 'serve') + field(5, '2.11.0')))
    core_ml = field(1, 4) + field(2, field(1, field(1, 'image')) + field(10, field(1, 'label'))) + field(403, field(1, b''))
    tfjs = {'format': 'layers-model', 'generatedBy': 'keras v2.11.0', 'modelTopology': {}, 'weightsManifest': [{'paths': ['a.bin']}]}
    for name, data, message in [
        ('model.tflite', b'\x1c\0\0\0TFL3' + bytes(200), 'TensorFlow ?Lite|TFLite'),
        ('model.h5', b'\x89HDF\r\n\x1a\n' + bytes(5) + b'\x08\x08' + bytes(200), 'HDF5'),
        ('model.keras', zip_of({'metadata.json': '{"keras_version": "3.3.3"}', 'config.json': '{}', 'model.weights.h5': b'\x89HDF\r\n\x1a\n'}), 'Keras'),
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
    learner = instance(fake('fastai.learner.Learner'), model=nn.Linear(4, 2), path=pathlib.PosixPath('.'), loss_func=None)
    pth('other-export', learner, None, 'fastai: learn.export()', ending='pkl', refuses=r'(?i)fast\.?ai')
    dynamic = torch.quantization.quantize_dynamic(resnet(), {nn.Linear}, dtype=torch.qint8)
    pth('other-quantized-dynamic', dynamic.state_dict(), None, 'quantize_dynamic', refuses='(?i)quanti[sz]')
    net = nn.Sequential(torch.quantization.QuantStub(), *list(resnet().children())[:4])
    net.qconfig = torch.quantization.get_default_qconfig('fbgemm')
    prepared = torch.quantization.prepare(torch.quantization.fuse_modules(net.eval(), [['1', '2', '3']]))
    prepared(INPUTS['x'])
    static = torch.quantization.convert(prepared).state_dict()
    pth('other-quantized-static', renamed(static, (r'^1\.', 'conv1.')), None, 'static quantisation', refuses='(?i)quanti[sz]')


KINDS = [
    *[containers, beside, wrappers_dicts, wrappers_prefixes, wrappers_own, wrappers_fastai, wrappers_self_supervised],
    *[heads_linear, heads_several, heads_and_more, stems, norms, other_families],
    *[hidden_eps, hidden_activations, hidden_dilation, hidden_huggingface, hidden_timm],
    *[precisions, keras, safetensors_files, labels, not_ours],
]

SHAPES = {
    **{'x': (1, 3, 48, 48), 'xx': (2, 3, 64, 64), 'x32': (1, 3, 32, 32)},
    **{f'x{c}': (1, c, 40, 40) for c in [1, 2, 4, 6]},
}


def main():
    for folder in ['files', 'inputs']:
        shutil.rmtree(os.path.join(HERE, folder), ignore_errors=True)
        os.makedirs(os.path.join(HERE, folder))
    for kind in KINDS:
        seeded(kind)
        kind()
    for name, tensor in INPUTS.items():
        write_safetensors(os.path.join(HERE, 'inputs', f'{name}.safetensors'), {'input': tensor})
    with open(os.path.join(HERE, 'expected.json'), 'w') as out:
        json.dump(CASES, out, indent=1, ensure_ascii=False)
        out.write('\n')
    files = [os.path.join(folder, name) for folder, _, names in os.walk(HERE) for name in names]
    data = [file for file in files if '/files/' in file or '/inputs/' in file]
    print(len(CASES), 'cases,', len(data), 'files,', sum(map(os.path.getsize, data)), 'bytes')


if __name__ == '__main__':
    torch.manual_seed(0)
    INPUTS = {name: torch.randn(shape) for name, shape in SHAPES.items()}
    main()
