"""Resize and Upsample by the specification: each axis is a matrix."""

import math

import numpy as np

NEAREST = {
    'round_prefer_floor': lambda x: math.ceil(x - 0.5),
    'round_prefer_ceil': lambda x: math.floor(x + 0.5),
    'floor': math.floor,
    'ceil': math.ceil,
}


def source(i, scale, size, length, mode):
    """Where pixel i of `length` lies among `size`."""
    if mode == 'half_pixel':
        return (i + 0.5) / scale - 0.5
    if mode == 'pytorch_half_pixel':
        return (i + 0.5) / scale - 0.5 if length > 1 else 0
    if mode == 'align_corners':
        return 0 if length == 1 else i * (size - 1) / (length - 1)
    assert mode == 'asymmetric', mode
    return i / scale


def matrix(size, length, scale, mode, coordinates, nearest):
    rows = np.zeros((length, size))
    for i in range(length):
        x = source(i, scale, size, length, coordinates)
        if mode == 'nearest':
            rows[i, min(max(NEAREST[nearest](x), 0), size - 1)] = 1
            continue
        low = math.floor(x)
        for position, weight in ((low, 1 - (x - low)), (low + 1, x - low)):
            rows[i, min(max(position, 0), size - 1)] += weight
    return rows


def scaled(x, lengths, scales, mode, coordinates, nearest):
    for axis, (length, scale) in enumerate(zip(lengths, scales)):
        if length == x.shape[axis] and scale == 1:
            continue
        rows = matrix(x.shape[axis], length, scale, mode, coordinates, nearest).astype(x.dtype)
        x = np.moveaxis(np.tensordot(rows, x, (1, axis)), 0, axis)
    return x


def resize(x, scales, sizes, attributes):
    axes = attributes.get('axes', range(x.ndim))
    whole_scales, lengths = [1.0] * x.ndim, list(x.shape)
    for i, axis in enumerate(axes):
        if sizes is not None and len(sizes):
            lengths[axis] = int(sizes[i])
            whole_scales[axis] = lengths[axis] / x.shape[axis]
        else:
            whole_scales[axis] = float(scales[i])
            lengths[axis] = math.floor(x.shape[axis] * whole_scales[axis])
    mode = attributes.get('mode', b'nearest').decode()
    coordinates = attributes.get('coordinate_transformation_mode', b'half_pixel').decode()
    nearest = attributes.get('nearest_mode', b'round_prefer_floor').decode()
    return scaled(x, lengths, whole_scales, mode, coordinates, nearest)


def upsample(x, scales, mode):
    """Upsample-7 and -9, and Resize-10: asymmetric, the pixel before."""
    lengths = [math.floor(size * scale) for size, scale in zip(x.shape, scales)]
    return scaled(x, lengths, [float(s) for s in scales], mode, 'asymmetric', 'floor')
