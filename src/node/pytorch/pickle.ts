/**
 * Pickles, read and never run. A pickle is a program for a stack machine that can import and call anything.
 * Here it only builds lists, dicts, numbers, text and bytes. Each global, and each call of one, becomes an
 * inert object that holds its name and arguments. A `Builder` makes tensors from the few calls that it knows.
 *
 * All opcodes that picklers write are supported, protocols 0 to 5. Those that refer to data outside the pickle
 * (EXT1…4, out-of-band buffers) are refused. Source: CPython's Lib/pickletools.py, which documents each.
 *
 * Limits without trust in the file: an opcode takes at least one byte and pushes at most one value; values are
 * counted (pickle-stack.ts) and copied only by reference; text is as long as its bytes.
 */

import { FormatError } from '../../errors.js';
import { type ByteSource, byteSource } from '../../model/formats/byte-source.js';
import { MAX_PICKLE_BYTES, PickleInput } from './pickle-input.js';
import { PickleStack } from './pickle-stack.js';
import { numberOfText, pythonText, rawUnicode } from './pickle-text.js';
import {
  type Inert,
  inert,
  isInert,
  type PickleBytes,
  type PickleMap,
  type PickleValue,
} from './values.js';

/** Gives the values of some calls and of the persistent ids of a pickle. It refuses with a `FormatError`. */
export interface Builder {
  /**
   * @param spend call it with the number of values that are copied
   * @returns undefined for an unknown call: the result is inert
   */
  call(
    callable: Inert,
    args: readonly PickleValue[],
    spend: (values: number) => void,
  ): PickleValue | undefined;
  persistent(id: PickleValue): PickleValue;
}

/** Makes nothing: for a pickle of numbers and text. @param where the place in the error for a persistent id */
export function plainBuilder(where: string): Builder {
  return {
    call: () => undefined,
    persistent: () => {
      throw new FormatError(`a persistent id ${where}`);
    },
  };
}

/** A dict counts as this many values: an empty one takes 200 bytes. */
const DICT = 16;

/** The same for objects, lists and tuples. */
const OBJECT = 2;

/** Characters of a global's name. */
const MAX_NAME = 1000;

/** Opcodes that refer to something outside the file. */
const REFUSED: Readonly<Record<number, string>> = {
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
};

const MAX_PROTOCOL = 5;

/**
 * The value that a pickle describes.
 *
 * @throws {FormatError} without the file's name, with the byte offset: for an opcode that no pickler
 * writes, for what the builder refuses, and for a pickle that is damaged or too large
 */
export function readPickle(bytes: Uint8Array, builder: Builder): PickleValue {
  checkPickleLength(bytes.length);
  return readPickleAt(byteSource(bytes), 0, builder).value;
}

/** The pickle that begins at a byte of a file, and where it ends. @throws {FormatError} as `readPickle` */
export function readPickleAt(
  source: ByteSource,
  begin: number,
  builder: Builder,
): { value: PickleValue; end: number } {
  const input = new PickleInput(source, begin);
  const machine = new Machine(input, builder);
  for (;;) {
    const start = input.at;
    try {
      if (machine.step()) return { value: machine.result(), end: input.at };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError(`pickle, byte ${start}: ${error.message}`);
    }
  }
}

/** Checked before a pickle is read. @throws {FormatError} for one that is too long */
export function checkPickleLength(length: number): void {
  if (length <= MAX_PICKLE_BYTES) return;
  throw new FormatError(`pickle of ${length} bytes, at most ${MAX_PICKLE_BYTES} are read`);
}

class Machine {
  readonly #input: PickleInput;
  readonly #builder: Builder;
  readonly #stack = new PickleStack();

  constructor(input: PickleInput, builder: Builder) {
    this.#input = input;
    this.#builder = builder;
  }

  result(): PickleValue {
    return this.#stack.pop();
  }

  /** Runs one opcode. @returns true for STOP */
  step(): boolean {
    const opcode = this.#input.u8();
    if (opcode === 0x2e) return true;
    const known =
      this.#number(opcode) ||
      this.#text(opcode) ||
      this.#container(opcode) ||
      this.#fill(opcode) ||
      this.#memory(opcode) ||
      this.#object(opcode);
    if (known) return false;
    const hex = `0x${opcode.toString(16).padStart(2, '0')}`;
    const refused = REFUSED[opcode];
    throw new FormatError(
      refused ? `opcode ${refused} (${hex}) is refused` : `opcode ${hex} is not a pickle opcode`,
    );
  }

  /** Numbers and opcodes without a value. @returns false for another opcode, as all of these */
  #number(opcode: number): boolean {
    const input = this.#input;
    switch (opcode) {
      case 0x80: // PROTO
        return this.#version(input.u8());
      case 0x95: // FRAME: only says how far the next bytes reach
        input.u64();
        return true;
      case 0x4e: // NONE
        return this.#stack.push(null);
      case 0x88: // NEWTRUE
        return this.#stack.push(true);
      case 0x89: // NEWFALSE
        return this.#stack.push(false);
      case 0x4b: // BININT1
        return this.#stack.push(input.u8());
      case 0x4d: // BININT2
        return this.#stack.push(input.u16());
      case 0x4a: // BININT
        return this.#stack.push(input.i32());
      case 0x8a: // LONG1
        return this.#stack.push(input.long(input.u8()));
      case 0x8b: // LONG4
        return this.#stack.push(input.long(input.u32()));
      case 0x47: // BINFLOAT
        return this.#stack.push(input.f64());
      case 0x49: // INT, which protocols 0 and 1 write booleans as too
      case 0x4c: // LONG
      case 0x46: // FLOAT
        return this.#stack.push(numberOfText(input.textLine()));
      default:
        return false;
    }
  }

  #version(version: number): true {
    if (version <= MAX_PROTOCOL) return true;
    throw new FormatError(`protocol ${version}, expected 0 to ${MAX_PROTOCOL}`);
  }

  /** Text and bytes. Python 2's strings are text. */
  #text(opcode: number): boolean {
    const input = this.#input;
    switch (opcode) {
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        return this.#stack.push(input.text(input.u32()));
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        return this.#stack.push(input.text(input.u8()));
      case 0x8d: // BINUNICODE8
        return this.#stack.push(input.text(input.u64()));
      case 0x53: // STRING
        return this.#stack.push(pythonText(input.textLine()));
      case 0x56: // UNICODE
        return this.#stack.push(rawUnicode(input.line()));
      case 0x43: // SHORT_BINBYTES
        return this.#bytes(input.u8());
      case 0x42: // BINBYTES
        return this.#bytes(input.u32());
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#bytes(input.u64());
      default:
        return false;
    }
  }

  #bytes(length: number): true {
    const value: PickleBytes = { kind: 'bytes', bytes: this.#input.bytes(length) };
    return this.#stack.push(value, OBJECT);
  }

  /** New tuples, lists, dicts and sets. */
  #container(opcode: number): boolean {
    switch (opcode) {
      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
        return this.#stack.push([], OBJECT);
      case 0x7d: // EMPTY_DICT
        return this.#stack.push(new Map(), DICT);
      case 0x8f: // EMPTY_SET
        return this.#stack.push({ ...inert('builtins', 'set', []), items: [] } as Inert, OBJECT);
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#stack.push(this.#stack.popMany(opcode - 0x84), OBJECT);
      case 0x74: // TUPLE
      case 0x6c: // LIST
        return this.#stack.push(this.#stack.popToMark(), OBJECT);
      case 0x91: // FROZENSET
        return this.#stack.push(inert('builtins', 'frozenset', [this.#stack.popToMark()]), OBJECT);
      case 0x64: {
        // DICT
        const items = this.#stack.popToMark();
        this.#stack.push(new Map(), DICT);
        return this.#setItems(items);
      }
      default:
        return false;
    }
  }

  /** Puts values into lists, dicts, sets and objects. */
  #fill(opcode: number): boolean {
    switch (opcode) {
      case 0x61: // APPEND
        return this.#append(this.#stack.popMany(1));
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        return this.#append(this.#stack.popToMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#stack.popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#stack.popToMark());
      case 0x62: // BUILD
        return this.#build(this.#stack.pop());
      default:
        return false;
    }
  }

  /** The stack itself and its memo. */
  #memory(opcode: number): boolean {
    const input = this.#input;
    switch (opcode) {
      case 0x28: // MARK
        return this.#stack.mark();
      case 0x30: // POP, of a mark too
        return this.#stack.drop();
      case 0x31: // POP_MARK
        this.#stack.popToMark();
        return true;
      case 0x32: // DUP
        return this.#stack.push(this.#stack.top());
      case 0x70: // PUT
        return this.#stack.remember(numberOfText(input.textLine()));
      case 0x71: // BINPUT
        return this.#stack.remember(input.u8());
      case 0x72: // LONG_BINPUT
        return this.#stack.remember(input.u32());
      case 0x94: // MEMOIZE
        return this.#stack.remember();
      case 0x67: // GET
        return this.#stack.recall(numberOfText(input.textLine()));
      case 0x68: // BINGET
        return this.#stack.recall(input.u8());
      case 0x6a: // LONG_BINGET
        return this.#stack.recall(input.u32());
      default:
        return false;
    }
  }

  /** Globals and their calls. */
  #object(opcode: number): boolean {
    const input = this.#input;
    switch (opcode) {
      case 0x63: // GLOBAL
        return this.#stack.push(globalOf(input.textLine(), input.textLine()), OBJECT);
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#stack.popMany(2);
        return this.#stack.push(globalOf(module, name), OBJECT);
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [callable, args] = this.#stack.popMany(2);
        return this.#call(callable, args);
      }
      case 0x92: {
        // NEWOBJ_EX
        const [callable, args, named] = this.#stack.popMany(3);
        if (!Array.isArray(args)) return this.#call(callable, args);
        this.#stack.spend(args.length);
        return this.#call(callable, [...args, named!]);
      }
      case 0x69: {
        // INST
        const callable = globalOf(input.textLine(), input.textLine());
        return this.#call(callable, this.#stack.popToMark());
      }
      case 0x6f: {
        // OBJ
        const [callable, ...args] = this.#stack.popToMark();
        return this.#call(callable, args);
      }
      case 0x50: // PERSID
        return this.#stack.push(this.#builder.persistent(input.textLine()), OBJECT);
      case 0x51: // BINPERSID
        return this.#stack.push(this.#builder.persistent(this.#stack.pop()), OBJECT);
      default:
        return false;
    }
  }

  #call(callable: PickleValue | undefined, args: PickleValue | undefined): true {
    if (!isInert(callable)) throw new FormatError('a call of something that is not a global');
    if (!Array.isArray(args)) throw new FormatError('a call without a tuple of arguments');
    const known = this.#builder.call(callable, args, (values) => this.#stack.spend(values));
    const value = known ?? inert(callable.module, callable.name, args);
    return this.#stack.push(value, value instanceof Map ? DICT : OBJECT);
  }

  #build(state: PickleValue): true {
    const object = this.#stack.top();
    // Other objects, such as an OrderedDict's `_metadata` or a parameter's, are not needed.
    if (isInert(object)) object.state = state;
    else if (typeof object !== 'object' || object === null || Array.isArray(object)) {
      throw new FormatError('attributes of something that is not an object');
    }
    return true;
  }

  #append(values: readonly PickleValue[]): true {
    const object = this.#stack.top();
    if (isInert(object)) object.items ??= [];
    const list = isInert(object) ? object.items : object;
    if (!Array.isArray(list)) throw new FormatError('an append to something that is not a list');
    for (const value of values) list.push(value);
    return true;
  }

  #setItems(items: readonly PickleValue[]): true {
    const object = this.#stack.top();
    const dict = isInert(object) ? this.#entriesOf(object) : object;
    if (!(dict instanceof Map)) throw new FormatError('an item of something that is not a dict');
    if (items.length % 2 !== 0) throw new FormatError('a key without a value');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i]!, items[i + 1]!);
    return true;
  }

  #entriesOf(object: Inert): PickleMap {
    if (!object.entries) {
      this.#stack.spend(DICT);
      object.entries = new Map();
    }
    return object.entries;
  }
}

function globalOf(module: PickleValue | undefined, name: PickleValue | undefined): Inert {
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw new FormatError('a global whose name is not text');
  }
  if (module.length + name.length > MAX_NAME)
    throw new FormatError('a global with a name that is too long');
  return inert(module, name);
}
