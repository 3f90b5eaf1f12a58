import { explainPictures } from './explainer.js';

explainPictures(new URL('fastcam/models/tiny-resnet50.safetensors', import.meta.url).href);
