import { describe } from 'vitest';
import { fuzzReaders } from './fuzz.js';

// The long run is fuzz.slow.ts: npm run test:slow.
describe('readers of weights', () => fuzzReaders(3000));
