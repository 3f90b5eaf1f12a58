"""Convolution and pools by the specification, window by window."""

import math

import numpy as np


def geometry(size, kernel, attributes):
    """For each spatial axis: how many windows, the padding before and after, stride, dilation."""
    rank = len(kernel)
    strides = attributes.get('strides', [1] * rank)
    dilations = attributes.get('dilations', [1] * rank)
    pads = attributes.get('pads', [0] * 2 * rank)
    auto = attributes.get('auto_pad', b'NOTSET').decode()
    axes = []
    for i in range(rank):
        extent = (kernel[i] - 1) * dilations[i] + 1
        before, after = pads[i], pads[i + rank]
        if auto.startswith('SAME'):
            count = math.ceil(size[i] / strides[i])
            total = max((count - 1) * strides[i] + extent - size[i], 0)
            small, large = total // 2, total - total // 2
            before, after = (small, large) if auto == 'SAME_UPPER' else (large, small)
        elif auto == 'VALID':
            before = after = 0
        room = size[i] + before + after - extent
        if attributes.get('ceil_mode', 0) and not auto.startswith('SAME'):
            count = math.ceil(room / strides[i]) + 1
            # A window that would begin in the padding behind is left out.
            if (count - 1) * strides[i] >= size[i] + before:
                count -= 1
        else:
            count = room // strides[i] + 1
        axes.append((count, before, after, strides[i], dilations[i]))
    return axes


def windows(x, kernel, axes, outside):
    """[N, C, oh, ow, kh, kw] of a picture with something else around it."""
    (oh, top, bottom, sy, dy), (ow, left, right, sx, dx) = axes
    # Room for windows that ceil_mode lets reach beyond the padding.
    extra_y = max(0, (oh - 1) * sy + (kernel[0] - 1) * dy + 1 - (x.shape[2] + top + bottom))
    extra_x = max(0, (ow - 1) * sx + (kernel[1] - 1) * dx + 1 - (x.shape[3] + left + right))
    around = ((0, 0), (0, 0), (top, bottom + extra_y), (left, right + extra_x))
    padded = np.pad(x, around, constant_values=outside)
    out = np.empty(x.shape[:2] + (oh, ow) + tuple(kernel), x.dtype)
    for i in range(oh):
        for j in range(ow):
            rows = [i * sy + k * dy for k in range(kernel[0])]
            columns = [j * sx + k * dx for k in range(kernel[1])]
            out[:, :, i, j] = padded[:, :, rows][:, :, :, columns]
    return out


def conv(x, weight, bias, attributes):
    groups = attributes.get('group', 1)
    kernel = attributes.get('kernel_shape', weight.shape[2:])
    axes = geometry(x.shape[2:], kernel, attributes)
    columns = windows(x, kernel, axes, 0)
    per_in, per_out = x.shape[1] // groups, weight.shape[0] // groups
    parts = []
    for g in range(groups):
        part = columns[:, g * per_in : (g + 1) * per_in]
        filters = weight[g * per_out : (g + 1) * per_out]
        parts.append(np.einsum('ncijkl,ockl->noij', part, filters))
    y = np.concatenate(parts, 1)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def max_pool(x, attributes):
    kernel = attributes['kernel_shape']
    return windows(x, kernel, geometry(x.shape[2:], kernel, attributes), -np.inf).max((4, 5))


def average_pool(x, attributes):
    """With count_include_pad the padding counts, but not what ceil_mode reaches beyond it."""
    kernel = attributes['kernel_shape']
    axes = geometry(x.shape[2:], kernel, attributes)
    total = windows(x, kernel, axes, 0).sum((4, 5))
    ones = np.ones((1, 1) + x.shape[2:], x.dtype)
    if attributes.get('count_include_pad', 0):
        pads = [(0, 0), (0, 0)] + [(before, after) for _, before, after, _, _ in axes]
        ones = np.pad(ones, pads, constant_values=1)
        axes = [(count, 0, 0, stride, dilation) for count, _, _, stride, dilation in axes]
    return total / windows(ones, kernel, axes, 0).sum((4, 5))
