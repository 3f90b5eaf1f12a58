"""Narrow networks as torchvision, timm, Transformers, fastai and Keras build them, and in parts of one's own."""

import functools

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet as tv


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
            module.weight.data.uniform_(0.3 * scale, 0.9 * scale)
            module.bias.data.uniform_(-0.3, 0.3)
    return net.eval()


# Of four stages. A file of them has 12 KB of weights.
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


def short(classes=10):
    """Two stages, where the rest of a file is what matters."""
    net = resnet((4, 8), (1, 1), classes=classes)
    net.layer3, net.layer4 = nn.Identity(), nn.Identity()
    return net


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

    def __init__(
        self, widths=WIDTHS, stem=4, depth=1, act=nn.ReLU, first=1, bottleneck=False, on_first=False, classes=10
    ):
        super().__init__()
        self.resnet = nn.Module()
        self.resnet.embedder = nn.Module()
        self.resnet.embedder.embedder = HuggingFaceLayer(3, stem, 7, 2, act)
        self.resnet.encoder = nn.Module()
        self.resnet.encoder.stages = nn.ModuleList()
        for s, width in enumerate(widths):
            stage, strides = nn.Module(), [2 if s else first] + [1] * (depth - 1)
            cins = [widths[s - 1] if s else stem] + [width] * (depth - 1)
            blocks = [
                HuggingFaceBlock(cin, width, stride, act, bottleneck, on_first) for cin, stride in zip(cins, strides)
            ]
            stage.layers = nn.Sequential(*blocks)
            self.resnet.encoder.stages.append(stage)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1], classes))
        randomise(self)

    def forward(self, x):
        x = F.max_pool2d(self.resnet.embedder.embedder(x), 3, 2, 1)
        for stage in self.resnet.encoder.stages:
            x = stage.layers(x)
        return self.classifier(x.mean((2, 3)))


class StrideOnFirst(tv.Bottleneck):
    """The bottleneck of v1, which Keras has."""

    def __init__(self, cin, planes, stride=1, *more, **how):
        super().__init__(cin, planes, stride, *more, **how)
        self.conv1.stride, self.conv2.stride = (stride, stride), (1, 1)


def keras_net(eps=1.001e-5):
    net = resnet(
        (2, 2, 3, 4),
        (1, 2, 1, 1),
        StrideOnFirst,
        norm=functools.partial(nn.BatchNorm2d, eps=eps),
        variance=(0.01, 0.05),
    )
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(torch.rand(module.out_channels) * 0.02)
    return net.eval()
