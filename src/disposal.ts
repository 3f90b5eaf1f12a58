/** Objects that keep memory which is theirs alone, and give it back when they are told. */

import { refuseKind } from './errors.js';

declare global {
  interface SymbolConstructor {
    /** As TypeScript's `esnext.disposable` has it: `using` calls what is under it. */
    readonly dispose: unique symbol;
  }
}

/** `Symbol.dispose`, or what compilers take for it where the engine has none. */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

/**
 * What an object keeps for itself.
 *
 * @param what the object is, for messages
 * @param kept `undefined` after `dispose`; `null` where `this` is a framework's proxy, which has no private fields
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

/** @throws {TypeError} for what is no backend, and for one that was disposed */
export function checkKernels(kernels: { readonly isDisposed: boolean }): void {
  if (!('isDisposed' in Object(kernels))) refuseKind('kernels:', 'await makeKernels()', kernels);
  owned('kernels', kernels.isDisposed ? undefined : kernels);
}
