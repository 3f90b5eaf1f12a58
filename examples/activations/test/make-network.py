"""Writes network.onnx, a small network with random weights, and expected.json: what PyTorch gives for one picture.

Run with PyTorch 1.13 from this folder: python3 make-network.py

The picture is 64 wide and 32 high; byte i of its RGBA is 37·i mod 251, alpha 255. Maps are in float64, formulas as in
docs/algorithm.md.
"""

import json

import numpy as np
import torch
from torch import nn
from torch.nn.functional import interpolate


class Network(nn.Module):
    """Three scales: they end at the relu6 of `expand` and of `expand2`, and at the head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.expand = nn.Conv2d(8, 24, 1)
        self.depthwise = nn.Conv2d(24, 24, 3, 2, 1, groups=24)
        self.project = nn.Conv2d(24, 12, 1)
        self.inner = nn.Conv2d(12, 12, 3, 1, 1)
        self.expand2 = nn.Conv2d(12, 32, 1)
        self.head = nn.Conv2d(32, 40, 3, 2, 1)
        self.classifier = nn.Linear(40, 6)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        taps = [nn.functional.relu6(self.expand(x))]
        x = self.project(nn.functional.relu6(self.depthwise(taps[0])))
        x = x + torch.relu(self.inner(x))
        taps.append(nn.functional.relu6(self.expand2(x)))
        taps.append(torch.relu(self.head(taps[1])))
        return self.classifier(taps[2].mean((2, 3))), taps


class Logits(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image)[0]


def input_of(height, width):
    data = (37 * np.arange(4 * height * width)) % 251
    rgb = torch.from_numpy(data.reshape(height, width, 4)[..., :3].copy()).double() / 255
    normal = (rgb - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    return normal.permute(2, 0, 1)[None]


def combined_of(taps, size):
    maps = []
    for tap in taps:
        z = tap.clamp(min=0) + 1e-7
        mean = z.mean(1, keepdim=True)
        smoe = (mean * (mean.log2() - z.log2().mean(1, keepdim=True))).clamp(min=0)
        normal = torch.distributions.Normal(smoe.mean(), smoe.std()).cdf(smoe)
        maps.append(interpolate(normal, size, mode="bilinear", align_corners=False))
    return torch.stack(maps).mean(0)[0, 0]


def gradcam_pp_of(features, row, size):
    u = (row / features[0, 0].numel())[None, :, None, None]
    total = features.sum((2, 3), keepdim=True)
    weight = u.clamp(min=0) * u**2 / (2 * u**2 + total * u**3 + 1e-7)
    cam = (weight * features).sum(1, keepdim=True).clamp(min=0)
    cam = interpolate(cam, size, mode="bilinear", align_corners=False)[0, 0]
    return (cam - cam.min()) / (cam.max() - cam.min())


def rounded(values):
    return [float(f"{v:.7g}") for v in values.flatten().tolist()]


torch.manual_seed(13)
network = Network().eval()
size = (32, 64)
torch.onnx.export(
    Logits(network),
    torch.zeros(1, 3, *size),
    "network.onnx",
    opset_version=13,
    input_names=["image"],
    output_names=["logits"],
    dynamic_axes={"image": {2: "height", 3: "width"}},
)
with torch.no_grad():
    double = network.double()
    logits, taps = double(input_of(*size))
    combined = combined_of(taps, size)
    cam = gradcam_pp_of(taps[-1], double.classifier.weight[logits.argmax()], size)
expected = {"logits": logits, "combined": combined, "fastcam": combined * cam}
with open("expected.json", "w") as file:
    json.dump({name: rounded(value) for name, value in expected.items()}, file)
