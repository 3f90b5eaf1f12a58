"""The networks themselves: classifiers, stems, norms, families."""

import collections
import copy
import functools
import re

import torch
from torch import nn
from torchvision.models import AlexNet, DenseNet, vgg
from torchvision.ops.misc import FrozenBatchNorm2d

from .cases import add_prefix, case, pth, renamed, safetensors
from .networks import (
    WIDTHS,
    MoskomuleBlock,
    Parts,
    SqueezeExciteBlock,
    Stages,
    headless,
    randomise,
    resnet,
    with_head,
    with_stem,
)


def heads_linear():
    """Classifiers of one matrix: any name, in a Sequential, without bias, with weight norm, of 1 class."""
    net = resnet()
    for name in ['classifier', 'my_output']:
        state = renamed(net.state_dict(), (r'^fc', name))
        safetensors(f'head-{name}', state, net, f'self.{name} = nn.Linear(…)')
    net = with_head(resnet(), nn.Sequential(nn.Dropout(0.3), nn.Linear(8, 10)))
    safetensors('head-dropout', net.state_dict(), net, 'fc.1: dropout first')
    net = with_head(resnet(), nn.Linear(8, 10, bias=False))
    safetensors('head-no-bias', net.state_dict(), net, 'nn.Linear(…, bias=False)')
    net = with_head(resnet(), nn.Linear(8, 1))
    safetensors('head-one-class', net.state_dict(), net, 'one logit: BCEWithLogitsLoss')
    net = resnet()
    with torch.no_grad():
        nn.utils.weight_norm(net.fc).weight_g.mul_(1.5)
    wrong = with_head(copy.deepcopy(net), nn.Linear(8, 10))
    wrong.fc.weight.data, wrong.fc.bias.data = net.fc.weight_v.data.clone(), net.fc.bias.data.clone()
    safetensors('head-weight-norm', net.state_dict(), net, 'weight norm: weight_g, weight_v', wrong=wrong)
    new = renamed(
        net.state_dict(),
        ('weight_g', 'parametrizations.weight.original0'),
        ('weight_v', 'parametrizations.weight.original1'),
    )
    safetensors('head-parametrized', new, net, 'weight norm of PyTorch 2', wrong=wrong)


def heads_several():
    """Classifiers of several layers: ReLU, Dropout and BatchNorm1d between."""
    net = with_head(resnet(), nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 10)))
    safetensors('head-mlp', net.state_dict(), net, 'fc.0 and fc.3: Linear, ReLU, Dropout, Linear')
    net = with_head(resnet(), nn.Sequential(nn.Linear(8, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 10)))
    safetensors('head-mlp-norm', net.state_dict(), net, 'Linear, BatchNorm1d, ReLU, Linear')
    net = with_head(resnet(), nn.Sequential(nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 10)))
    safetensors('head-norm-first', net.state_dict(), net, 'BatchNorm1d, Dropout, Linear')
    names = collections.OrderedDict(fc1=nn.Linear(8, 12), act=nn.ReLU(), drop=nn.Dropout(), fc2=nn.Linear(12, 10))
    net = with_head(resnet(), nn.Sequential(names))
    safetensors('head-named-layers', net.state_dict(), net, 'fc.fc1, fc.fc2: an OrderedDict in a Sequential')
    net = with_head(resnet(), nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 10)))
    safetensors('head-layer-norm', net.state_dict(), why='LayerNorm before the Linear', refuses='(?i)layer ?norm')


def heads_and_more():
    """Two heads, none, and tensors beside that no layer needs."""
    net = Parts(backbone=headless(resnet()), fc_age=nn.Linear(8, 5))
    state = {**net.state_dict(), **add_prefix('fc_gender.', nn.Linear(8, 2).state_dict())}
    safetensors('heads-two', state, net, 'multi-task: the first answers, the second is named', warns='fc_gender')
    net = Parts(encoder=headless(resnet()), classifiers=nn.Sequential(nn.Linear(8, 4)))
    state = {**net.state_dict(), **add_prefix('classifiers.1.', nn.Linear(8, 3).state_dict())}
    safetensors('heads-in-list', state, net, 'a ModuleList of classifiers', warns=r'classifiers\.1')
    safetensors('head-none', headless(resnet()).state_dict(), 'headless', 'fc = Identity(): maps and no classes')
    net = resnet()
    more = {'loss.weight': torch.rand(10), 'center_loss.centers': torch.rand(10, 8), 'queue': torch.rand(8, 16)}
    safetensors(
        'more-losses',
        {**net.state_dict(), **more},
        net,
        'loss weights, centres, a queue',
        warns=r'center_loss\.centers',
    )
    more = {'mean': torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), 'std': torch.ones(1, 3, 1, 1)}
    safetensors(
        'more-normalizer',
        {**more, **add_prefix('1.', net.state_dict())},
        net,
        'Sequential(Normalize, net)',
        warns='mean',
    )


def stems():
    """First layers: channels, sizes, widths, pools."""
    for cin in [1, 2, 4, 6]:
        net = resnet(cin=cin)
        safetensors(f'channels-{cin}', net.state_dict(), net, f'{cin} channels', x=f'x{cin}')
    net = with_stem(resnet(), 3, 4, 3, 1, 1)
    safetensors('stem-3x3', net.state_dict(), net, "CIFAR's stem in torchvision's ResNet: no max pool", x='x32')
    pooled = copy.deepcopy(net)
    pooled.maxpool = nn.MaxPool2d(3, 2, 1)
    case(
        'stem-3x3-pool',
        'stem-3x3.safetensors',
        pooled,
        'a max pool, by option',
        x='x32',
        wrong=net,
        options={'maxPool': True},
    )
    net = resnet(stem=8)
    deep = [nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3, 1, 1, bias=False)]
    net.conv1 = nn.Sequential(*deep, nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3, 1, 1, bias=False))
    for s in [1, 2, 3, 4]:
        block = getattr(net, f'layer{s}')[0]
        conv, norm = block.downsample
        pool = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False) if s > 1 else nn.Identity()
        block.downsample = nn.Sequential(pool, nn.Conv2d(conv.in_channels, conv.out_channels, 1, bias=False), norm)
    safetensors('stem-deep', randomise(net).state_dict(), net, "timm's resnet18d: three 3×3, mean pools in shortcuts")
    net = resnet(stem=8)
    safetensors('stem-wider', net.state_dict(), net, 'a stem wider than the first stage')
    net = resnet(widths=(6, 6, 8, 8), stem=4)
    safetensors('stem-narrower', net.state_dict(), net, 'a stem narrower than the first stage')
    net = resnet(widths=(3, 5, 10, 7))
    safetensors('widths-free', net.state_dict(), net, 'widths that do not double')
    net = resnet(widths=(4, 6, 8), depths=(2, 1, 1))
    net.layer4 = nn.Identity()
    safetensors('stages-3', net.state_dict(), net, 'three stages')
    net = resnet(widths=(4, 4, 6, 6, 8), depths=(1,) * 5, dilate=(False,) * 5, cls=Stages)
    safetensors('stages-5', net.state_dict(), net, 'five stages', x='xx')
    net = resnet(depths=(2, 2, 2, 2), widths=(4, 4, 4, 6))
    for s in [1, 2, 3, 4]:
        block = getattr(net, f'layer{s}')[0]
        kept = 2 + s % 2
        block.conv1 = nn.Conv2d(block.conv1.in_channels, kept, 3, block.stride, 1, bias=False)
        block.bn1, block.conv2 = nn.BatchNorm2d(kept), nn.Conv2d(kept, block.conv2.out_channels, 3, 1, 1, bias=False)
    safetensors('widths-pruned', randomise(net).state_dict(), net, 'channels pruned inside blocks')
    for name, block in {'timm': SqueezeExciteBlock, 'moskomule': MoskomuleBlock}.items():
        net = resnet(block=block)
        safetensors(f'se-{name}', net.state_dict(), net, 'squeeze-and-excitation')


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
    safetensors('norm-folded', net.state_dict(), net, 'fuse_conv_bn_eval: convolutions with biases alone')
    net = resnet(norm=functools.partial(nn.BatchNorm2d, affine=False), variance=(2, 6))
    safetensors('norm-not-affine', net.state_dict(), net, 'BatchNorm2d(…, affine=False)')
    net = resnet(norm=FrozenBatchNorm2d)
    for module in net.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.weight.uniform_(0.3, 0.9)
            module.bias.uniform_(-0.3, 0.3)
    safetensors('norm-frozen', net.state_dict(), net, 'FrozenBatchNorm2d of detection: no counters')
    for name, norm in {'group': lambda c: nn.GroupNorm(2, c), 'instance': nn.InstanceNorm2d}.items():
        state = resnet(norm=norm).state_dict()
        message = {'group': r'(?i)group ?norm', 'instance': r'(?i)norm'}[name]
        safetensors(f'norm-{name}', state, why=f'{name} norm has no statistics in the file', refuses=message)
    state = resnet(widths=(4, 6, 8, 10), depths=(2, 1, 1, 1)).state_dict()
    for key in [key for key in state if re.match(r'bn1|layer\d\.0\.downsample\.1', key)]:
        del state[key]
    for s, width in zip([1, 2, 3, 4], [4, 4, 6, 8]):
        norm = randomise(nn.Sequential(nn.BatchNorm2d(width))).state_dict()
        state.update(renamed(norm, (r'^0', f'layer{s}.0.bn1')))
    state = renamed(state, ('downsample', 'shortcut'), ('^fc', 'linear'))
    safetensors('preactivation', state, why='kuangliu: PreActResNet18', x='x32', refuses=r'(?i)pre-?activation')
    state = resnet().state_dict()
    for s, width in zip([1, 2, 3, 4], WIDTHS):
        state[f'layer{s}.0.ca.fc.0.weight'] = torch.rand(2, width, 1, 1)
        state[f'layer{s}.0.ca.fc.2.weight'] = torch.rand(width, 2, 1, 1)
        state[f'layer{s}.0.sa.conv1.weight'] = torch.rand(1, 2, 7, 7)
    safetensors('cbam', state, why='CBAM: attention inside blocks', refuses=r'(?i)cbam|attention|\.(ca|sa)\.')


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
    safetensors('vgg-bn', net.state_dict(), net, 'VGG with batch norm')
    net = vgg_of(True, nn.Linear(8, 10))
    net.avgpool = nn.AdaptiveAvgPool2d((1, 1))
    safetensors('vgg-bn-linear', net.state_dict(), net, "CIFAR's VGG: one Linear behind the mean", x='x32')
    net = AlexNet.__new__(AlexNet)
    nn.Module.__init__(net)
    layers = [
        nn.Conv2d(3, 4, 11, 4, 2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(4, 6, 5, 1, 2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
    ]
    for cin, cout in [(6, 8), (8, 8), (8, 6)]:
        layers += [nn.Conv2d(cin, cout, 3, 1, 1), nn.ReLU()]
    net.features, net.avgpool = nn.Sequential(*layers, nn.MaxPool2d(3, 2)), nn.AdaptiveAvgPool2d((6, 6))
    names = [
        nn.Dropout(),
        nn.Linear(216, 12),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(12, 12),
        nn.ReLU(),
        nn.Linear(12, 10),
    ]
    net.classifier = nn.Sequential(*names)
    safetensors('alexnet', add_prefix('model.', randomise(net).state_dict()), net, 'AlexNet in a wrapper', x='xx')

    def dense(head=None):
        net = DenseNet(4, (2, 1, 1, 1), 8, 2, num_classes=10)
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
    pth(
        'densenet-chexnet',
        state,
        chexnet,
        'CheXNet: old names, a Sigmoid behind, which has no weights',
        ending='pth.tar',
    )
    net = dense(nn.Sequential(nn.Linear(width, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 10)))
    safetensors('densenet-mlp', net.state_dict(), net, 'a classifier of two layers')
    safetensors(
        'densenet-features', dense().features.state_dict(), 'headless', 'model.features alone: conv0, denseblock1 …'
    )
