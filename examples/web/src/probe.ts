/**
 * The point that values are read at: under the pointer, over any of the maps, or moved by the arrow
 * keys from the picture.
 */

/** In parts of the width and the height, each in [0, 1). */
export interface Point {
  readonly u: number;
  readonly v: number;
}

/** An arrow key's step, and that with Shift. */
const STEP = 0.01;
const LARGE_STEP = 0.1;

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const CENTRE: Point = { u: 0.5, v: 0.5 };

/**
 * @param area all of the frames, one to a map
 * @param picture the frame that takes the focus
 * @param onMove is told the point, none where it leaves, and whether keys moved it
 * @returns what moves the point
 */
export function watchPoint(
  area: HTMLElement,
  picture: HTMLElement,
  onMove: (point: Point | undefined, byKey: boolean) => void,
): (point: Point) => void {
  let point: Point | undefined;
  const move = (next: Point | undefined, byKey: boolean): void => {
    if (next === point) return;
    point = next;
    onMove(point, byKey);
  };

  const follow = (event: PointerEvent): void => {
    const frame = (event.target as Element).closest('.frame');
    if (!frame) {
      move(undefined, false);
      return;
    }
    const { left, top, width, height } = frame.getBoundingClientRect();
    const u = within((event.clientX - left) / width);
    move({ u, v: within((event.clientY - top) / height) }, false);
  };
  area.addEventListener('pointermove', follow);
  area.addEventListener('pointerdown', follow);
  area.addEventListener('pointerleave', ({ pointerType }) => {
    // A finger leaves when it lifts, and what it pointed at stays of interest.
    if (pointerType === 'mouse') move(undefined, false);
  });

  picture.addEventListener('keydown', (event) => {
    const arrow = ARROWS[event.key];
    if (arrow) {
      const { u, v } = point ?? CENTRE;
      const step = event.shiftKey ? LARGE_STEP : STEP;
      move({ u: within(u + step * arrow[0]), v: within(v + step * arrow[1]) }, true);
    } else if (event.key === 'Home') move(CENTRE, true);
    else if (event.key === 'Escape') move(undefined, true);
    else return;
    event.preventDefault();
  });
  return (next) => move(next, false);
}

function within(part: number): number {
  return Math.max(0, Math.min(1 - 1e-6, part));
}
