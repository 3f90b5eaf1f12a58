/** fastcam as a Cloudflare Worker: a picture in, where the network looked out. With the bundled ResNet-50. */

import { loadNetwork } from 'fastcam';
import weights from 'fastcam/models/tiny-resnet50.safetensors';
import { bundle } from './model.js';

bundle({ name: 'bundled', weights, loadNetwork });

export { default } from './worker.js';
