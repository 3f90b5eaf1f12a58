"""PyTorch's formats of before 1.6."""

import builtins
import dataclasses
import io
import pickle
import struct
import tarfile
import types

import torch
from torch.nn import functional as F

from .cases import pth


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
