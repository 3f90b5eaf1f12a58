/** Who may call: how often from one address, and what needs the secret. */

import type { Env } from './env.js';
import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

/**
 * Counts the request. Without the binding there is no limit.
 *
 * @throws {Problem} 429 for an address that asks too often
 */
export async function checkRate({ headers }: Request, { RATE_LIMITER }: Env): Promise<void> {
  if (RATE_LIMITER === undefined) return;
  const { success } = await RATE_LIMITER.limit({ key: callerOf(headers) });
  if (success) return;
  const retry = { 'retry-after': String(LIMITS.rateSeconds) };
  throw new Problem(429, 'too-often', 'too many requests from this address', retry);
}

/**
 * Expects `Authorization: Bearer` with the secret `API_TOKEN`.
 *
 * @throws {Problem} 401 for another token or none, 503 where the worker has no secret
 */
export async function checkToken({ headers }: Request, { API_TOKEN }: Env): Promise<void> {
  if (!API_TOKEN) {
    throw new Problem(503, 'no-token', 'this is off: the worker was deployed without API_TOKEN');
  }
  const authorization = headers.get('authorization') ?? '';
  const given = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
  if (await isSame(given, API_TOKEN)) return;
  const challenge = { 'www-authenticate': 'Bearer' };
  throw new Problem(401, 'token', 'authorization: expected "Bearer" and the API token', challenge);
}

/** Compares digests in constant time. The time shows neither the length of a text nor where the two differ. */
async function isSame(a: string, b: string): Promise<boolean> {
  const digests = [a, b].map((text) =>
    crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)),
  );
  const [digestA, digestB] = await Promise.all(digests);
  return crypto.subtle.timingSafeEqual(digestA!, digestB!);
}

/** The caller's address. IPv6 keeps its first four groups: one customer usually has all addresses that share them. */
function callerOf(headers: Headers): string {
  const address = headers.get('cf-connecting-ip') ?? 'unknown';
  if (!address.includes(':')) return address;
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':'));
  // `::` stands for as many zeros as are missing.
  const zeros = new Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
