/** The stack of a pickle machine, its marks and its memo, all with limits on their size. */

import { FormatError } from '../../errors.js';
import type { PickleValue } from './values.js';

/** Most values on the stack and in the memo at a time; a ResNet-152's pickle has some thousands. */
const MAX_VALUES = 2 ** 20;

/** Most values that a pickle may make, in all. */
const MAX_MADE = 2 ** 23;

export class PickleStack {
  readonly #values: PickleValue[] = [];
  /** Heights of the stack at the marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #made = 0;

  /** @param made how many values it counts as */
  push(value: PickleValue, made = 1): true {
    this.#limit(this.#values.length);
    this.spend(made);
    this.#values.push(value);
    return true;
  }

  /** The latest value, which must not be below the latest mark. */
  top(): PickleValue {
    if (this.#values.length <= (this.#marks.at(-1) ?? 0)) {
      throw new FormatError('the stack is empty');
    }
    return this.#values.at(-1)!;
  }

  pop(): PickleValue {
    const value = this.top();
    this.#values.pop();
    return value;
  }

  popMany(count: number): PickleValue[] {
    if (this.#values.length - count < (this.#marks.at(-1) ?? 0)) {
      throw new FormatError('the stack is empty');
    }
    return this.#values.splice(-count);
  }

  mark(): true {
    this.#limit(this.#marks.length);
    this.#marks.push(this.#values.length);
    return true;
  }

  popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new FormatError('no mark on the stack');
    return this.#values.splice(mark);
  }

  /** Removes the latest value or mark. */
  drop(): true {
    if (this.#marks.at(-1) === this.#values.length) this.#marks.pop();
    else this.pop();
    return true;
  }

  /** @param index its position in the memo; default the next */
  remember(index: number | boolean = this.#memo.size): true {
    const value = this.top();
    this.#limit(this.#memo.size);
    this.#memo.set(Number(index), value);
    return true;
  }

  recall(index: number | boolean): true {
    const value = this.#memo.get(Number(index));
    if (value === undefined) throw new FormatError(`nothing is stored in memo ${Number(index)}`);
    return this.push(value);
  }

  /** Counts the values that are made. @throws {FormatError} for too many */
  spend(values: number): void {
    this.#made += values;
    if (this.#made > MAX_MADE) throw new FormatError(`more than ${MAX_MADE} values`);
  }

  #limit(values: number): void {
    if (values >= MAX_VALUES) throw new FormatError(`more than ${MAX_VALUES} values at a time`);
  }
}
