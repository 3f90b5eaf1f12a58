// Graphs of networks for phones; bench/kernels.mjs times their layers: MobileNetV2 (arXiv 1801.04381, table 2) and
// EfficientNet-B0 (arXiv 1905.11946, table 1), as in torchvision, with folded batch norms.

import { activation } from '../dist/model/graph/operators/activation.js';
import { adaptiveMean } from '../dist/model/graph/operators/adaptive-mean.js';
import { add } from '../dist/model/graph/operators/add.js';
import { plainConv } from '../dist/model/graph/operators/conv.js';
import { input } from '../dist/model/graph/operators/input.js';
import { mul } from '../dist/model/graph/operators/mul.js';

/** Expansion, kernel, stride of the first block, channels, blocks. */
const STAGES = {
  mobilenetv2: [
    [1, 3, 1, 16, 1],
    [6, 3, 2, 24, 2],
    [6, 3, 2, 32, 3],
    [6, 3, 2, 64, 4],
    [6, 3, 1, 96, 3],
    [6, 3, 2, 160, 3],
    [6, 3, 1, 320, 1],
  ],
  'efficientnet-b0': [
    [1, 3, 1, 16, 1],
    [6, 3, 2, 24, 2],
    [6, 5, 2, 40, 2],
    [6, 3, 2, 80, 3],
    [6, 5, 1, 112, 3],
    [6, 5, 2, 192, 4],
    [6, 3, 1, 320, 1],
  ],
};

/** The graph of a network by its name; undefined for an unknown name. */
export function mobileNetwork(name) {
  const stages = STAGES[name];
  if (!stages) return undefined;
  const isEfficient = name !== 'mobilenetv2';
  const net = new Builder(isEfficient ? 'silu' : 'relu6');
  let x = net.activate(net.conv(0, 32, 3, 2));
  for (const [expansion, side, firstStride, channels, blocks] of stages) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? firstStride : 1;
      const shortcut = x;
      const width = net.channels[x] * expansion;
      if (expansion > 1) x = net.activate(net.conv(x, width, 1));
      x = net.activate(net.conv(x, width, side, stride, width));
      if (isEfficient) x = net.squeezeAndExcite(x, net.channels[shortcut] / 4);
      x = net.conv(x, channels, 1);
      if (stride === 1 && net.channels[shortcut] === channels) x = net.add(shortcut, x);
    }
  }
  x = net.activate(net.conv(x, 1280, 1));
  return { nodes: net.nodes, output: net.conv(net.mean(x), 1000, 1), classes: 1000 };
}

/** A value is the number of its node. */
class Builder {
  nodes = [{ name: 'x', operator: input(3), inputs: [] }];
  /** The channels of each value. */
  channels = [3];

  constructor(activationName) {
    this.activationName = activationName;
  }

  push(operator, inputs, channels) {
    this.channels.push(channels);
    return this.nodes.push({ name: `v${this.nodes.length}`, operator, inputs }) - 1;
  }

  conv(x, Cout, side, stride = 1, groups = 1) {
    const Cin = this.channels[x];
    const layer = `conv${this.nodes.length}`;
    const pad = (side - 1) / 2;
    const operator = plainConv({
      layer,
      weight: { name: layer, shape: [Cout, Cin / groups, side, side] },
      extents: { Cin, Cout, kH: side, kW: side, groups },
      strideY: stride,
      strideX: stride,
      pads: [pad, pad, pad, pad],
    });
    return this.push(operator, [x], Cout);
  }

  activate(x, name = this.activationName) {
    return this.push(activation(name), [x], this.channels[x]);
  }

  add(a, b) {
    return this.push(add(), [a, b], this.channels[a]);
  }

  mean(x) {
    return this.push(adaptiveMean(1, 1), [x], this.channels[x]);
  }

  squeezeAndExcite(x, squeezed) {
    const width = this.channels[x];
    const hidden = this.activate(this.conv(this.mean(x), squeezed, 1));
    const gate = this.activate(this.conv(hidden, width, 1), 'sigmoid');
    return this.push(mul(), [x, gate], width);
  }
}
