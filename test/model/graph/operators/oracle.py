"""Writes oracle.json: what PyTorch, NumPy and ONNX's own definition of Resize make of small arrays.

    python3 test/model/graph/operators/oracle.py

Made with torch 1.13, numpy 1.24 and onnx 1.12, in float64. Arrays are NHWC, flat.
"""

import itertools
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from onnx.backend.test.case.node.resize import (
    interpolate_nd,
    linear_coeffs,
    nearest_coeffs,
)

COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
NEAREST = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]


def picture(N, H, W, C):
    """NCHW, whole numbers, which are short."""
    values = np.random.RandomState(H * 31 + W * 7 + C).randint(-9, 10, (N, C, H, W))
    return torch.from_numpy(values.astype(np.float64))


def flat(nchw):
    values = np.asarray(nchw).transpose(0, 2, 3, 1).ravel()
    # As many digits as float32 has.
    return [int(v) if v == int(v) else float(f"{v:.9g}") for v in map(float, values)]


def resizes():
    kinds = [(["linear"], linear_coeffs)]
    kinds += [(["nearest", mode], lambda t, m=mode: nearest_coeffs(t, m)) for mode in NEAREST]
    # Extents, and scales where the network gives those.
    sizes = [((3, 4), (6, 8), None), ((5, 6), (3, 2), None), ((4, 3), (9, 1), None),
             ((4, 5), (7, 3), (1.8, 0.7)), ((2, 1), (5, 3), (2.6, 3.1))]
    for (mode, coefficients), coordinates, (size, to, scales) in itertools.product(
            kinds, COORDINATES, sizes):
        x = picture(1, *size, 1)
        # Here this code differs from the text of the standard: its extents are no whole numbers, and
        # an output of one pixel is at -0.5 where the text (and onnxruntime) has 0.
        if coordinates in ("align_corners", "pytorch_half_pixel") and scales:
            continue
        if coordinates == "pytorch_half_pixel" and 1 in to:
            continue
        given = {"scale_factors": [1, 1, *scales]} if scales else {"output_size": [1, 1, *to]}
        out = interpolate_nd(x.numpy(), coefficients, **given,
                             coordinate_transformation_mode=coordinates)
        yield {"mode": mode, "coordinates": coordinates, "size": size, "to": to,
               "scales": scales, "x": flat(x), "out": flat(out)}


def norms():
    for H, W, C, groups in [(2, 3, 6, 1), (3, 2, 6, 2), (1, 4, 4, 4), (2, 2, 8, 2)]:
        x = picture(2, H, W, C)
        yield {"shape": [H, W, C], "groups": groups, "eps": 1e-3, "x": flat(x),
               "out": flat(F.group_norm(x, groups, eps=1e-3)),
               "column": flat(F.layer_norm(x.permute(0, 2, 3, 1), [C], eps=1e-3).permute(0, 3, 1, 2))}


def lrns():
    for C, size in [(5, 3), (8, 5), (3, 1)]:
        x = picture(2, 2, 3, C)
        yield {"shape": [2, 3, C], "size": size, "x": flat(x),
               "out": flat(F.local_response_norm(x, size, alpha=0.5, beta=0.75, k=2.0))}


def softmaxes():
    for H, W, C in [(2, 3, 5), (1, 1, 7), (3, 3, 1)]:
        x = picture(2, H, W, C)
        pixels = x.flatten(2)
        yield {"shape": [H, W, C], "x": flat(x),
               "C": flat(x.softmax(1)), "logC": flat(x.log_softmax(1)),
               "HW": flat(pixels.softmax(2).view_as(x)),
               "logHW": flat(pixels.log_softmax(2).view_as(x))}


def pools():
    for (H, W), k, stride, pad in [
            ((5, 6), 3, 2, 1), ((7, 4), 2, 3, 1), ((4, 4), 3, 2, 0), ((6, 6), 2, 2, 1)]:
        x = picture(2, H, W, 2)
        case = {"shape": [H, W, 2], "kernel": k, "stride": stride, "pad": pad, "x": flat(x)}
        for ceil in (False, True):
            out = F.max_pool2d(x, k, stride, pad, ceil_mode=ceil)
            yield {**case, "ceil": ceil, "kind": "max", "out": flat(out)}
            for include in (False, True):
                out = F.avg_pool2d(x, k, stride, pad, ceil_mode=ceil, count_include_pad=include)
                yield {**case, "ceil": ceil, "kind": "mean", "includePad": include,
                       "out": flat(out)}


made = {"resize": resizes(), "normalize": norms(), "lrn": lrns(), "softmax": softmaxes(),
        "pool": pools()}
lines = ",\n".join(
    f'"{name}": [\n' + ",\n".join(json.dumps(case, separators=(',', ':')) for case in cases) + "\n]"
    for name, cases in made.items())
with open(os.path.join(os.path.dirname(__file__), "oracle.json"), "w") as file:
    file.write("{\n" + lines + "\n}\n")
