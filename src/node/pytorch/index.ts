/**
 * `fastcam/pytorch`: PyTorch's files, read without PyTorch and without running any of what is in them.
 * Nothing here needs Node; a zip comes as its entries.
 */

export { type CheckpointArchive, readArchive } from './archive.js';
export { type Checkpoint, chooseDictionary } from './checkpoint.js';
export { isLegacyCheckpoint, readLegacy } from './legacy.js';
export { isTar, readTar } from './tar.js';
