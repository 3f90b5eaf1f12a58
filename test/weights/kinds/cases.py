"""Writing files, and what each of them should give."""

import copy
import json
import os
import re
import struct
import zlib
import zipfile

import torch

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

CASES = {}

SHAPES = {
    **{'x': (1, 3, 48, 48), 'xx': (2, 3, 64, 64), 'x32': (1, 3, 32, 32)},
    **{f'x{c}': (1, c, 40, 40) for c in [1, 2, 4, 6]},
}


torch.manual_seed(0)
INPUTS = {name: torch.randn(shape) for name, shape in SHAPES.items()}


def path_of(file):
    path = os.path.join(HERE, 'files', file)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def logits_of(net, x):
    with torch.no_grad():
        return copy.deepcopy(net).eval().double()(INPUTS[x].double())


def case(name, file, net=None, why='', x='x', should=None, wrong=None, options=None, warns=None, **more):
    """Says what a file should give.

    net: computes the logits; None where nothing is said of them, 'headless' where there are no classes.
    wrong: what a careless reader takes the file for; it has to be far off. warns: a regex; None where there
    is nothing to warn of. more: refuses, labels, preprocessing.
    """
    logits = torch.empty(0) if net == 'headless' else None
    if isinstance(net, torch.nn.Module):
        logits = logits_of(net, x)
        assert torch.isfinite(logits).all() and logits.abs().max() < 16, (name, logits)
        assert logits.numel() < 3 or logits.std() > 0.05, (name, logits)
    if wrong is not None:
        off = (logits_of(wrong, x) - logits).abs().max().item()
        assert off >= 1e-3, f'{name}: the wrong reading is off by {off} only'
    default = 'refused' if 'refuses' in more else 'right' if isinstance(net, torch.nn.Module) else 'maps'
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


def without_debugging(path):
    """Takes out where in which source each line of the code was, which has the paths of whoever saved it."""
    with zipfile.ZipFile(path) as old:
        entries = [(entry, old.read(entry)) for entry in old.infolist() if not entry.filename.endswith('.debug_pkl')]
    with zipfile.ZipFile(path, 'w') as new:
        for entry, data in entries:
            new.writestr(entry, data)
