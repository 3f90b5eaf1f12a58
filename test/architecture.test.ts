/** The rules for imports: which folders may import which, and what the core must not import. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

const CORE = [
  ...[
    'disposal.ts',
    'errors.ts',
    'math',
    'image',
    'kernels',
    'model',
    'viz',
    'methods',
    'calibration.ts',
    'cost.ts',
  ],
  ...['explanation.ts', 'explain.ts', 'explain-activations.ts', 'index.ts', 'index.workerd.ts'],
  ...['onnx.ts', 'onnx.workerd.ts', 'instrument.ts', 'attribute.ts', 'with-gradients.ts'],
  ...['gradients.ts', 'gradients.workerd.ts', 'threads.ts', 'threads.workerd.ts'],
  ...['stream.ts', 'tiles', 'train', 'evaluate'],
];

/**
 * Which folders (or files) each may import, besides itself: cli → node → explain → methods → {model → kernels,
 * viz}, pictures and mathematics below, an arrow reaching whatever lies below.
 */
const BELOW = ['disposal.ts', 'errors.ts', 'math', 'image'];
const ENGINE = [...BELOW, 'kernels', 'model', 'viz', 'methods'];
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'disposal.ts': ['errors.ts'],
  'errors.ts': [],
  math: [],
  image: ['errors.ts'],
  kernels: BELOW,
  model: [...BELOW, 'kernels'],
  viz: BELOW,
  methods: [...BELOW, 'kernels', 'model', 'viz'],
  'calibration.ts': ['errors.ts', 'kernels', 'viz'],
  'cost.ts': [],
  'explanation.ts': [...ENGINE, 'calibration.ts', 'cost.ts'],
  'explain.ts': [...ENGINE, 'calibration.ts', 'explanation.ts'],
  'explain-activations.ts': [...ENGINE, 'explain.ts', 'explanation.ts'],
  'index.ts': [
    ...ENGINE,
    'calibration.ts',
    'explain.ts',
    'explain-activations.ts',
    'explanation.ts',
  ],
  'index.workerd.ts': ['index.ts', 'kernels'],
  'onnx.ts': [...ENGINE, 'explain.ts', 'index.ts'],
  'onnx.workerd.ts': ['onnx.ts', 'kernels'],
  'instrument.ts': ['model'],
  'attribute.ts': [...ENGINE, 'explain.ts'],
  'with-gradients.ts': [...ENGINE, 'explain.ts', 'attribute.ts'],
  'gradients.ts': [...ENGINE, 'explain.ts', 'attribute.ts', 'with-gradients.ts'],
  'gradients.workerd.ts': ['gradients.ts', 'with-gradients.ts', 'attribute.ts', 'kernels'],
  'threads.ts': ['kernels'],
  'threads.workerd.ts': ['kernels'],
  tiles: [...ENGINE, 'explain.ts', 'explanation.ts'],
  train: [...BELOW, 'kernels', 'model'],
  evaluate: [...ENGINE, 'attribute.ts', 'explain.ts', 'explanation.ts', 'train'],
  'stream.ts': [...ENGINE, 'calibration.ts', 'explain.ts', 'explanation.ts'],
  node: CORE,
  cli: ['node', ...CORE],
};

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
);
const partOf = (path: string): string => path.split('/')[0]!;

function importsOf(path: string): string[] {
  const text = readFileSync(join(SRC, path), 'utf8');
  const pattern = /(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

/** The files that some files import, and those that these import, and so on; packages by their names. */
function reachedFrom(entries: readonly string[]): Set<string> {
  const reached = new Set(entries);
  for (const path of reached) {
    if (!path.endsWith('.ts')) continue;
    for (const specifier of importsOf(path)) {
      const isOwn = specifier.startsWith('.');
      reached.add(isOwn ? join(dirname(path), specifier).replace(/\.js$/, '.ts') : specifier);
    }
  }
  return reached;
}

describe('the folders of src', () => {
  it('has only folders that the import rules name', () => {
    expect([...new Set(sources.map(partOf))].sort()).toEqual(Object.keys(ARROWS).sort());
  });

  it.each(sources)('%s imports only as the rules allow', (path) => {
    const own = partOf(path);
    for (const specifier of importsOf(path).filter((s) => s.startsWith('.'))) {
      const target = relative(SRC, resolve(SRC, dirname(path), specifier)).replace(/\.js$/, '.ts');
      const allowed =
        partOf(target) === own ||
        ARROWS[own]!.some((a) => target === a || target.startsWith(`${a}/`));
      expect(allowed, `${path} imports ${target}`).toBe(true);
    }
  });

  it('has no cyclic imports, not even inside a folder', () => {
    const edges = new Map(
      sources.map((path) => [
        path,
        importsOf(path)
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => join(dirname(path), specifier).replace(/\.js$/, '.ts')),
      ]),
    );
    const circles: string[] = [];
    const done = new Set<string>();
    const walk = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' → '));
      if (done.has(path) || way.includes(path)) return;
      for (const next of edges.get(path) ?? []) walk(next, [...way, path]);
      done.add(path);
    };
    for (const path of sources) walk(path, []);
    expect(circles).toEqual([]);
  });

  it('has a contract between networks and backends that imports no backend', () => {
    for (const path of ['step.ts', 'conv2d-shape.ts', 'layer-weights.ts', 'precision.ts']) {
      const known = importsOf(`kernels/${path}`).filter((s) => /\/(js|wasm|statistics)\//.test(s));
      expect(known).toEqual([]);
    }
  });

  it('gives the core no package and no Node module, and the readers of ONNX one package', () => {
    const outside = sources
      .filter((path) => CORE.includes(partOf(path)))
      .flatMap((path) => importsOf(path).flatMap((s) => (s.startsWith('.') ? [] : [[path, s]])));
    const readers = outside.filter(([path]) => /^model\/onnx/.test(path!));
    expect(outside).toEqual(readers);
    expect([...new Set(readers.map(([, specifier]) => specifier))]).toEqual(['pbf']);
  });

  it('keeps the readers of ONNX out of everything that `fastcam` and its parts import', () => {
    const parts = ['kernels', 'model', 'methods', 'viz'].map((part) => `${part}/index.ts`);
    const reached = reachedFrom(['index.ts', ...parts]);
    expect(reached.size).toBeGreaterThan(50);
    expect([...reached].filter((path) => /onnx/.test(path))).toEqual([]);
  });

  it('keeps the backward pass out of everything that `fastcam` and its parts import', () => {
    const parts = ['kernels', 'model', 'methods', 'viz'].map((part) => `${part}/index.ts`);
    const reached = reachedFrom(['index.ts', 'onnx.ts', 'instrument.ts', ...parts]);
    expect(reached.size).toBeGreaterThan(50);
    expect([...reached].filter((path) => /gradient|attribut/.test(path))).toEqual([]);
  });

  it('keeps what streams need out of everything else', () => {
    const parts = ['kernels', 'model', 'methods', 'viz'].map((part) => `${part}/index.ts`);
    const reached = reachedFrom(['index.ts', 'onnx.ts', 'gradients.ts', ...parts]);
    const own = /^stream|\/(?:prepared-class-maps|prepared|running-normal|agreement|frames)\.ts$/;
    expect([...reached].filter((path) => own.test(path) && path !== 'model/prepared.ts')).toEqual(
      [],
    );
    expect([...reachedFrom(['stream.ts'])].filter((path) => own.test(path)).length).toBe(7);
  });

  it('gives the readers of PyTorch’s files no package and no Node module, so that pages can use them', () => {
    const reached = new Set(['node/pytorch/index.ts']);
    for (const path of reached) {
      for (const specifier of importsOf(path)) {
        expect(specifier, `${path} imports ${specifier}`).toMatch(/^\./);
        reached.add(join(dirname(path), specifier).replace(/\.js$/, '.ts'));
      }
    }
    expect(reached.size).toBeGreaterThan(10);
    const global = /\b(?:Buffer|process)\.\w/;
    const users = [...reached].filter((path) => global.test(readFileSync(join(SRC, path), 'utf8')));
    expect(users).toEqual([]);
  });

  it('compiles the core without Node’s and the DOM’s types', () => {
    const config = readFileSync(join(SRC, '../tsconfig.core.json'), 'utf8');
    expect(config).toContain('"lib": ["ES2022"], "types": []');
    const tsc = join(SRC, '../node_modules/typescript/bin/tsc');
    // Throws, with the compiler's words, if it does not.
    execFileSync(process.execPath, [tsc, '-p', join(SRC, '../tsconfig.core.json'), '--noEmit']);
  });
});
