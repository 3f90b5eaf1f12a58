/** The import of a .wasm file gives a `WebAssembly.Module` on workerd and in its bundlers. */
declare module '*.wasm' {
  const module: object;
  export default module;
}
