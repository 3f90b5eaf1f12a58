/** Objects that own memory and free it when `dispose` is called. */

import { refuseKind } from './errors.js';

declare global {
  interface SymbolConstructor {
    /** As in TypeScript's `esnext.disposable`: `using` calls the method with this name. */
    readonly dispose: unique symbol;
  }
}

/** `Symbol.dispose`, or the symbol that compilers use if the engine has none. */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/**
 * The private data of an object.
 *
 * @param what the name of the object in messages
 * @param kept `undefined` after `dispose`; `null` if `this` is a framework's proxy, which has no private fields
 * @throws {TypeError} for either
 */
export function owned<T extends object>(what: string, kept: T | null | undefined): T {
  if (kept) return kept;
  throw new TypeError(
    kept === null
      ? `${what}: behind a proxy: keep it in markRaw or shallowRef`
      : `${what}: disposed`,
  );
}

/** @throws {TypeError} for a value that is not a backend, and for a disposed backend */
export function checkKernels(kernels: { readonly isDisposed: boolean }): void {
  if (!('isDisposed' in Object(kernels))) refuseKind('kernels:', 'await makeKernels()', kernels);
  owned('kernels', kernels.isDisposed ? undefined : kernels);
}
