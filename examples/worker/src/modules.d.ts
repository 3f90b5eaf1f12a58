/** The bundler's rule `Data`: a file as its bytes. */
declare module '*.safetensors' {
  const bytes: ArrayBuffer;
  export default bytes;
}

declare module '*.onnx' {
  const bytes: ArrayBuffer;
  export default bytes;
}

/** The rule `CompiledWasm`. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
