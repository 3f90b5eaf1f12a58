"""The files themselves, and what is in them beside the weights."""

import argparse
import collections
import copy
import dataclasses
import datetime
import enum
import functools
import json
import pathlib
import random
import struct
import typing

import numpy
import torch
from torch import nn

from .cases import INPUTS, add_prefix, case, path_of, pth, without_debugging
from .networks import HuggingFace, Parts, headless, resnet, short
from .old_formats import Call, legacy, write_python2, write_tar
from .strangers import fake, fake_function, in_main, instance


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
    in_main(Parts)
    own = Parts(backbone=headless(resnet()), head=nn.Linear(8, 10))
    pth('module-own', own, own, "torch.save(model) of a class of the script's own")
    trace = torch.jit.trace(net, INPUTS['x'])
    trace.save(path_of('script-trace.pt'))
    without_debugging(path_of('script-trace.pt'))
    case('script-trace', 'script-trace.pt', net, 'torch.jit.trace(…).save')
    torch.jit.script(net).save(path_of('script.pt'))
    without_debugging(path_of('script.pt'))
    case('script', 'script.pt', net, 'torch.jit.script(…).save')
    hf = HuggingFace()
    index, parts = {}, [{}, {}]
    for i, (key, tensor) in enumerate(hf.state_dict().items()):
        part = int(i > 40)
        parts[part][key] = tensor
        index[key] = f'pytorch_model-0000{part + 1}-of-00002.bin'
    for i, part in enumerate(parts):
        torch.save(part, path_of(f'shards-bin/pytorch_model-0000{i + 1}-of-00002.bin'))
    with open(path_of('shards-bin/pytorch_model.bin.index.json'), 'w') as out:
        json.dump({'metadata': {'total_size': 20000}, 'weight_map': index}, out, indent=2)
    case('shards-bin', 'shards-bin/pytorch_model.bin.index.json', hf, 'save_pretrained(…, max_shard_size=…)')


class Phase(enum.Enum):
    TRAIN = 'train'


@dataclasses.dataclass
class Config:
    lr: float = 0.1
    widths: typing.Tuple[int, ...] = (4, 8)


Fields = collections.namedtuple('Fields', 'epoch loss')


def trained(net, make, part=None):
    """An optimizer of the network, or of a part of it, after one step."""
    net = copy.deepcopy(net).train()
    optimizer = make((net.fc if part else net).parameters())
    net(INPUTS['xx']).sum().backward()
    optimizer.step()
    return optimizer


def beside():
    """What training scripts keep beside the state dict."""
    in_main(Phase, Config, Fields)
    net = short()
    state = net.state_dict()
    sgd = trained(net, functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9))
    steps = torch.optim.lr_scheduler.MultiStepLR(sgd, [30, 60, 60])
    args = argparse.Namespace(arch='resnet18', lr=0.1, data=pathlib.PurePosixPath('/data'), gpu=None)
    imagenet = {
        **{'epoch': 7, 'arch': 'resnet18', 'state_dict': add_prefix('module.', state)},
        **{'best_acc1': torch.tensor(71.5), 'optimizer': sgd.state_dict(), 'scheduler': steps.state_dict()},
    }
    pth('beside-imagenet-example', imagenet, net, 'pytorch/examples: SGD, MultiStepLR (a Counter)', ending='pth.tar')
    adam = trained(net, torch.optim.AdamW, part='fc')
    scaler = {'scale': 65536.0, 'growth_factor': 2.0, 'backoff_factor': 0.5, '_growth_tracker': 3}
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 10).state_dict()
    pth(
        'beside-adamw-scaler',
        {'args': args, 'optimizer': adam.state_dict(), 'lr_scheduler': cosine, 'scaler': scaler, 'model': state},
        net,
        'torchvision/references: Namespace, AdamW, GradScaler; the model last',
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
            **{
                'complex': torch.tensor([1 + 2j]),
                'sparse': torch.eye(2).to_sparse(),
                'parameter': nn.Parameter(torch.ones(2)),
            },
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
        {
            **{'config': Config(), 'norm': functools.partial(nn.BatchNorm2d, eps=1e-5), 'init': Config},
            **{'info': Fields(3, 0.1), 'model': state},
        },
        net,
        'a dataclass of the script, its class, a namedtuple, a partial',
    )
    node, meta = fake('omegaconf.nodes.AnyNode'), fake('omegaconf.base.ContainerMetadata')
    config = instance(fake('omegaconf.dictconfig.DictConfig'), _parent=None)
    value = instance(node, _parent=config, _val=0.1)
    config._metadata = instance(meta, ref_type=typing.Any, object_type=dict, flags={}, key=None)
    config._content = {'lr': value, 'again': config}
    pth('beside-omegaconf', {'cfg': config, 'model': state}, net, 'OmegaConf: objects that hold each other')
