/** A progress bar on standard error, if that is a terminal; otherwise nothing. */

import type { SingleBar } from 'cli-progress';
import { printable, type Streams } from './streams.js';

export interface Progress {
  /** @param done number of inputs done; the fraction is the share of the current one */
  update(done: number, name: string): void;
  /** Removes the bar while `print` writes to the terminal. */
  around(print: () => void): void;
  stop(): void;
}

export interface TransferProgress {
  /** Bytes received so far, and the total if it is known. */
  update(received: number, total: number | undefined): void;
  /** Shows a text instead of the bytes, such as what the program waits for. */
  say(text: string): void;
  stop(): void;
}

/** Characters of a name that are shown: name, bar and bytes fit in a line of 80. */
const INPUT_LENGTH = 40;
const MODEL_LENGTH = 24;

/** Steps of the whole bar. */
const STEPS = 10_000;

/** Progress over `total` inputs. */
export async function startProgress(total: number, stderr: Streams['stderr']): Promise<Progress> {
  const { show, around, stop } = await startBar(stderr);
  return {
    update: (done, name) =>
      show(done / total, `${Math.floor(done)}/${total} ${shorten(name, INPUT_LENGTH)}`),
    around,
    stop,
  };
}

/** Progress of a download, with its rate since it started or was resumed. */
export async function startTransfer(
  name: string,
  stderr: Streams['stderr'],
): Promise<TransferProgress> {
  const { show, stop } = await startBar(stderr);
  const label = shorten(name, MODEL_LENGTH);
  let begin: { readonly ms: number; readonly received: number } | undefined;
  let share = 0;
  return {
    update(received, total) {
      begin ??= { ms: performance.now(), received };
      const seconds = (performance.now() - begin.ms) / 1000;
      const rate = seconds > 0 ? (received - begin.received) / 1e6 / seconds : 0;
      const of = total === undefined ? '' : ` of ${(total / 1e6).toFixed(1)}`;
      share = total === undefined ? 0 : received / total;
      show(share, `${(received / 1e6).toFixed(1)}${of} MB, ${rate.toFixed(1)} MB/s ${label}`);
    },
    say: (text) => show(share, text),
    stop,
  };
}

/** A bar with a text beside it. */
interface Bar {
  /** @param share of the whole work, from 0 to 1 */
  show(share: number, text: string): void;
  around(print: () => void): void;
  stop(): void;
}

const SILENT: Bar = {
  show: () => {},
  around: (print) => print(),
  stop: () => {},
};

async function startBar(stderr: Streams['stderr']): Promise<Bar> {
  if (!stderr.isTTY) return SILENT;
  const { default: cliProgress } = await import('cli-progress');
  let state = { steps: 0, text: '' };
  const start = (): SingleBar => {
    const bar = new cliProgress.SingleBar(
      {
        stream: stderr,
        format: '{bar} {text}',
        clearOnComplete: true,
        hideCursor: false,
        // Without this, Ctrl-C would leave line wrapping off in the terminal. The text fits in one line.
        linewrap: true,
        barsize: 24,
      },
      cliProgress.Presets.shades_classic,
    );
    bar.start(STEPS, state.steps, { text: state.text });
    return bar;
  };
  let bar = start();
  return {
    show: (share, text) => {
      state = { steps: share * STEPS, text };
      bar.update(state.steps, { text });
    },
    around: (print) => {
      bar.stop();
      print();
      bar = start();
    },
    stop: () => bar.stop(),
  };
}

/** Keeps the end of a long name, which says more than the folders at its start. */
function shorten(name: string, length: number): string {
  const text = printable(name);
  return text.length <= length ? text : `…${text.slice(1 - length)}`;
}
