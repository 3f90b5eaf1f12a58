import { describe } from 'vitest';
import { fuzzReaders } from './fuzz.js';

describe('readers of weights', () => fuzzReaders(120_000));
