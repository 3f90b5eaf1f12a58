/** PyTorch's element types, with safetensors' names if it has one, and their width. */

export interface ElementType {
  readonly dtype: string;
  /** Of one element. */
  readonly bytes: number;
}

const type = (dtype: string, bytes: number): ElementType => ({ dtype, bytes });

const F64 = type('F64', 8);
const F32 = type('F32', 4);
const F16 = type('F16', 2);
const BF16 = type('BF16', 2);
const I64 = type('I64', 8);
const I32 = type('I32', 4);
const I16 = type('I16', 2);
const I8 = type('I8', 1);
const U8 = type('U8', 1);
const BOOL = type('BOOL', 1);
const C64 = type('C64', 8);
const C128 = type('C128', 16);

const STORAGES: Readonly<Record<string, ElementType>> = {
  DoubleStorage: F64,
  FloatStorage: F32,
  HalfStorage: F16,
  BFloat16Storage: BF16,
  LongStorage: I64,
  IntStorage: I32,
  ShortStorage: I16,
  CharStorage: I8,
  ByteStorage: U8,
  BoolStorage: BOOL,
  ComplexFloatStorage: C64,
  ComplexDoubleStorage: C128,
  QInt8Storage: type('QI8', 1),
  QUInt8Storage: type('QU8', 1),
  QInt32Storage: type('QI32', 4),
  QUInt4x2Storage: type('QU4x2', 1),
  QUInt2x4Storage: type('QU2x4', 1),
  // Bytes; the tensors give the type.
  UntypedStorage: U8,
  _UntypedStorage: U8,
};

const DTYPES: Readonly<Record<string, ElementType>> = {
  float64: F64,
  float32: F32,
  float16: F16,
  bfloat16: BF16,
  int64: I64,
  int32: I32,
  int16: I16,
  int8: I8,
  uint64: type('U64', 8),
  uint32: type('U32', 4),
  uint16: type('U16', 2),
  uint8: U8,
  bool: BOOL,
  complex64: C64,
  complex128: C128,
  float8_e4m3fn: type('F8_E4M3', 1),
  float8_e5m2: type('F8_E5M2', 1),
  float8_e4m3fnuz: type('F8_E4M3FNUZ', 1),
  float8_e5m2fnuz: type('F8_E5M2FNUZ', 1),
  float8_e8m0fnu: type('F8_E8M0', 1),
};

const STORAGE_MODULES: readonly string[] = ['torch', 'torch.cuda', 'torch.storage'];

/** The type of a class of storages. */
export function storageType(module: string, name: string): ElementType | undefined {
  if (!STORAGE_MODULES.includes(module) || !Object.hasOwn(STORAGES, name)) return undefined;
  return STORAGES[name];
}

/** The type of a `torch.dtype`, by its name. */
export function dtypeOf(module: string, name: string): ElementType | undefined {
  return module === 'torch' && Object.hasOwn(DTYPES, name) ? DTYPES[name] : undefined;
}
