/** Pictures, and what is asked of the server. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const sample = (name) => readFileSync(new URL(`../../../samples/${name}`, import.meta.url));
export const cat = sample('chelsea.png');
export const rocket = sample('rocket.jpg');

export function post(url, path, body, headers = { 'content-type': 'image/png' }) {
  return fetch(url + path, { method: 'POST', body, headers, duplex: 'half' });
}

/** Expects problem details, as RFC 9457 has them. */
export async function assertProblem(response, status, code) {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const problem = await response.json();
  assert.deepEqual([response.status, problem.status, problem.code], [status, status, code]);
  assert.match(problem.title, /^[A-Z]/);
  assert.match(problem.detail, /^[^\n]{10,}$/);
  return problem;
}
