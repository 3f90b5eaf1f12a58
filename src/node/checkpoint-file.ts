/**
 * PyTorch checkpoints of all kinds, and unsupported formats. Loaded only for files that are not
 * safetensors: these modules take as long to load as all others of a first explanation.
 */

import { Buffer } from 'node:buffer';
import { existsSync } from 'node:fs';
import { FormatError } from '../errors.js';
import { type TensorSource, tensorsTaken } from '../model/index.js';
import { foreignFormat, foreignZip } from './foreign-formats.js';
import type { OpenFile } from './open-file.js';
import {
  type Checkpoint,
  chooseDictionary,
  isLegacyCheckpoint,
  isTar,
  readArchive,
  readLegacy,
  readTar,
} from './pytorch/index.js';

const READ = 'safetensors, an index of it, a PyTorch checkpoint';

/**
 * The tensors of a checkpoint.
 *
 * @param head the file's first bytes, one character each
 * @param stateDict as in `openWeights`
 * @throws {FormatError} for another format, naming it
 */
export async function openCheckpoint(
  file: OpenFile,
  name: string,
  head: string,
  stateDict?: string,
): Promise<{ source: TensorSource; format: string }> {
  const bytes = Buffer.from(head, 'latin1');
  const choose = (checkpoint: Checkpoint, kind: string) => {
    const { path, ...source } = chooseDictionary(checkpoint, tensorsTaken, stateDict);
    return { source, format: path === '' ? kind : `${kind}, weights under ${path}` };
  };
  if (isLegacyCheckpoint(bytes)) {
    return choose(readLegacy(file, name), 'PyTorch checkpoint of before 1.6');
  }
  if (isTar(bytes)) return choose(readTar(file, name), 'PyTorch checkpoint of 2016 (tar)');
  if (head.startsWith('PK\x03\x04')) {
    const { openCheckpointZip } = await import('./checkpoint-zip.js');
    const zip = await openCheckpointZip(file);
    const other = foreignZip([...zip.entries.keys()]);
    if (other !== undefined) throw new FormatError(`${name}: is ${other}`);
    const isProgram = [...zip.entries.keys()].some((entry) => entry.endsWith('/constants.pkl'));
    return choose(
      readArchive({ ...zip, name }),
      isProgram ? 'TorchScript program' : 'PyTorch checkpoint',
    );
  }
  const hasXml = existsSync(`${file.path.replace(/\.bin$/iu, '')}.xml`);
  throw new FormatError(`${name}: is ${foreignFormat(bytes, { ...file, hasXml }, READ)}`);
}
