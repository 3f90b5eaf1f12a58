/** The import of a .wasm file, as workerd and its bundlers understand it: a `WebAssembly.Module`. */
declare module '*.wasm' {
  const module: object;
  export default module;
}
