/** Elements of index.html by id, with the type that they have there. */

export function element<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new TypeError(`#${id}: expected a ${type.name}, got ${found?.tagName ?? 'nothing'}`);
}
