"""Narrow networks in the ways that people name and build them, with what PyTorch makes of them in float64.

    python3 test/goldens/oracle.py     (Debian: apt-get install python3-torch)

writes graph/oracle-*.safetensors: the weights under their own names, and beside them `x` and `logits`.
"""

import json
import os
import struct

import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'graph')


def save(name, tensors, metadata, kind='oracle'):
    header, data = {'__metadata__': metadata}, b''
    for key, tensor in tensors.items():
        raw = tensor.detach().to(torch.float32).contiguous().numpy().tobytes()
        header[key] = {
            'dtype': 'F32',
            'shape': list(tensor.shape),
            'data_offsets': [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(os.path.join(HERE, f'{kind}-{name}.safetensors'), 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + data)


class Block(nn.Module):
    """A residual block; `shortcut` is given the block's input."""

    def __init__(self, cin, mid, cout, stride, bottleneck, shortcut, se=0, groups=1):
        super().__init__()
        if bottleneck:
            self.conv1 = nn.Conv2d(cin, mid, 1, bias=False)
            self.conv2 = nn.Conv2d(mid, mid, 3, stride, 1, groups=groups, bias=False)
            self.conv3 = nn.Conv2d(mid, cout, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(cout)
        else:
            self.conv1 = nn.Conv2d(cin, mid, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(mid, cout, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(mid)
        self.bn2 = nn.BatchNorm2d(mid if bottleneck else cout)
        if se:
            self.se = nn.Module()
            self.se.fc1 = nn.Conv2d(cout, se, 1)
            self.se.fc2 = nn.Conv2d(se, cout, 1)
        for key, module in shortcut.items():
            setattr(self, key, module)
        self.path = next(iter(shortcut.values()), None)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if hasattr(self, 'conv3'):
            y = self.bn3(self.conv3(F.relu(y)))
        if hasattr(self, 'se'):
            gate = F.relu(self.se.fc1(y.mean((2, 3), keepdim=True)))
            y = y * torch.sigmoid(self.se.fc2(gate))
        return F.relu(y + (x if self.path is None else self.path(x)))


class PadShortcut(nn.Module):
    """Every other pixel, zeros for the new channels (He et al., option A)."""

    def __init__(self, more):
        super().__init__()
        self.more = more

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))


class ResNet(nn.Module):
    def __init__(self, stem, stages, head):
        super().__init__()
        for key, module in stem.items():
            setattr(self, key, module)
        self.stages = len(stages)
        for s, stage in enumerate(stages):
            setattr(self, f'layer{s + 1}', nn.Sequential(*stage))
        for key, module in head.items():
            setattr(self, key, module)
        self.head = next(iter(head.values()))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if hasattr(self, 'maxpool'):
            x = self.maxpool(x)
        for s in range(self.stages):
            x = getattr(self, f'layer{s + 1}')(x)
        return self.head(x.mean((2, 3)))


def resnet_d():
    """timm's seresnet…d: a deep stem, mean pools before projections, squeeze and excitation."""
    deep = nn.Sequential(
        *[nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU()],
        *[nn.Conv2d(6, 6, 3, 1, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU()],
        nn.Conv2d(6, 10, 3, 1, 1, bias=False),
    )
    stem = {'conv1': deep, 'bn1': nn.BatchNorm2d(10), 'maxpool': nn.MaxPool2d(3, 2, 1)}

    def down(cin, cout, stride):
        pool = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False)
        first = pool if stride > 1 else nn.Identity()
        conv = nn.Conv2d(cin, cout, 1, bias=False)
        return {'downsample': nn.Sequential(first, conv, nn.BatchNorm2d(cout))}

    stages = [
        [Block(10, 8, 24, 1, True, down(10, 24, 1), 4), Block(24, 8, 24, 1, True, {}, 4)],
        [Block(24, 12, 40, 2, True, down(24, 40, 2), 6)],
        [Block(40, 12, 40, 2, True, down(40, 40, 2), 6)],
    ]
    return ResNet(stem, stages, {'fc': nn.Linear(40, 7)}), (1, 3, 43, 57), {}


def resnet_cifar():
    """CIFAR-10's ResNet-20 of akamaster: shortcuts by padding, three stages."""
    stem = {'conv1': nn.Conv2d(3, 8, 3, 1, 1, bias=False), 'bn1': nn.BatchNorm2d(8)}

    def pad(more):
        return {'shortcut': PadShortcut(more)}

    stages = [
        [Block(8, 8, 8, 1, False, {}), Block(8, 8, 8, 1, False, {})],
        [Block(8, 16, 16, 2, False, pad(8)), Block(16, 16, 16, 1, False, {})],
        [Block(16, 32, 32, 2, False, pad(16))],
    ]
    return ResNet(stem, stages, {'linear': nn.Linear(32, 10)}), (1, 3, 32, 32), {}


def resnet_grey():
    """One channel, a 3×3 stem with a max pool, kuangliu's `shortcut`, groups, a head of several layers."""
    stem = {
        'conv1': nn.Conv2d(1, 8, 3, 1, 1, bias=False),
        'bn1': nn.BatchNorm2d(8),
        'maxpool': nn.MaxPool2d(3, 2, 1),
    }

    def down(cin, cout, stride):
        conv = nn.Conv2d(cin, cout, 1, stride, bias=False)
        return {'shortcut': nn.Sequential(conv, nn.BatchNorm2d(cout))}

    stages = [
        [Block(8, 16, 24, 1, True, down(8, 24, 1), groups=4)],
        [Block(24, 16, 48, 2, True, down(24, 48, 2), groups=4)],
    ]
    fc = nn.Sequential(
        *[nn.Dropout(), nn.Linear(48, 20), nn.ReLU(), nn.Dropout()],
        *[nn.Linear(20, 11, bias=False), nn.ReLU(), nn.Linear(11, 1)],
    )
    return ResNet(stem, stages, {'fc': fc}), (1, 1, 40, 33), {'maxPool': True}


class DenseLayer(nn.Module):
    def __init__(self, cin, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(F.relu(self.norm2(y)))], 1)


def densenet():
    """A 3×3 stem without a pool, and the names that torchvision's published files have."""
    growth, c = 6, 12
    layers = {'conv0': nn.Conv2d(3, c, 3, 1, 1, bias=False), 'norm0': nn.BatchNorm2d(c), 'relu0': nn.ReLU()}
    for n, depth in enumerate([2, 3], 1):
        block = nn.Sequential()
        for i in range(1, depth + 1):
            block.add_module(f'denselayer{i}', DenseLayer(c, growth))
            c += growth
        layers[f'denseblock{n}'] = block
        if n == 1:
            transition = nn.Sequential()
            transition.add_module('norm', nn.BatchNorm2d(c))
            transition.add_module('relu', nn.ReLU())
            transition.add_module('conv', nn.Conv2d(c, c // 2, 1, bias=False))
            transition.add_module('pool', nn.AvgPool2d(2, 2))
            layers[f'transition{n}'] = transition
            c //= 2
    layers['norm5'] = nn.BatchNorm2d(c)

    class DenseNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential()
            for key, module in layers.items():
                self.features.add_module(key, module)
            self.classifier = nn.Linear(c, 9)

        def forward(self, x):
            return self.classifier(F.relu(self.features(x)).mean((2, 3)))

    return DenseNet(), (1, 3, 33, 26), {}


def vgg_timm():
    """timm's VGG: the classifier as convolutions, then the mean."""

    class Vgg(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                *[nn.Conv2d(3, 6, 3, 1, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2, 2)],
                *[nn.Conv2d(6, 10, 3, 1, 1), nn.BatchNorm2d(10), nn.ReLU()],
                *[nn.Conv2d(10, 12, 3, 1, 1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2, 2)],
            )
            self.pre_logits = nn.Module()
            self.pre_logits.fc1 = nn.Conv2d(12, 18, 5)
            self.pre_logits.fc2 = nn.Conv2d(18, 14, 1)
            self.head = nn.Module()
            self.head.fc = nn.Linear(14, 8)

        def forward(self, x):
            x = F.relu(self.pre_logits.fc1(self.features(x)))
            return self.head.fc(F.relu(self.pre_logits.fc2(x)).mean((2, 3)))

    return Vgg(), (1, 3, 28, 37), {}


NETWORKS = {
    'resnet-d': resnet_d,
    'resnet-cifar': resnet_cifar,
    'resnet-grey': resnet_grey,
    'densenet': densenet,
    'vgg-timm': vgg_timm,
}


def made(name):
    """The network with its weights, its input, and what the file says of its architecture."""
    torch.manual_seed(len(name))
    net, shape, architecture = NETWORKS[name]()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.2, 0.2)
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    # Weights are what the file has; the arithmetic is double.
    net = net.eval().double()
    return net, torch.rand(shape, dtype=torch.float32).double() * 4 - 2, architecture


def main():
    for name in NETWORKS:
        net, x, architecture = made(name)
        with torch.no_grad():
            logits = net(x)
        state = {k: v for k, v in net.state_dict().items() if not k.endswith('num_batches_tracked')}
        # `path` and `head` are other names of what is there already.
        state = {k: v for k, v in state.items() if '.path.' not in k and not (k.startswith('head.') and name != 'vgg-timm')}
        if name == 'densenet':
            state = {k.replace('.norm1.', '.norm.1.').replace('.norm2.', '.norm.2.').replace('.conv1.', '.conv.1.').replace('.conv2.', '.conv.2.'): v for k, v in state.items()}
        metadata = {'architecture': json.dumps(architecture)} if architecture else {}
        save(name, {**state, 'x': x, 'logits': logits}, metadata)
        print(name, sum(v.numel() for v in state.values()), logits.flatten()[:3].tolist())


if __name__ == '__main__':
    main()
