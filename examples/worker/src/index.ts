/** fastcam as a Cloudflare Worker: a picture in, where the network looked out. With the bundled ResNet-50. */

import { loadNetwork } from 'fastcam';
import weights from '../../../models/tiny-resnet50.safetensors';
import labels from '../../../models/tiny-resnet50-labels.json' with { type: 'json' };
import { bundle } from './model.js';

bundle({ name: 'bundled', weights, labels, loadNetwork });

export { default } from './worker.js';
