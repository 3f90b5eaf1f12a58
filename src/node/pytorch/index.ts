/**
 * `fastcam/pytorch`: reads PyTorch's files without PyTorch and without running any code in them.
 * Nothing here needs Node; a zip is given as its entries. A file of another format is recognised by its content.
 */

export { type ForeignFile, foreignFormat, foreignZip, HEAD_BYTES } from '../foreign-formats.js';
export { isOnnx } from '../protobuf-models.js';
export { type CheckpointArchive, readArchive } from './archive.js';
export { type Checkpoint, chooseDictionary } from './checkpoint.js';
export { isLegacyCheckpoint, readLegacy } from './legacy.js';
export { isTar, readTar } from './tar.js';
