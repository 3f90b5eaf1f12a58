/**
 * The methods beside each other, computed when somebody asks. They have a worker of their own, with the same network and
 * picture: it can be ended at once, and the page answers meanwhile.
 */

import { COMPARED_METHODS, METHOD_GROUPS, type MethodGroup } from 'fastcam/gradients';
import { element } from './element.ts';
import type { MethodMap } from './maps.ts';
import { type Model, Network, type PassSettings } from './network.ts';
import type { MethodMapName } from './settings.ts';
import type { OwnWeights } from './weights.ts';

/** What is compared: results hold for one network, picture, class, and what pixels become. */
export interface Compared {
  readonly model: Model;
  readonly weights: OwnWeights | undefined;
  readonly picture: ImageData;
  readonly pixels: PassSettings['pixels'];
  readonly target: number | undefined;
}

/** What the page gives and is told. */
export interface ComparisonHooks {
  /** What is to be compared now; none before the first picture. */
  readonly now: () => Compared | undefined;
  /** Runs it behind the progress bar, and tells its errors. */
  readonly busily: (doing: string, work: () => Promise<void>) => Promise<void>;
  readonly onProgress: (done: number) => void;
  /** New results are there. @param shown the one to lay over the picture */
  readonly onResults: (shown?: MethodMapName) => void;
}

const startButton = element('compare', HTMLButtonElement);
const cancelButton = element('cancel-compare', HTMLButtonElement);
const select = element('other-method', HTMLSelectElement);
const cancelled = new Error('Cancelled.');

/** Wires the controls. @returns the results that hold for something, in the order of the methods */
export function wireComparison(
  hooks: ComparisonHooks,
): (wanted: Compared | undefined) => ReadonlyMap<MethodMapName, MethodMap> {
  let of: Compared | undefined;
  let results = new Map<MethodMapName, MethodMap>();
  let running: Network | undefined;

  const stop = (): void => {
    running?.close(cancelled);
    running = undefined;
  };
  const add = (name: string, map: MethodMap): void => {
    results.set(`method-${name}`, map);
    const order = COMPARED_METHODS.map((method): MethodMapName => `method-${method.name}`);
    const sorted = order.filter((one) => results.has(one));
    results = new Map(sorted.map((one) => [one, results.get(one)!]));
  };
  const compare = async (names: readonly string[], shown?: MethodMapName): Promise<void> => {
    stop();
    const compared = hooks.now();
    if (!compared) return;
    if (!isSame(of, compared)) results = new Map();
    of = compared;
    const left = names.filter((name) => !results.has(`method-${name}`));
    cancelButton.hidden = left.length === 0;
    try {
      if (left.length > 0) await run(compared, left);
      hooks.onResults(shown);
    } catch (error) {
      if (error !== cancelled) throw error;
    } finally {
      cancelButton.hidden = running === undefined;
    }
  };
  const run = async (compared: Compared, names: readonly string[]): Promise<void> => {
    let done = 0;
    const network = new Network((share) => hooks.onProgress((done + share) / names.length));
    running = network;
    try {
      const forwardMs = await prepare(network, compared);
      const { picture, pixels, target } = compared;
      const size = [picture.height, picture.width] as const;
      for (const name of names) {
        // Another picture or class was chosen meanwhile.
        if (!isSame(compared, hooks.now())) return;
        const { map, ms, bytes } = await network.method({ name, pixels, target: target!, size });
        add(name, { map, note: noteOf(ms, forwardMs, bytes) });
        hooks.onProgress(++done / names.length);
        hooks.onResults();
      }
    } finally {
      if (running === network) stop();
    }
  };
  const start = (doing: string, names: readonly string[], shown?: MethodMapName): void => {
    hooks.busily(doing, () => compare(names, shown));
  };
  startButton.addEventListener('click', () =>
    start(
      'Comparing all methods…',
      COMPARED_METHODS.map(({ name }) => name),
    ),
  );
  cancelButton.addEventListener('click', stop);
  for (const group of Object.keys(METHOD_GROUPS) as MethodGroup[]) select.append(groupOf(group));
  select.addEventListener('change', () => {
    if (select.value === '') return;
    const title = select.selectedOptions[0]!.label;
    start(`Looking by ${title}…`, [select.value], `method-${select.value}`);
    select.value = '';
  });
  return (wanted) => (isSame(of, wanted) ? results : new Map());
}

function isSame(a: Compared | undefined, b: Compared | undefined): boolean {
  return (
    a?.model === b?.model &&
    a?.picture === b?.picture &&
    a?.pixels === b?.pixels &&
    a?.target === b?.target
  );
}

/** Loads network and picture. @returns the time of a forward pass, after one that has warmed up the network */
async function prepare(
  network: Network,
  { weights, picture, pixels, target }: Compared,
): Promise<number> {
  await network.load(weights);
  await network.show(await createImageBitmap(picture));
  const settings = {
    statistic: 'smoe',
    pixels,
    engine: 'fastcam',
    cam: 'gradcam++',
    target,
  } as const;
  const times: number[] = [];
  for (let run = 0; run < 3; run++) times.push((await network.pass(settings)).ms.network);
  return Math.min(...times);
}

/** The names of a group, to choose one of them. */
function groupOf(group: MethodGroup): HTMLOptGroupElement {
  const options = document.createElement('optgroup');
  options.label = METHOD_GROUPS[group];
  const methods = COMPARED_METHODS.filter((method) => method.group === group);
  options.append(...methods.map(({ name, title }) => new Option(title, name)));
  return options;
}

function noteOf(ms: number, forwardMs: number, bytes: number): string {
  const ratio = ms / forwardMs;
  const time = ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
  return `${time}, ${ratio.toFixed(ratio < 10 ? 1 : 0)} × forward\n${(bytes / 1e6).toFixed(1)} MB`;
}
