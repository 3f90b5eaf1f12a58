/**
 * Pickles of state dicts, read and never run. A pickle is a program for a stack machine that can import
 * and call anything; here it can build tuples, lists, dicts, numbers and text, and hand the names of
 * globals to `Builder`, which knows a few and refuses the others. No opcode and no name beyond those
 * below has any effect but a `FormatError`.
 *
 * Opcodes are those that `torch.save` emits (protocol 2), and their kin of protocols 3 to 5. Source:
 * CPython's Lib/pickletools.py, which documents each.
 *
 * Bounded without trust: the loop takes a byte or more for each opcode, an opcode pushes one value at
 * most, no value is walked or copied by another than by reference, and text is as long as its bytes.
 */

import { FormatError } from '../errors.js';
import { decodeUtf8 } from '../model/formats/utf8.js';

/** Tuples and lists alike are arrays, dicts are Maps; objects are what a `Builder` makes. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleObject;

/** What a builder made; `kind` is for the builder and for messages. */
export interface PickleObject {
  readonly kind: string;
}

/** What the globals of a pickle stand for. Each method refuses by throwing a `FormatError`. */
export interface Builder {
  global(module: string, name: string): PickleObject;
  call(callable: PickleValue, args: readonly PickleValue[]): PickleValue;
  persistent(id: PickleValue): PickleValue;
}

/** A state dict of a ResNet-152 with its optimizer's takes 1 MB; tensors lie elsewhere. */
const MAX_PICKLE_BYTES = 64 * 2 ** 20;

/** Values on the stack or in the memo at a time; a ResNet-152's pickle has some thousands. */
const MAX_VALUES = 2 ** 20;

/**
 * The value that a pickle describes.
 *
 * @throws {FormatError} without the file's name, with the byte offset, for an opcode that is not known
 * here, for a global or a call that the builder refuses, and for anything that no pickler writes
 */
export function readPickle(bytes: Uint8Array, builder: Builder): PickleValue {
  checkPickleLength(bytes.length);
  const machine = new Machine(bytes, builder);
  for (;;) {
    const start = machine.at;
    try {
      if (machine.step()) return machine.result();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError(`pickle, byte ${start}: ${error.message}`);
    }
  }
}

/** Before a pickle is read at all. @throws {FormatError} for one that is too long */
export function checkPickleLength(length: number): void {
  if (length <= MAX_PICKLE_BYTES) return;
  throw new FormatError(`pickle of ${length} bytes, at most ${MAX_PICKLE_BYTES} are read`);
}

class Machine {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #builder: Builder;
  readonly #stack: PickleValue[] = [];
  /** Stack heights at the marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, builder: Builder) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#builder = builder;
  }

  result(): PickleValue {
    return this.#pop();
  }

  /** Runs one opcode. @returns true for STOP */
  step(): boolean {
    const opcode = this.#bytes[this.#skip(1)]!;
    switch (opcode) {
      case 0x80: // PROTO
        this.#version(this.#u8());
        return false;
      case 0x95: // FRAME: only says how far the next bytes reach
        this.#skip(8);
        return false;
      case 0x2e: // STOP
        return true;
      default:
        if (!this.#scalar(opcode) && !this.#container(opcode) && !this.#object(opcode)) {
          throw new FormatError(
            `opcode 0x${opcode.toString(16).padStart(2, '0')} is not one that a state dict needs: refused`,
          );
        }
        return false;
    }
  }

  #version(version: number): void {
    if (version < 2 || version > 5) {
      throw new FormatError(`protocol ${version}, expected 2 to 5`);
    }
  }

  /** Numbers and text. @returns false for another opcode */
  #scalar(opcode: number): boolean {
    switch (opcode) {
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(this.#u8());
      case 0x4d: // BININT2
        return this.#push(this.#view.getUint16(this.#skip(2), true));
      case 0x4a: // BININT
        return this.#push(this.#view.getInt32(this.#skip(4), true));
      case 0x8a: // LONG1
        return this.#push(this.#long(this.#u8()));
      case 0x47: // BINFLOAT
        return this.#push(this.#view.getFloat64(this.#skip(8), false));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#u32()));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#u8()));
      default:
        return false;
    }
  }

  /** Tuples, lists, dicts, the stack itself and its memo. @returns false for another opcode */
  #container(opcode: number): boolean {
    switch (opcode) {
      case 0x28: // MARK
        this.#limit(this.#marks.length);
        this.#marks.push(this.#stack.length);
        return true;
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        return this.#push([]);
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(this.#popMany(opcode - 0x84));
      case 0x74: // TUPLE
        return this.#push(this.#popToMark());
      case 0x61: // APPEND
        return this.#append(this.#popMany(1));
      case 0x65: // APPENDS
        return this.#append(this.#popToMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popToMark());
      case 0x71: // BINPUT
        return this.#remember(this.#u8());
      case 0x72: // LONG_BINPUT
        return this.#remember(this.#u32());
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.size);
      case 0x68: // BINGET
        return this.#recall(this.#u8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#u32());
      default:
        return false;
    }
  }

  /** What takes the builder. @returns false for another opcode */
  #object(opcode: number): boolean {
    switch (opcode) {
      case 0x63: // GLOBAL
        return this.#push(this.#builder.global(this.#line(), this.#line()));
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string') {
          throw new FormatError('a global whose name is no text');
        }
        return this.#push(this.#builder.global(module, name));
      }
      case 0x52: {
        // REDUCE
        const [callable, args] = this.#popMany(2);
        if (!Array.isArray(args)) throw new FormatError('a call without a tuple of arguments');
        return this.#push(this.#builder.call(callable!, args));
      }
      case 0x51: // BINPERSID
        return this.#push(this.#builder.persistent(this.#pop()));
      case 0x62: {
        // BUILD: attributes, as an OrderedDict's `_metadata`. Nothing here has any, so they are dropped.
        this.#pop();
        if (!(this.#top() instanceof Map)) {
          throw new FormatError('attributes of something that is no dict');
        }
        return true;
      }
      default:
        return false;
    }
  }

  #push(value: PickleValue): true {
    this.#limit(this.#stack.length);
    this.#stack.push(value);
    return true;
  }

  /** The latest value, which may not lie below the latest mark. */
  #top(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) {
      throw new FormatError('the stack is empty');
    }
    return this.#stack.at(-1)!;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length - count < (this.#marks.at(-1) ?? 0)) {
      throw new FormatError('the stack is empty');
    }
    return this.#stack.splice(-count);
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new FormatError('no mark on the stack');
    return this.#stack.splice(mark);
  }

  #append(values: readonly PickleValue[]): true {
    const list = this.#top();
    if (!Array.isArray(list)) throw new FormatError('an append to something that is no list');
    for (const value of values) list.push(value);
    return true;
  }

  #setItems(items: readonly PickleValue[]): true {
    const dict = this.#top();
    if (!(dict instanceof Map)) throw new FormatError('an item of something that is no dict');
    if (items.length % 2 !== 0) throw new FormatError('a key without a value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (typeof key === 'object' && key !== null) {
        throw new FormatError('a key that is neither text nor a number');
      }
      dict.set(key, items[i + 1]!);
    }
    return true;
  }

  #remember(index: number): true {
    const value = this.#top();
    this.#limit(this.#memo.size);
    this.#memo.set(index, value);
    return true;
  }

  #recall(index: number): true {
    const value = this.#memo.get(index);
    if (value === undefined) throw new FormatError(`nothing is remembered as ${index}`);
    return this.#push(value);
  }

  #limit(values: number): void {
    if (values >= MAX_VALUES) throw new FormatError(`more than ${MAX_VALUES} values at a time`);
  }

  /** Moves over `length` bytes. @returns where they begin */
  #skip(length: number): number {
    const begin = this.at;
    if (length > this.#bytes.length - begin) {
      throw new FormatError(
        `truncated: ${length} bytes expected, ${this.#bytes.length - begin} left`,
      );
    }
    this.at += length;
    return begin;
  }

  #u8(): number {
    return this.#bytes[this.#skip(1)]!;
  }

  #u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  /** Two's complement, little-endian. Beyond 2⁵³ it is rounded: sizes that large are refused anyway. */
  #long(length: number): number {
    const begin = this.#skip(length);
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + this.#bytes[begin + i]!;
    const negative = length > 0 && this.#bytes[begin + length - 1]! >= 0x80;
    return negative ? value - 2 ** (8 * length) : value;
  }

  #text(length: number): string {
    const begin = this.#skip(length);
    return decodeUtf8(this.#bytes.subarray(begin, begin + length));
  }

  /** Text up to the end of the line. */
  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new FormatError('truncated: a name without an end');
    const text = this.#text(end - this.at);
    this.#skip(1);
    return text;
  }
}
