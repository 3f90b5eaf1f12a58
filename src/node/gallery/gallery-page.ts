/** The data of a gallery, which the command writes and the page in the browser reads. */

/** The pictures that were drawn, in the order in which the page shows them. */
export const KINDS = ['picture', 'overlay', 'lovi', 'fastcam'] as const;
export type Kind = (typeof KINDS)[number];

export interface GalleryClass {
  readonly index: number;
  readonly label: string;
}

export interface RankedClass extends GalleryClass {
  /** 0 … 1. */
  readonly probability: number;
}

/** Small pictures in one file: equal tiles from left to right. */
export interface Thumbnails {
  readonly file: string;
  /** Size of the whole strip in pixels. */
  readonly width: number;
  readonly height: number;
  /** The kind of each tile. */
  readonly kinds: readonly string[];
}

/** One explained picture. Files are paths relative to the folder of index.html. */
export interface GalleryEntry {
  /** The input's path as given. */
  readonly title: string;
  /** Size of the given picture in pixels. */
  readonly width: number;
  readonly height: number;
  readonly thumbnails: Thumbnails;
  /** The pictures that can be enlarged. */
  readonly pictures: Readonly<Partial<Record<Kind, string>>>;
  /** Up to five, the most likely first; empty without a classifier. */
  readonly top: readonly RankedClass[];
  /** The class of the class activation map. */
  readonly target?: GalleryClass;
}

export interface GalleryFailure {
  readonly title: string;
  readonly reason: string;
}

export interface GalleryPage {
  /** The model's name. */
  readonly model: string;
  /** In the order to show. */
  readonly entries: readonly GalleryEntry[];
  readonly failures: readonly GalleryFailure[];
}
