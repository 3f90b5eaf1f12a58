/** A picture by its URL: from hosts that the configuration names, and from nowhere else. */

import { announcedLength, type ByteSource } from './body.js';
import { LIMITS } from './limits.js';
import { Problem } from './problem.js';

/**
 * Asks for `text`. Redirects are followed by hand, on the same host only: one that is trusted with
 * pictures is not trusted to send the worker elsewhere.
 *
 * @throws {Problem} 400 for a URL that is not allowed, 502 where there is no picture
 */
export async function fetchPicture(
  text: string,
  hosts: readonly string[],
  signal: AbortSignal,
): Promise<ByteSource> {
  let url = allowedUrl(text, hosts);
  for (let redirects = 0; redirects <= LIMITS.redirects; redirects++) {
    const response = await request(url, signal);
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      url = allowedUrl(new URL(location, url).href, [url.host]);
      continue;
    }
    if (response.ok) return { body: response.body, length: announcedLength(response.headers) };
    await response.body?.cancel();
    throw new Problem(502, 'url-failed', `${url.host} answers ${response.status}`);
  }
  throw new Problem(502, 'url-failed', `${url.host} redirects too often`);
}

function allowedUrl(text: string, hosts: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const named = url !== undefined && hosts.includes(url.host);
  // `host` has the port in it, unless it is https' own.
  if (!named || url.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new Problem(400, 'url-refused', 'url: expected https and a host that is allowed here');
  }
  return url;
}

async function request(url: URL, signal: AbortSignal): Promise<Response> {
  try {
    const headers = { accept: 'image/png, image/jpeg, image/webp' };
    return await fetch(url, { headers, redirect: 'manual', signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Problem(502, 'url-failed', `${url.host} does not answer`);
  }
}
