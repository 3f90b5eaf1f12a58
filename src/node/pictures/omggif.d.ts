/** The part of omggif that is used; the package has no types. */
declare module 'omggif' {
  class GifReader {
    constructor(bytes: Uint8Array);
    readonly width: number;
    readonly height: number;
    /** Writes RGBA on the canvas; pixels outside the frame, and transparent ones, are left. */
    decodeAndBlitFrameRGBA(frame: number, out: Uint8Array): void;
  }
  const omggif: { readonly GifReader: typeof GifReader };
  export default omggif;
}
