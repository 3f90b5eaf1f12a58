import model from 'fastcam/models/tiny-resnet50.safetensors?url';
import { explainPictures } from './explainer.js';

explainPictures(model);
