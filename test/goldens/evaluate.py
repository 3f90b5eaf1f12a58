"""Measures of maps, computed by numpy and PyTorch in double precision: evaluate.json.

    python3 evaluate.py > evaluate.json

Numbers come from s ← 16807·s mod (2³¹ − 1), u = s/(2³¹ − 1), begun at the seed. ROAD's linear system is solved as a dense
matrix, and there is no noise. The blur is a Gaussian of a twentieth of the short side, cut at three deviations.
"""

import json
import math

import numpy as np
import torch

H, W, C, K, CLASSES = 12, 10, 3, 4, 5
STEPS, SHARES = 6, [0.1, 0.5, 0.9]
TARGET = 2
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def numbers(seed, *shape):
    out, s = [], seed
    for _ in range(math.prod(shape)):
        s = s * 16807 % 2147483647
        out.append(s / 2147483647)
    return np.array(out).reshape(shape)


picture = numbers(1, H, W, C) * 2 - 1
kernel = numbers(2, K, C, 3, 3) - 0.4
linear = 8 * (numbers(3, CLASSES, K) - 0.5)
fine = numbers(4, H, W)
coarse = np.floor(numbers(5, H, W) * 5) / 5


def probabilities(x):
    t = torch.tensor(x.transpose(2, 0, 1)[None])
    features = torch.relu(torch.nn.functional.conv2d(t, torch.tensor(kernel), padding=1)).mean((2, 3))
    return torch.softmax(features @ torch.tensor(linear).T, 1)[0].numpy()


def blurred(x):
    sd = min(H, W) / 20
    reach = math.ceil(3 * sd)
    weights = np.exp(-(((np.arange(2 * reach + 1) - reach) / sd) ** 2) / 2)
    weights /= weights.sum()
    for axis, length in ((1, W), (0, H)):
        at = np.clip(np.arange(length)[:, None] + np.arange(-reach, reach + 1), 0, length - 1)
        x = np.moveaxis(np.moveaxis(x, axis, 0)[at].transpose(0, 2, 3, 1) @ weights, 0, axis)
    return x


def order(values):
    return np.argsort(-values.ravel(), kind="stable")


def curve(start, end, values):
    flat, goal, pixels = start.reshape(-1, C).copy(), end.reshape(-1, C), order(values)
    points = []
    for k in range(STEPS + 1):
        chosen = pixels[: round(k / STEPS * H * W)]
        flat[chosen] = goal[chosen]
        points.append(probabilities(flat.reshape(H, W, C))[TARGET])
    return {"probabilities": points, "area": np.trapz(points, dx=1 / STEPS)}


def imputed(x, removed):
    index = {tuple(p): i for i, p in enumerate(np.argwhere(removed))}
    matrix, right = np.zeros((len(index), len(index))), np.zeros((len(index), C))
    for (y, x_), i in index.items():
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                q = (y + dy, x_ + dx)
                if q == (y, x_) or not (0 <= q[0] < H and 0 <= q[1] < W):
                    continue
                weight = 1 / 6 if dy * dx == 0 else 1 / 12
                matrix[i, i] += weight
                if q in index:
                    matrix[i, index[q]] -= weight
                else:
                    right[i] += weight * x[q]
    out = x.copy()
    out[removed] = np.linalg.solve(matrix, right)
    return out


def road(values):
    pixels, scores = order(values), {"morf": [], "lerf": []}
    for share in SHARES:
        count = round(share * H * W)
        for name, chosen in (("morf", pixels[:count]), ("lerf", pixels[H * W - count :])):
            removed = np.zeros(H * W, bool)
            removed[chosen] = True
            scores[name].append(probabilities(imputed(picture, removed.reshape(H, W)))[TARGET])
    scores["score"] = float(np.mean(np.subtract(scores["lerf"], scores["morf"])) / 2)
    return scores


def drop(values):
    unit = (values - values.min()) / (values.max() - values.min())
    pixels = picture * STD + MEAN
    after = probabilities((pixels * unit[..., None] - MEAN) / STD)[TARGET]
    before = probabilities(picture)[TARGET]
    return {"drop": max(0, before - after) / before, "increase": int(after > before)}


def ranks(values):
    flat = values.ravel()
    return np.array([(flat < v).sum() + ((flat == v).sum() + 1) / 2 for v in flat])


removed = numbers(6, H, W) < 0.5
removed[2:8, 3:9] = True
print(
    json.dumps(
        {
            "probabilities": probabilities(picture).tolist(),
            "imputed": imputed(picture, removed).ravel().tolist(),
            "spearman": np.corrcoef(ranks(fine), ranks(coarse))[0, 1],
            "maps": [
                {
                    "deletion": curve(picture, np.zeros_like(picture), values),
                    "insertion": curve(blurred(picture), picture, values),
                    "road": road(values),
                    "drop": drop(values),
                }
                for values in (fine, coarse)
            ],
        },
        default=float,
    )
)
