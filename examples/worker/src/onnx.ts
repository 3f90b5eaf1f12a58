/**
 * The same worker with a network from an ONNX file: put the path of yours here. The reader of such files comes into the
 * bundle with it, and takes those from R2 too.
 */

import { preprocessingOfRange } from 'fastcam/model';
import { loadNetwork } from 'fastcam/onnx';
import weights from '../networks/mobilenet-v2.onnx';
import { bundle } from './model.js';

bundle({
  name: 'mobilenet-v2.onnx',
  weights,
  loadNetwork,
  // Few files say what they take: imagenet, caffe, 0..1, -1..1 or 0..255.
  preprocessing: preprocessingOfRange('imagenet', 3),
});

export { default } from './worker.js';
