/** The pictures that can show an explanation, by name. */

import { ShapeError } from '../../errors.js';
import type { Explanation } from '../../explanation.js';

/** What a picture shows. `scales` is one picture for each scale. */
export type PictureKind =
  | 'sheet'
  | 'saliency'
  | 'overlay'
  | 'lovi'
  | 'fastcam'
  | 'non-class'
  | 'scales'
  | 'attribution'
  | 'attribution-overlay'
  | 'picture'
  | 'thumbnails';

/** Kinds that show the map of another method, if one was asked for. */
const ATTRIBUTION_KINDS: readonly PictureKind[] = ['attribution', 'attribution-overlay'];

/** The kinds that are drawn by default. */
export const DEFAULT_KINDS: readonly PictureKind[] = [
  // Pictures that take long to compress come first: the others are drawn meanwhile.
  ...(['sheet', 'overlay', 'lovi', 'saliency', 'fastcam', 'non-class', 'scales'] as const),
  ...ATTRIBUTION_KINDS,
];

export const PICTURE_KINDS: readonly PictureKind[] = [...DEFAULT_KINDS, 'picture', 'thumbnails'];

/** Kinds that show a class activation map. */
const CLASS_KINDS: readonly PictureKind[] = ['fastcam', 'non-class'];

/** Whether any of the pictures has text on it. */
export function needsLettering(only: readonly PictureKind[]): boolean {
  return only.includes('sheet') || only.includes('lovi');
}

/** What decides which pictures can be drawn. */
export interface Drawable extends Pick<Explanation, 'cam'> {
  /** Whether another method was asked for, too. */
  readonly hasAttribution: boolean;
}

/** The kinds that can be drawn for an explanation: of those asked for, or else of the default ones. */
export function kindsOf(
  only: readonly PictureKind[] | undefined,
  { cam, hasAttribution }: Drawable,
): readonly PictureKind[] {
  const hasClasses = cam !== 'none';
  if (only === undefined) {
    return DEFAULT_KINDS.filter(
      (kind) =>
        (hasClasses || !CLASS_KINDS.includes(kind)) &&
        (hasAttribution || !ATTRIBUTION_KINDS.includes(kind)),
    );
  }
  for (const kind of only) {
    if (!PICTURE_KINDS.includes(kind)) {
      throw new ShapeError(`only: expected ${PICTURE_KINDS.join(', ')}, got ${kind}`);
    }
    if (!hasClasses && CLASS_KINDS.includes(kind)) {
      throw new ShapeError(`only: ${kind} needs a class activation map, but cam is none`);
    }
    if (!hasAttribution && ATTRIBUTION_KINDS.includes(kind)) {
      throw new ShapeError(`only: ${kind} needs a method`);
    }
  }
  return PICTURE_KINDS.filter((kind) => only.includes(kind));
}

/** The contents of the strip of thumbnails, from left to right. */
export function thumbnailKinds({ cam }: Pick<Explanation, 'cam'>): PictureKind[] {
  return cam === 'none'
    ? ['picture', 'overlay', 'lovi']
    : ['picture', 'overlay', 'lovi', 'fastcam'];
}

/** The kinds to draw for a gallery: those that it needs, and those asked for. */
export function kindsForGallery(
  only: readonly PictureKind[],
  cam: Explanation['cam'],
): readonly PictureKind[] {
  const wanted = [...only, 'thumbnails', ...thumbnailKinds({ cam })];
  return PICTURE_KINDS.filter((kind) => wanted.includes(kind));
}
