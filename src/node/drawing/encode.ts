/** RGBA pixels → picture files: PNG by zlib, JPEG by mozjpeg and WebP by libwebp, both in WebAssembly. */

import type { Picture } from '../../image/picture.js';
import type { WasmModule } from '../../kernels/wasm/webassembly.js';
import { optionalPackage } from '../optional-package.js';
import { wasmModule } from '../wasm-module.js';
import { type IndexedPicture, toPicture } from './heat.js';
import { encodeIndexedPng, encodePng } from './png.js';

export type PictureFormat = 'png' | 'jpeg' | 'webp';

interface Encoder {
  readonly ending: string;
  encode(picture: Picture | IndexedPicture): Promise<Uint8Array>;
}

/** No loss is visible at this quality; the file of a photo's overlay is a fiftieth of the PNG. */
const QUALITY = 85;

/** How each format is written. PNG loses nothing; the others drop details that are not visible. */
export const FORMATS: Readonly<Record<PictureFormat, Encoder>> = {
  png: {
    ending: 'png',
    encode: (picture) => ('indices' in picture ? encodeIndexedPng(picture) : encodePng(picture)),
  },
  jpeg: {
    ending: 'jpg',
    async encode(picture) {
      const [{ default: encode, init }, module] = await optionalPackage(
        '@jsquash/jpeg',
        'writing JPEG',
        () =>
          Promise.all([
            import('@jsquash/jpeg/encode.js'),
            wasmModule('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm'),
          ]),
      );
      await init(module);
      return new Uint8Array(await encode(whole(picture), { quality: QUALITY }));
    },
  },
  webp: {
    ending: 'webp',
    async encode(picture) {
      const [{ default: encode, init }, module] = await optionalPackage(
        '@jsquash/webp',
        'writing WebP',
        () =>
          Promise.all([
            import('@jsquash/webp/encode.js'),
            wasmModule('@jsquash/webp/codec/enc/webp_enc_simd.wasm'),
          ]),
      );
      // The package's types leave out the module argument, which its code accepts.
      await (init as (module: WasmModule) => Promise<unknown>)(module);
      return new Uint8Array(await encode(whole(picture), { quality: QUALITY, method: 2 }));
    },
  },
};

function whole(picture: Picture | IndexedPicture): Picture {
  return 'indices' in picture ? toPicture(picture) : picture;
}
