/** The machine on which a time was measured. */

import { cpus } from 'node:os';

/** Runtime and processor. */
export function describeMachine(): string {
  return `Node ${process.versions.node}, ${cpus()[0]?.model.trim() ?? process.arch}`;
}
