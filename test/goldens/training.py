"""What three steps of PyTorch's own training make of a narrow ResNet, in float64.

    python3 test/goldens/training.py     (Debian: apt-get install python3-torch)

writes graph/training-resnet.safetensors: `before.NAME` and `after.NAME` of every tensor of the state dict, the gradients
`gradient.NAME` of the first batch, the pictures `x` [3 batches, N, C, H, W], their classes `targets`, and the losses before
each step. SGD with momentum 0.9, weight decay 1e-2 and learning rate 0.05, cross entropy with label smoothing 0.1.
"""

import torch
from oracle import save
from torch import nn
from torch.nn import functional as F

N, SIZE, CLASSES, STEPS = 4, 33, 5, 3


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))
        else:
            self.downsample = nn.Identity()

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.downsample(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Block(6, 6, 1))
        self.layer2 = nn.Sequential(Block(6, 8, 2))
        self.layer3 = nn.Sequential(Block(8, 13, 2))
        self.layer4 = nn.Sequential(Block(13, 16, 2))
        self.fc = nn.Linear(16, CLASSES)

    def forward(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def main():
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    net = ResNet()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    # float32 from the start, so that both programs begin with the same numbers.
    for tensor in net.state_dict().values():
        tensor.copy_(tensor.float()) if tensor.is_floating_point() else None
    named = lambda: {k: v.clone() for k, v in net.state_dict().items() if 'num_batches' not in k}
    before = named()
    x = torch.randn(STEPS, N, 3, SIZE, SIZE).float().double()
    targets = torch.randint(0, CLASSES, (STEPS, N))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-2)
    losses, gradients = [], {}
    for i in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[i]), targets[i], label_smoothing=0.1)
        loss.backward()
        losses.append(loss)
        if i == 0:
            gradients = {k: p.grad.clone() for k, p in net.named_parameters()}
        optimizer.step()
    save(
        'resnet',
        {
            **{f'before.{k}': v for k, v in before.items()},
            **{f'after.{k}': v for k, v in named().items()},
            **{f'gradient.{k}': v for k, v in gradients.items()},
            'x': x,
            'targets': targets,
            'losses': torch.stack(losses),
        },
        {'oracle': 'PyTorch float64'},
        'training',
    )


main()
