/**
 * `fastcam/pytorch`: PyTorch's files, read without PyTorch and without running any of what is in them.
 * Nothing here needs Node; a zip comes as its entries. A file of another format is told by what it holds.
 */

export { type ForeignFile, foreignFormat, foreignZip, HEAD_BYTES } from '../foreign-formats.js';
export { isOnnx } from '../protobuf-models.js';
export { type CheckpointArchive, readArchive } from './archive.js';
export { type Checkpoint, chooseDictionary } from './checkpoint.js';
export { isLegacyCheckpoint, readLegacy } from './legacy.js';
export { isTar, readTar } from './tar.js';
