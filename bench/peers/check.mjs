// Peers compute what fastcam computes: checked before they are timed.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Of the largest logit. Sums of another order differ by some 1e-6. */
const TOLERANCE = 1e-3;

/** @throws where logits are not fastcam's, which come from another process: the memory of this one is the peer's */
export function checkLogits(peer, architecture, logits) {
  const program = fileURLToPath(new URL('./fastcam-logits.mjs', import.meta.url));
  const expected = JSON.parse(
    execFileSync(process.execPath, [program, architecture], { encoding: 'utf8' }),
  );
  const largest = Math.max(...expected.map(Math.abs));
  const off = Math.max(...expected.map((logit, i) => Math.abs(logit - logits[i]))) / largest;
  // Not `>`: NaN is an error too.
  if (off <= TOLERANCE) return;
  throw new Error(`${peer}: logits of ${architecture} are off by ${off} of the largest`);
}
