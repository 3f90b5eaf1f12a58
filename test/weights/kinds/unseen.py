"""What weights do not show: eps, activations, dilations, strides, blur pools."""

import copy
import functools

import torch
from torch import nn
from torchvision.models import resnet as tv

from .cases import pth, repository, safetensors
from .networks import WIDTHS, HuggingFace, activated, resnet, short


def eps():
    """An eps of batch norm other than 1e-5: by option, by a whole module, by a program."""
    net = resnet(norm=functools.partial(nn.BatchNorm2d, eps=1e-3), variance=(0.01, 0.05))
    plain = copy.deepcopy(net)
    for module in plain.modules():
        module.eps = 1e-5
    options = {'batchNormEps': 1e-3}
    safetensors('eps-option', net.state_dict(), net, 'TensorFlow’s eps, by option', wrong=plain, options=options)
    pth('eps-module', net, net, 'a whole module knows its eps', wrong=plain)
    safetensors('eps-plain', plain.state_dict(), plain, 'the same weights, PyTorch’s eps', wrong=net)
    config = {'architectures': ['ResNetForImageClassification'], 'model_type': 'resnet', 'batch_norm_eps': 1e-3}
    repository('eps-config', net.state_dict(), net, 'batch_norm_eps of config.json', config, wrong=plain)


def activations():
    """LeakyReLU and SiLU in place of ReLU: by option, by a whole module."""
    plain = resnet()
    for name, make in {
        'leaky_relu': functools.partial(nn.LeakyReLU, 0.01),
        'silu': nn.SiLU,
    }.items():
        net = activated(copy.deepcopy(plain), make)
        options = {'activationFunction': name}
        safetensors(f'act-{name}', net.state_dict(), net, f'{name}, by option', wrong=plain, options=options)
    steep = activated(copy.deepcopy(plain), functools.partial(nn.LeakyReLU, 0.2, inplace=True))
    pth('act-module-leaky', steep, steep, 'a whole module: LeakyReLU(0.2)', wrong=plain)
    pth('act-module-silu', net, net, 'a whole module: SiLU', wrong=plain)


def dilation():
    """replace_stride_with_dilation of torchvision: by option, by a whole module, by timm's output_stride."""
    net = resnet((2, 2, 3, 4), (1, 1, 2, 1), tv.Bottleneck, dilate=(False, False, True, True))
    plain = resnet((2, 2, 3, 4), (1, 1, 2, 1), tv.Bottleneck)
    plain.load_state_dict(net.state_dict())
    options = {'dilations': [1, 1, 2, 4]}
    safetensors('dilated-option', net.state_dict(), net, 'as for segmentation', x='xx', wrong=plain, options=options)
    pth('dilated-module', net, net, 'a whole module knows its dilations', x='xx', wrong=plain)
    net = resnet((2, 2, 3, 4), (1, 1, 1, 2), tv.Bottleneck, dilate=(False, False, False, True))
    plain = resnet((2, 2, 3, 4), (1, 1, 1, 2), tv.Bottleneck)
    plain.load_state_dict(net.state_dict())
    config = timm_config('resnet26', output_stride=16)
    repository('dilated-timm', net.state_dict(), net, 'output_stride of timm', config, x='xx', wrong=plain)


def huggingface():
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
            **{
                'hidden_sizes': list(widths),
                'depths': [1, 1, 1, 1],
                'layer_type': 'bottleneck',
                'hidden_act': 'relu',
            },
            **{'downsample_in_first_stage': False, 'num_channels': 3, **said},
            **{'id2label': {str(i): label for i, label in enumerate(names)}, 'torch_dtype': 'float32'},
        }
        files = {'preprocessor_config.json': processor}
        same = name in ['hf-basic', 'hf-bottleneck']
        wrong = None if same else plain
        repository(
            name,
            net.state_dict(),
            net,
            'Transformers',
            config,
            files,
            wrong=wrong,
            labels=names,
            preprocessing=trained_for(0.875),
        )


def trained_for(crop):
    half = [0.5, 0.5, 0.5]
    return {'size': 64, 'mean': half, 'std': half, 'interpolation': 'bicubic', 'cropRatio': crop}


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


def timm():
    """timm: model_args of config.json, and networks of blur pools, which only their name tells."""
    labels = [f'label {i}' for i in range(10)]
    net = resnet()
    repository(
        'timm',
        net.state_dict(),
        net,
        'timm',
        timm_config('resnet18', labels),
        **{'labels': labels, 'preprocessing': trained_for(0.95)},
    )
    net = activated(resnet(), nn.SiLU)
    plain = copy.deepcopy(net)
    for module in list(plain.modules()):
        module._modules.update({k: nn.ReLU() for k, m in module._modules.items() if isinstance(m, nn.SiLU)})
    config = timm_config('resnet18', act_layer='silu')
    repository('timm-act', net.state_dict(), net, 'act_layer of timm', config, wrong=plain)
    told = {'architecture': 'files/timm-act/config.json'}
    safetensors('timm-act-told', net.state_dict(), net, 'the same, its config by option', wrong=plain, options=told)
    state = resnet().state_dict()
    refuses = r'(?i)blur|anti-?alias|aa_layer'
    repository('blur-config', state, None, 'architecture of timm', timm_config('resnetblur18'), refuses=refuses)
    config = timm_config('resnet18', aa_layer='blurpool')
    repository('blur-model-args', state, None, 'aa_layer of timm', config, refuses=refuses)
    safetensors('blur-option', state, None, 'by option', options={'architecture': 'resnetblur18'}, refuses=refuses)
    state = short().state_dict()
    saved = {'arch': 'resnetblur18', 'epoch': 1, 'state_dict': state}
    pth('blur-arch', saved, None, "arch of timm's train.py", refuses=refuses)
    filters = {'layer2.0.aa.filt': torch.rand(8, 1, 3, 3)}
    pth(
        'blur-filters',
        {**state, **filters},
        None,
        'timm of before 0.5: the filters',
        refuses='blur pool',
    )
