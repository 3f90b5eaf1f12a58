/** What a gallery shows: the data that the command gives, and the page in the browser reads. */

/** What has been drawn of a picture, in the order in which the page shows it. */
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
  /** Pixels of the whole strip. */
  readonly width: number;
  readonly height: number;
  /** What each tile shows. */
  readonly kinds: readonly string[];
}

/** One explained picture. Files are paths relative to the folder of index.html. */
export interface GalleryEntry {
  /** The input's path as given. */
  readonly title: string;
  /** Pixels of the picture as given. */
  readonly width: number;
  readonly height: number;
  readonly thumbnails: Thumbnails;
  /** What can be enlarged. */
  readonly pictures: Readonly<Partial<Record<Kind, string>>>;
  /** Up to five, the likeliest first; empty without a classifier. */
  readonly top: readonly RankedClass[];
  /** The class that the class activation map speaks for. */
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
