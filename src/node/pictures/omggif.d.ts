/** The part of omggif that is used here; the package has no types. */
declare module 'omggif' {
  class GifReader {
    constructor(bytes: Uint8Array);
    readonly width: number;
    readonly height: number;
    /** Writes RGBA on the canvas; pixels outside the frame, and transparent ones, are not changed. */
    decodeAndBlitFrameRGBA(frame: number, out: Uint8Array): void;
  }
  const omggif: { readonly GifReader: typeof GifReader };
  export default omggif;
}
