// Checks that a peer computes the same as fastcam, before it is timed.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Relative to the largest logit. Sums in another order differ by about 1e-6. */
const TOLERANCE = 1e-3;

/** @throws if the logits differ from fastcam's. Another process computes those: this process measures the peer alone */
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
