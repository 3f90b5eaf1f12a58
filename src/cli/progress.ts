/** A progress bar on standard error, where that is a terminal; elsewhere nothing. */

import type { SingleBar } from 'cli-progress';
import { printable, type Streams } from './streams.js';

export interface Progress {
  /** `done` of all inputs, a fraction where one is under way. */
  update(done: number, name: string): void;
  /** Takes the bar away while `print` writes to the terminal. */
  around(print: () => void): void;
  stop(): void;
}

const SILENT: Progress = {
  update: () => {},
  around: (print) => print(),
  stop: () => {},
};

/** Characters of a name that are shown; with the bar they fit in a line of 80. */
const NAME_LENGTH = 40;

/** Steps that one input is shown in. */
const STEPS = 100;

export async function startProgress(total: number, stderr: Streams['stderr']): Promise<Progress> {
  if (!stderr.isTTY) return SILENT;
  const { default: cliProgress } = await import('cli-progress');
  const makeBar = (): SingleBar =>
    new cliProgress.SingleBar(
      {
        stream: stderr,
        format: '{bar} {inputs} {name}',
        clearOnComplete: true,
        hideCursor: false,
        // Ctrl-C would leave a terminal that wraps no lines; what is shown fits in one.
        linewrap: true,
        barsize: 24,
      },
      cliProgress.Presets.shades_classic,
    );
  let state = { done: 0, name: '' };
  const show = (bar: SingleBar): SingleBar => {
    bar.start(total * STEPS, state.done * STEPS, payload());
    return bar;
  };
  const payload = (): object => ({
    inputs: `${Math.floor(state.done)}/${total}`,
    name: shorten(printable(state.name)),
  });
  let bar = show(makeBar());
  return {
    update: (done, name) => {
      state = { done, name };
      bar.update(done * STEPS, payload());
    },
    around: (print) => {
      bar.stop();
      print();
      bar = show(makeBar());
    },
    stop: () => bar.stop(),
  };
}

/** The end of a long name: it tells more than the folders it begins with. */
function shorten(name: string): string {
  return name.length <= NAME_LENGTH ? name : `…${name.slice(1 - NAME_LENGTH)}`;
}
