/** fastcam as a Cloudflare Worker: send a picture, get back where the network looked. With the bundled ResNet-50. */

import { loadNetwork } from 'fastcam';
import weights from 'fastcam/models/tiny-resnet50.safetensors';
import { bundle } from './model.js';

bundle({ name: 'bundled', weights, loadNetwork });

export { default } from './worker.js';
