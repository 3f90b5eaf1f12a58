"""Files that look like others: each was once read as another network, or refused as one that it is not."""

import copy

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import DenseNet, vgg

from .cases import add_prefix, case, path_of, pth, renamed, repository, safetensors, without_debugging, write_safetensors
from .formats import keras_layer, keras_tensors
from .networks import (
    ConcatPool,
    HuggingFace,
    Parts,
    activated,
    headless,
    keras_net,
    randomise,
    resnet,
    short,
    with_head,
)


class OwnResNet(nn.Module):
    """A class of one's own: a max pool of another name, or as a function."""

    def __init__(self, pool):
        super().__init__()
        net = short()
        self.conv1, self.bn1, self.relu = net.conv1, net.bn1, net.relu
        self.pooled = pool
        if pool is not None:
            setattr(self, pool, nn.MaxPool2d(3, 2, 1))
        self.layer1, self.layer2, self.fc = net.layer1, net.layer2, net.fc

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = getattr(self, self.pooled)(x) if self.pooled else F.max_pool2d(x, 3, 2, 1)
        return self.fc(self.layer2(self.layer1(x)).mean((2, 3)))


class PooledHuggingFace(HuggingFace):
    """Its pool is a module of the embedder, as Transformers has it."""

    def __init__(self):
        super().__init__((4, 8))
        self.resnet.embedder.pooler = nn.MaxPool2d(3, 2, 1)


def narrow_vgg():
    net = vgg.VGG.__new__(vgg.VGG)
    nn.Module.__init__(net)
    net.features = vgg.make_layers([4, 'M', 6, 'M', 8, 'M'])
    net.avgpool, net.classifier = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(8, 10)
    return randomise(net)


def modules():
    """Whole modules, which tell what their weights do not."""
    for name, pool in {'own-pool': 'max_pool', 'functional-pool': None}.items():
        net = OwnResNet(pool).eval()
        pth(f'module-{name}', net, net, 'a max pool that is not called maxpool')
    net = PooledHuggingFace()
    pth('module-hf', net, net, "torch.save of Transformers' ResNet")
    net = short()
    net.maxpool = nn.AvgPool2d(3, 2, 1)
    pth('module-mean-for-max', net, why='a mean pool in place of the max pool', refuses='mean pool')
    net = short()
    net.avgpool = nn.AdaptiveMaxPool2d(1)
    pth('module-largest', net, why='the largest value in place of the mean', refuses='AdaptiveMaxPool2d')
    between = {
        'tanh': nn.Tanh(),
        'leaky': nn.LeakyReLU(0.2),
        'sigmoid': nn.Sigmoid(),
        'nothing': nn.Dropout(),
    }
    for name, module in between.items():
        net = with_head(short(), nn.Sequential(nn.Linear(8, 12), module, nn.Linear(12, 10)))
        pth(f'module-head-{name}', net, net, f'{type(module).__name__} between the layers of the classifier')
    net = with_head(short(), nn.Sequential(nn.LayerNorm(8, elementwise_affine=False), nn.Linear(8, 10)))
    pth('module-layer-norm', net, why='a LayerNorm without tensors', refuses='LayerNorm')
    net = short()
    net.bn1 = nn.InstanceNorm2d(4)
    pth('module-instance', net, why='an InstanceNorm without tensors', refuses='InstanceNorm2d')
    net = activated(short(), lambda: nn.Hardtanh(0, 1))
    pth('module-hardtanh', net, why='an activation that is not computed', refuses='Hardtanh')
    net = narrow_vgg()
    net.features[2] = nn.Dropout2d()
    pth('module-vgg-dropout', net, net, 'a dropout where the numbers have place for a pool')
    net = narrow_vgg()
    net.features = net.features[:-1]
    pth('module-vgg-last', net, net, 'features[:-1]: no pool behind the last convolution')
    net = narrow_vgg()
    net.features[2] = nn.AvgPool2d(2, 2)
    pth('module-vgg-mean', net, why='mean pools, as for style transfer', refuses='mean pool')
    for name, make in {'elu': lambda: nn.ELU(0.7), 'relu6': nn.ReLU6}.items():
        net = activated(short(), make).eval()
        file = f'script-{name}.pt'
        torch.jit.script(net).save(path_of(file))
        without_debugging(path_of(file))
        case(f'script-{name}', file, net, 'torch.jit.script: the parameter of an activation')


def children():
    """Networks in a Sequential, and parts of them in a DataParallel."""
    net = resnet()
    parts = [net.conv1, net.bn1, net.relu, net.layer1, net.layer2, net.layer3, net.layer4]
    net = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), net.fc)
    safetensors('children-without-pool', net.state_dict(), net, 'no place for a max pool: 0, 1, 2, then stages')
    net = randomise(DenseNet(growth_rate=4, block_config=(2, 2), num_init_features=8, num_classes=10))
    channels = net.classifier.in_features
    head = [ConcatPool(), nn.Flatten(), nn.BatchNorm1d(2 * channels), nn.Dropout(), nn.Linear(2 * channels, 10)]
    net = nn.Sequential(nn.Sequential(net.features), randomise(nn.Sequential(*head)))
    safetensors('fastai-densenet', net.state_dict(), net, 'fastai: no ReLU behind norm5, which is in forward')
    net = narrow_vgg()
    state = renamed(net.state_dict(), (r'^features\.', 'features.module.'))
    pth('vgg-example', {'arch': 'vgg11', 'state_dict': state}, net, 'pytorch/examples: DataParallel(model.features)')
    net = short()
    state = {**add_prefix('1.', net.state_dict()), '0.weight': torch.rand(3, 1, 1, 1), '0.bias': torch.rand(3)}
    safetensors('children-before', state, why='Sequential(Conv2d(1, 3, 1), net)', refuses='before the network')
    net = short()
    parts = [net.conv1, net.bn1, net.relu, net.maxpool, net.layer1, net.layer2, nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    net = nn.Sequential(*parts, *randomise(nn.Sequential(nn.Linear(8, 12), nn.BatchNorm1d(12), nn.Linear(12, 10))))
    safetensors('children-and-layers', net.state_dict(), net, 'three layers behind, and no ReLU between them')
    net = activated(nn.Sequential(*parts), nn.SiLU)
    net = nn.Sequential(*net, *randomise(nn.Sequential(nn.Linear(8, 12), nn.Tanh(), nn.Linear(12, 10))))
    pth('module-children', net, net, 'SiLU in the network, Tanh in the classifier', warns='several kinds: silu, tanh')


def heads_told_apart():
    """Classifiers in parts that only names, sizes and the order of a file put in order."""
    parts = {'fc1': nn.Linear(8, 12), 'bn1': nn.BatchNorm1d(12), 'act': nn.ReLU(), 'fc2': nn.Linear(12, 10)}
    net = Parts(backbone=headless(short()), **randomise(nn.ModuleDict(parts)))
    pth('head-fc1-bn1-fc2', net.state_dict(), net, 'self.fc1, self.bn1, self.fc2')
    state = {key: tensor for key, tensor in sorted(net.state_dict().items())}
    safetensors('head-fc1-bn1-fc2-sorted', state, net, 'the same, its names in order')
    net = Parts(
        backbone=headless(short()), fc=nn.Linear(8, 12), act=nn.ReLU(), classifier=nn.Linear(12, 10)
    )
    state = {key: tensor for key, tensor in sorted(net.state_dict().items())}
    safetensors('head-classifier-first', state, net, 'names in order: classifier before fc')
    parts = {'fc1': nn.Linear(8, 8), 'bn': nn.BatchNorm1d(8), 'act': nn.ReLU(), 'fc2': nn.Linear(8, 10)}
    net = Parts(backbone=headless(short()), **randomise(nn.ModuleDict(parts)))
    pth('head-same-width', net.state_dict(), net, 'sizes do not tell where bn stands, the order of the file does')
    state = {key: tensor for key, tensor in sorted(net.state_dict().items())}
    safetensors('head-no-order', state, why='and nothing does', refuses='the norm bn stands is not told')
    for name in ['predictor', 'last_layer']:
        net = Parts(backbone=headless(short()), **{name: nn.Linear(8, 10)})
        safetensors(f'head-{name}', net.state_dict(), net, f'a classifier called {name}')
    state = Parts(backbone=headless(short()), norm=nn.LayerNorm(8), fc=nn.Linear(8, 10)).state_dict()
    safetensors('head-norm-beside', state, why='self.norm = nn.LayerNorm(…)', refuses='norm is a LayerNorm')
    state = {**short().state_dict(), 'avgpool.p': torch.full((1,), 3.0)}
    safetensors('head-gem', state, why='GeM in place of the mean', refuses=r'generalised mean \(GeM\)')
    net = short()
    nn.utils.spectral_norm(net.fc)
    safetensors('head-spectral', net.state_dict(), why='spectral_norm(net.fc)', refuses='spectral norm')
    net = short()
    nn.utils.weight_norm(net.layer1[0].conv1, dim=1)
    state = net.state_dict()
    safetensors('norm-of-inputs', state, why='weight_norm(…, dim=1)', refuses='a value for each of 4 outputs')
    net = short()
    state = {**headless(copy.deepcopy(net)).state_dict(), 'fc.weight': torch.rand(10, 16), 'fc.bias': torch.rand(10)}
    safetensors('head-two-pools', state, why='torch.cat of two pools, in an order of its own', warns='largest values')
    net = short()
    net.fc = nn.Identity()
    state = {**net.state_dict(), 'arcface.weight': torch.rand(10, 8)}
    safetensors('head-arcface', state, why='ArcFace: cosines', warns='arcface is taken for a linear classifier')


def strangers_beside():
    """Other networks in the same file."""
    mlp = [nn.Linear(8, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 5), nn.BatchNorm1d(5, affine=False)]
    query, key = (with_head(short(), nn.Sequential(*copy.deepcopy(mlp))) for _ in range(2))
    state = {
        **add_prefix('module.base_encoder.', query.state_dict()),
        **add_prefix('module.momentum_encoder.', key.state_dict()),
    }
    pth('moco-3', {'state_dict': state}, query, 'MoCo v3: a norm of the other encoder fits', warns='momentum_encoder')
    net = short()
    state = {**net.state_dict(), **add_prefix('teacher.', short().state_dict())}
    safetensors('with-teacher', state, net, 'self.teacher in the network itself', warns=r'teacher\.\*')
    state = {
        **add_prefix('backbone.body.', headless(short()).state_dict()),
        'backbone.fpn.inner_blocks.0.0.weight': torch.rand(6, 8, 1, 1),
        'backbone.fpn.layer_blocks.0.0.weight': torch.rand(6, 6, 3, 3),
        'rpn.head.conv.0.0.weight': torch.rand(6, 6, 3, 3),
        'rpn.head.cls_logits.weight': torch.rand(3, 6, 1, 1),
    }
    pth('detector', state, 'headless', "torchvision's detectors: a pyramid is no classifier", warns=r'backbone\.fpn')
    state = resnet((8, 10, 12), (1, 1, 1)).state_dict()
    state = {key: tensor for key, tensor in state.items() if 'downsample.1' not in key and 'layer4' not in key}
    for s, width in zip([1, 2, 3], [4, 8, 10]):
        norm = nn.BatchNorm2d(width).state_dict()
        state.update(add_prefix(f'layer{s}.0.bn1.', norm))
    state.update(add_prefix('bn1.', nn.BatchNorm2d(12).state_dict()))
    safetensors('preactivation-wide', state, why='meliketoy: wide ResNets', refuses='pre-activations')
    net = resnet()
    net.conv1, net.bn1 = nn.utils.fusion.fuse_conv_bn_eval(net.conv1, net.bn1), nn.Identity()
    safetensors('norm-folded-once', net.state_dict(), net, 'the first batch norm folded, no other')
    net = keras_net()
    head = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.BatchNorm1d(12, eps=1e-3), nn.Linear(12, 10))
    with_head(net, head)
    head[2].running_var.mul_(0.01)
    names = {
        **{f'dense/{key}': getattr(head[0], name) for key, name in [('kernel', 'weight'), ('bias', 'bias')]},
        **{f'dense_1/{key}': getattr(head[3], name) for key, name in [('kernel', 'weight'), ('bias', 'bias')]},
    }
    names = {key: tensor.t() if 'kernel' in key else tensor for key, tensor in names.items()}
    norms = {'gamma': 'weight', 'beta': 'bias', 'moving_mean': 'running_mean', 'moving_variance': 'running_var'}
    names.update({f'batch_normalization/{key}': getattr(head[2], name) for key, name in norms.items()})
    body = copy.deepcopy(net)
    body.fc = nn.Linear(16, 10)
    tensors = {k: v for k, v in keras_tensors(body, keras_layer, ['no']).items() if not k.startswith('no/')}
    safetensors(
        'keras-dense-norm', {**tensors, **names}, net, "Dense(relu), BatchNormalization with Keras' own eps, Dense"
    )


def said_by_scripts():
    """What scripts write beside weights in the words of others."""
    net = short()
    state = net.state_dict()
    config = {'model_type': 'resnet18', 'lr': 0.1}
    repository('config-of-a-script', state, net, 'model_type in the words of a script', config)
    pth('config-in-a-script', {'config': config, 'state_dict': state}, net, 'the same inside the checkpoint')
    half = [0.5, 0.5, 0.5]
    flat = {'architecture': 'resnet18', 'mean': half, 'std': half, 'input_size': [3, 96, 96], 'crop_pct': 0.9}
    expected = {'mean': half, 'std': half, 'size': 96, 'cropRatio': 0.9}
    repository('timm-flat', state, net, 'timm of before 0.6', flat, preprocessing=expected)
    largest = {'architecture': 'resnet18', 'model_args': {'global_pool': 'max'}}
    repository('timm-largest', state, why='global_pool of timm', config=largest, refuses='global_pool is "max"')
    said = {'image_mean': 0.5, 'image_std': half, 'size': {'shortest_edge': 96}, 'do_center_crop': False}
    processor = {'preprocessor_config.json': {**said, 'crop_size': 64}}
    expected = {'mean': half, 'std': half, 'size': 96}
    why = 'one mean for all channels, and no crop'
    resnet_config = {'model_type': 'resnet', 'hidden_act': 'relu'}
    body = HuggingFace((4, 8))
    repository('processor', body.state_dict(), body, why, resnet_config, processor, preprocessing=expected)
    write_safetensors(path_of('processor-alone/model.safetensors'), state)
    with open(path_of('processor-alone/preprocessor_config.json'), 'w') as out:
        out.write('{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "size": 96}\n')
    file = 'processor-alone/model.safetensors'
    case('processor-alone', file, net, 'without config.json', preprocessing=expected)
    for name in ['blur-detection', 'resnet18_clip_grad', 'mobilenet_teacher']:
        pth(f'run-{name}', {'model_name': name, 'state_dict': state}, net, 'the name of a run is no architecture')
    one = short(classes=1)
    beside = {'state_dict': one.state_dict(), 'class_to_idx': {'cat': 0, 'dog': 1}}
    pth('labels-of-one-logit', beside, one, 'two classes, one logit: of the second', labels=['dog'])
    beside = {'state_dict': state, 'classes': list('abcd')}
    pth('labels-of-others', beside, net, 'as many names as some layer has channels', warns='4 class names')
    state = {**state, 'conv1.activation_post_process.eps': torch.ones(1)}
    del state['bn1.weight']
    safetensors('prepared', state, why='prepare_qat_fx: norms have other names', refuses='quantisation-aware')
