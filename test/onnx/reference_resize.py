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


def cubic_weights(t, a):
    """Of the four places around; t from the second to the third."""
    return (
        ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a,
        ((a + 2) * t - (a + 3)) * t * t + 1,
        ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1,
        ((a * (2 - t) - 5 * a) * (2 - t) + 8 * a) * (2 - t) - 4 * a,
    )


def matrix(size, length, scale, mode, coordinates, nearest, cubic):
    rows = np.zeros((length, size))
    for i in range(length):
        x = source(i, scale, size, length, coordinates)
        if mode == 'nearest':
            rows[i, min(max(NEAREST[nearest](x), 0), size - 1)] = 1
            continue
        low = math.floor(x)
        if mode == 'cubic':
            coefficient, leaves_out = cubic
            weights = cubic_weights(x - low, coefficient)
            inside = [not leaves_out or 0 <= low - 1 + k < size for k in range(4)]
            total = sum(w for w, counts in zip(weights, inside) if counts)
            for k in range(4):
                if inside[k]:
                    rows[i, min(max(low - 1 + k, 0), size - 1)] += weights[k] / total
            continue
        for position, weight in ((low, 1 - (x - low)), (low + 1, x - low)):
            rows[i, min(max(position, 0), size - 1)] += weight
    return rows


def scaled(x, lengths, scales, mode, coordinates, nearest, cubic=None):
    for axis, (length, scale) in enumerate(zip(lengths, scales)):
        if length == x.shape[axis] and scale == 1:
            continue
        rows = matrix(x.shape[axis], length, scale, mode, coordinates, nearest, cubic).astype(x.dtype)
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
    cubic = attributes.get('cubic_coeff_a', -0.75), attributes.get('exclude_outside', 0)
    return scaled(x, lengths, whole_scales, mode, coordinates, nearest, cubic)


def upsample(x, scales, mode):
    """Upsample-7 and -9, and Resize-10: asymmetric, the pixel before."""
    lengths = [math.floor(size * scale) for size, scale in zip(x.shape, scales)]
    return scaled(x, lengths, [float(s) for s in scales], mode, 'asymmetric', 'floor')
