"""What the methods of `fastcam/gradients` give for two networks of oracle.py, by PyTorch's autograd in float64.

    python3 test/goldens/methods.py     (Debian: apt-get install python3-torch)

writes graph/methods-*.safetensors: at the ends of the scales, first to last, for the largest logit of the same input,
`bidicam.signed|average|maximum` and `bidicam.mix` (signed, Grad-CAM mixed in), [H, W]; and at every scale i the
class activation maps `cam.METHOD.i`, range-normalised, [H, W]. Classifiers of both networks have several layers.
"""

import math

import torch
from oracle import made, save
from torch.nn import functional as F

EPS = 1e-7


def grey(net, x):
    """resnet-grey: relu, layer1, layer2."""
    a = F.relu(net.bn1(net.conv1(x)))
    b = net.layer1(net.maxpool(a))
    c = net.layer2(b)
    return [a, b, c], net.head(c.mean((2, 3)))


def vgg(net, x):
    """vgg-timm: the ReLU before each pool, and the last."""
    a = net.features[:3](x)
    b = net.features[3:10](a)
    c = F.relu(net.pre_logits.fc2(F.relu(net.pre_logits.fc1(net.features[10](b)))))
    return [a, b, c], net.head.fc(c.mean((2, 3)))


def smoe(x):
    z = F.relu(x) + EPS
    mean = z.mean(1)
    return mean * (mean.log2() - z.log2().mean(1))


def gaussian(m):
    # The gradient behind a global mean is the same everywhere, but for rounding.
    if m.std() < 1e-12 * m.mean():
        return torch.full_like(m, 0.5)
    return 0.5 * (1 + torch.erf((m - m.mean()) / (m.std() * math.sqrt(2))))


def spread(m):
    return (m - m.min()) / (m.max() - m.min()).clamp(min=1e-9)


def combined(maps, size):
    return sum(F.interpolate(m[:, None], size, mode='bilinear', align_corners=False) for m in maps)[0, 0] / len(maps)


def pooled(g, pooling):
    most = F.max_pool2d(g, 2, 2, ceil_mode=True)
    least = -F.max_pool2d(-g, 2, 2, ceil_mode=True)
    cells = {
        'average': lambda: F.avg_pool2d(g, 2, 2, ceil_mode=True),
        'maximum': lambda: most,
        'signed': lambda: torch.where(most + least >= 0, most, least),
    }[pooling]()
    return F.interpolate(cells, g.shape[2:], mode='nearest')


def bidicam(A, G, size, pooling, mix):
    backward = [gaussian(smoe(pooled(g, pooling))) for g in G]
    if mix:
        for i, (a, g) in enumerate(zip(A, G)):
            r = 1 - math.log2(len(A) - i) / math.log2(len(A))
            cam = gaussian((g.mean((2, 3), keepdim=True) * a).sum(1))
            backward[i] = r * cam + (1 - r) * backward[i]
    return combined([gaussian(smoe(a)) for a in A], size) * spread(combined(backward, size))


def cam(a, g, size, method):
    total = a.sum((2, 3), keepdim=True)
    if method == 'gradcam':
        w = g.mean((2, 3), keepdim=True)
    elif method == 'gradcam++':
        d = 2 * g**2 + total * g**3
        alpha = g**2 / (torch.where(d == 0, torch.ones_like(d), d) + EPS)
        w = (alpha * F.relu(g)).sum((2, 3), keepdim=True)
    elif method == 'xgradcam':
        w = (g * a).sum((2, 3), keepdim=True) / (total + 1e-6)
    else:
        w = F.relu(g) if method == 'layercam' else g
    return spread(combined([F.relu((w * a).sum(1))], size))


for name, forward in {'resnet-grey': grey, 'vgg-timm': vgg}.items():
    net, x, _ = made(name)
    A, logits = forward(net, x)
    assert torch.equal(logits, net(x))
    G = torch.autograd.grad(logits.max(), A)
    size = x.shape[2:]
    maps = {f'bidicam.{p}': bidicam(A, G, size, p, False) for p in ['signed', 'average', 'maximum']}
    maps['bidicam.mix'] = bidicam(A, G, size, 'signed', True)
    for method in ['gradcam', 'gradcam++', 'xgradcam', 'layercam', 'hirescam']:
        for i, (a, g) in enumerate(zip(A, G)):
            maps[f'cam.{method}.{i}'] = cam(a, g, size, method)
    assert not any(m.isnan().any() for m in maps.values())
    save(name, maps, {}, 'methods')
    print(name, [tuple(a.shape[1:]) for a in A], int(logits.argmax()))
