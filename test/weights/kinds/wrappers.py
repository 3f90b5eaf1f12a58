"""What is around a network: dicts, prefixes, wrappers."""

import argparse
import copy

import numpy
import torch
from torch import nn

from .cases import add_prefix, case, pth, renamed, safetensors
from .networks import Parts, fastai, features, headless, randomise, resnet, short, with_head
from .strangers import fake, instance


def dicts():
    """Dicts and lists around the state dict, by the names that scripts have for it."""
    net, other = short(), short()
    state, ema = net.state_dict(), other.state_dict()
    for key in ['net', 'model', 'model_state_dict', 'weights', 'params', 'model_ema', 'ema']:
        pth(f'in-{key}', {'epoch': 3, key: state, 'best': 0.5}, net, f"{{'{key}': model.state_dict()}}")
    arrays = {name: value.numpy() for name, value in state.items()}
    arrays['conv1.weight'] = numpy.asfortranarray(arrays['conv1.weight'])
    pth('in-arrays', arrays, net, 'a dict of NumPy arrays, one of them column-major')
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


def prefixes():
    """Prefixes of wrappers: DataParallel, torch.compile, averages, Lightning, OpenMMLab."""
    net = short()
    state = net.state_dict()
    for prefix, why in {
        'module.': 'DataParallel, DDP',
        '_orig_mod.': 'torch.compile',
        'module._orig_mod.': 'torch.compile inside DDP',
        'model.module.': 'DDP inside Lightning',
        'model.net.backbone.': 'wrappers in wrappers',
    }.items():
        safetensors(f'prefix-{prefix[:-1]}', add_prefix(prefix, state), net, why)
    average = torch.optim.swa_utils.AveragedModel(net)
    average.n_averaged.fill_(12)
    pth('averaged-model', average.state_dict(), net, 'AveragedModel: n_averaged beside module.*', warns='')
    for prefix in ['model.', '_model.', 'net.']:
        lightning = {
            **{'epoch': 4, 'global_step': 500, 'pytorch-lightning_version': '1.9.0'},
            'state_dict': {
                **add_prefix(prefix, state),
                **{
                    'criterion.weight': torch.rand(10),
                    'val_acc.tp': torch.tensor([3]),
                    'val_acc.fp': torch.tensor([1]),
                },
            },
            'loops': {'fit_loop': {'state_dict': {}, 'epoch_progress': {'total': {'ready': 5}}}},
            'callbacks': {"ModelCheckpoint{'monitor': 'val_loss'}": {'best_model_score': torch.tensor(0.3)}},
            **{
                'optimizer_states': [],
                'lr_schedulers': [],
                'hparams_name': 'kwargs',
                'hyper_parameters': {'lr': 0.1},
            },
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


def own():
    """Modules of one's own around a ResNet: parts under any name, numbered children."""
    for body, head in [('backbone', 'head'), ('resnet', 'classifier'), ('encoder', 'fc'), ('base_model', 'linear')]:
        net = Parts(**{body: headless(resnet()), head: nn.Linear(8, 10)})
        safetensors(f'own-{body}-{head}', net.state_dict(), net, f'self.{body}, self.{head}')
    net = Parts(features=features(resnet()), classifier=randomise(nn.Linear(8, 10)))
    safetensors('children-and-classifier', net.state_dict(), net, 'self.features = Sequential(*children[:-2])')
    net = Parts(model=nn.Sequential(*list(resnet().children())[:-1]), flat=nn.Flatten(), fc=nn.Linear(8, 7))
    pth('children-and-fc', {'model': net.state_dict()}, net, 'Sequential(*children[:-1]) and an own fc')
    net = nn.Sequential(*list(resnet().children())[:-1], nn.Flatten(), nn.Linear(8, 10))
    safetensors('children-all', net.state_dict(), net, 'all in one Sequential: 0 … 7 and 10')
    safetensors(
        'children-alone', features(resnet()).state_dict(), 'headless', 'Sequential(*children[:-2]): no classifier'
    )


def with_fastai():
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


def projector():
    return nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4)).state_dict()


def self_supervised():
    """MoCo, BYOL, SimCLR, DINO, SwAV, Barlow Twins: what their repositories save."""
    net, other = short(classes=6), short(classes=6)
    state = {
        **add_prefix('module.encoder_q.', net.state_dict()),
        **add_prefix('module.encoder_k.', other.state_dict()),
        **{'module.queue': torch.rand(6, 32), 'module.queue_ptr': torch.tensor([16])},
    }
    moco = {'epoch': 200, 'arch': 'resnet50', 'state_dict': state, 'optimizer': {'state': {}, 'param_groups': []}}
    pth('moco', moco, net, 'MoCo: the query encoder, not the key encoder', wrong=other, warns='encoder_k[^]*queue')
    online, target = Parts(encoder=features(short())), Parts(encoder=features(short()))
    projection = add_prefix('projetion.net.', projector())
    byol = {
        'online_network_state_dict': {**online.state_dict(), **projection},
        'target_network_state_dict': {**target.state_dict(), **projection},
        'optimizer_state_dict': {'state': {}, 'param_groups': []},
    }
    pth('byol', byol, None, 'sthalles/PyTorch-BYOL: an online network and its mean', warns='')
    net = Parts(backbone=with_head(short(), nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 6))))
    simclr = {'epoch': 100, 'arch': 'resnet18', 'state_dict': net.state_dict(), 'optimizer': {}}
    pth('simclr', simclr, net, 'sthalles/SimCLR: backbone.fc.0, backbone.fc.2', ending='pth.tar')
    student, teacher = headless(short()), headless(short())
    mlp = Parts(mlp=nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 4)))
    mlp.last_layer = nn.utils.weight_norm(nn.Linear(4, 12, bias=False))
    head = add_prefix('head.', mlp.state_dict())
    dino = {
        'student': add_prefix('module.', {**add_prefix('backbone.', student.state_dict()), **head}),
        'teacher': {**add_prefix('backbone.', teacher.state_dict()), **head},
        **{'epoch': 100, 'args': argparse.Namespace(arch='resnet50'), 'dino_loss': {'center': torch.zeros(1, 12)}},
    }
    pth(
        'dino',
        dino,
        None,
        'DINO: a student, a teacher, their heads',
        options={'stateDict': 'teacher'},
        warns=r'head\.\*',
    )
    swav = {
        **headless(short()).state_dict(),
        **add_prefix('projection_head.', projector()),
        'prototypes.weight': torch.rand(12, 4),
    }
    pth(
        'swav',
        add_prefix('module.', swav),
        None,
        'SwAV: a projection head and prototypes',
        warns=r'prototypes\.weight',
    )
    pth('barlow-twins', headless(resnet()).state_dict(), 'headless', 'Barlow Twins, VICReg, DINO: the backbone alone')
