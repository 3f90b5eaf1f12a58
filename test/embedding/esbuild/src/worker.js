import model from 'fastcam/models/tiny-resnet50.safetensors';
import { explainPictures } from './explainer.js';

explainPictures(model);
