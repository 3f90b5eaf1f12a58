import { expect, it } from 'vitest';
import { UnsupportedError } from '../../src/errors.js';
import { optionalPackage } from '../../src/node/optional-package.js';
import { wasmModule } from '../../src/node/wasm-module.js';

it('says which package to install, for a script and for a file of it that is not there', async () => {
  const name: string = 'not-a-package';
  for (const load of [() => import(/* @vite-ignore */ name), () => wasmModule(`${name}/a.wasm`)]) {
    const loading = optionalPackage(name, 'JPEG', load);
    await expect(loading).rejects.toThrow(
      'JPEG needs the package not-a-package, which is not installed: npm install not-a-package',
    );
    await expect(loading).rejects.toBeInstanceOf(UnsupportedError);
  }
});

it('does not change the exports of a package, or its errors', async () => {
  const error = new Error('damaged');
  expect(await optionalPackage('a', 'JPEG', async () => 7)).toBe(7);
  await expect(optionalPackage('a', 'JPEG', () => Promise.reject(error))).rejects.toBe(error);
});
