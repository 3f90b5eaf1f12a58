import { describe } from 'vitest';
import { fuzzOnnx } from './fuzz.js';

describe('the reader of ONNX', () => fuzzOnnx(2000));
