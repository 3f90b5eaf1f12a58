import { refuseKind, ShapeError } from '../errors.js';

/**
 * The index of a class given by its index or its name (whole, in any case).
 *
 * @param labels the names of all classes, in index order
 * @throws {ShapeError} for an unknown class, with a list of similar ones, and for a name that several
 * classes have
 */
export function classIndex(labels: readonly string[], target: number | string): number {
  if (labels.length === 0) {
    throw new ShapeError(`target: the network has no classifier, and so no class ${target}`);
  }
  if (typeof target === 'number') {
    if (Number.isInteger(target) && target >= 0 && target < labels.length) return target;
    throw new ShapeError(`target: expected a class index 0…${labels.length - 1}, got ${target}`);
  }
  if (typeof target !== 'string') refuseKind('target:', 'a class index or name', target);
  const wanted = target.toLowerCase();
  const found = [...labels.keys()].filter((i) => labels[i]!.toLowerCase() === wanted);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw new ShapeError(
      `target: ${found.length} classes are called ${target}; give an index: ${found.join(' or ')}`,
    );
  }
  const near = labels.filter((label) => label.toLowerCase().includes(wanted)).slice(0, 5);
  const hint = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
  throw new ShapeError(`target: no class is called ${target}${hint}`);
}

/** The class with the largest logit; the first of equal ones. */
export function topClass(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}
