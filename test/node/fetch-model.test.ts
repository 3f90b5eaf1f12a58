import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FetchOptions, fetchModel } from '../../src/node/fetch-model.js';
import { openModel } from '../../src/node/model-file.js';
import {
  FILE,
  FILE_SHA256,
  goodServer,
  proxy,
  sendBroken,
  sendFile,
  serve,
  sha256,
} from './model-server.js';

// The built command: `npm ci` builds it (see `prepare`).
const MAIN = 'dist/cli/main.js';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'fastcam-cache-'));
  vi.stubEnv('FASTCAM_CACHE', cache);
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY']) {
    vi.stubEnv(name, '');
    vi.stubEnv(name.toLowerCase(), '');
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

const QUICK: FetchOptions = { attempts: 3, retryDelayMs: 5, stallMs: 400 };

function fetchFile(url: string, options: FetchOptions = {}): ReturnType<typeof fetchModel> {
  return fetchModel(url, { ...QUICK, ...options });
}

/** The error of a fetch, in one line; and nothing is in the cache under a name that would be used. */
async function failure(url: string, options: FetchOptions = {}): Promise<string> {
  const error: Error = await fetchFile(url, options).then(
    () => expect.fail('it was fetched'),
    (reason) => reason,
  );
  expect(error.name).toBe('FetchError');
  expect(error.message).not.toContain('\n');
  expect(usable()).toEqual([]);
  return error.message;
}

/** Files in the cache but for parts and locks. */
function usable(): string[] {
  return readdirSync(cache).filter((name) => !/\.(part|part\.json|lock)$/.test(name));
}

describe('a fetch', () => {
  test('leaves the file, whole, under a name of its URL’s, and nothing else', async () => {
    const { url } = await goodServer();
    const steps: [number, number | undefined][] = [];
    const fetched = await fetchFile(url, { onProgress: (...step) => steps.push(step) });
    expect(fetched).toMatchObject({ url, bytes: FILE.length, sha256: FILE_SHA256, cached: false });
    expect(readFileSync(fetched.path)).toEqual(FILE);
    expect(basename(fetched.path)).toMatch(/^weights-[0-9a-f]{12}\.safetensors$/);
    expect(readdirSync(cache)).toEqual([basename(fetched.path)]);
    expect([steps[0], steps.at(-1)]).toEqual([
      [0, FILE.length],
      [FILE.length, FILE.length],
    ]);
  });

  test('of a cached file sends no request, except with force', async () => {
    const { url, requests } = await goodServer();
    await fetchFile(url);
    expect(await fetchFile(url)).toMatchObject({ cached: true, sha256: FILE_SHA256 });
    expect(requests).toHaveLength(1);
    expect(await fetchFile(url, { force: true })).toMatchObject({ cached: false });
    expect(requests).toHaveLength(2);
  });

  test('without a Content-Length takes all bytes that the server sends', async () => {
    const { url } = await serve((_, response) => response.end(FILE));
    expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256, verified: 'none' });
  });
});

describe('a broken connection', () => {
  test('is resumed where it broke, on condition of the ETag', async () => {
    const { url, requests } = await serve((request, response, i) =>
      i === 0 ? sendBroken(response, 100_000) : sendFile(request, response),
    );
    expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256 });
    expect(requests).toEqual(['/weights.safetensors', '/weights.safetensors bytes=100000-']);
  });

  test('leaves its part for the next call', async () => {
    const { url } = await serve((_, response) => sendBroken(response, FILE.length / 2));
    expect(await failure(url, { attempts: 1 })).toMatch(/1 attempts failed; run the same command/);
    const [part] = readdirSync(cache).filter((name) => name.endsWith('.part'));
    expect(readFileSync(join(cache, part!))).toEqual(FILE.subarray(0, FILE.length / 2));
  });

  test('starts again if the server ignores ranges', async () => {
    const { url, requests } = await serve((_, response, i) => {
      if (i === 0) sendBroken(response, 100_000);
      else response.writeHead(200, { 'content-length': FILE.length }).end(FILE);
    });
    expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256 });
    expect(requests).toHaveLength(2);
  });

  test('starts again if the file has changed', async () => {
    const other = Buffer.from(FILE).reverse();
    const { url } = await serve((request, response, i) => {
      if (i === 0) sendBroken(response, 100_000);
      else sendFile(request, response, { file: other, etag: '"2"' });
    });
    expect(await fetchFile(url)).toMatchObject({ sha256: sha256(other) });
  });

  test.each([
    ['a weak ETag', { etag: 'W/"1"' }],
    ['no ETag', {}],
  ])('asks for all again after %s', async (_, headers) => {
    const { url, requests } = await serve((request, response, i) => {
      if (i === 0) sendBroken(response, 100_000, headers);
      else sendFile(request, response);
    });
    expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256 });
    expect(requests).toEqual(['/weights.safetensors', '/weights.safetensors']);
  });

  test('starts again if the rest is not available, or the server sends another part', async () => {
    const rest = 'bytes 100000-299999/300000';
    for (const contentRange of ['bytes */300000', 'bytes 7-99/300000', 'nonsense', rest]) {
      const { url, requests } = await serve((request, response, i) => {
        if (i === 0) sendBroken(response, 100_000);
        else if (i > 1) sendFile(request, response);
        else {
          const status = contentRange.includes('*') ? 416 : 206;
          // Another file's ETag: the condition was not kept.
          const headers = { 'content-range': contentRange, etag: '"2"' };
          response.writeHead(status, headers).end('of no use');
        }
      });
      expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256 });
      expect(requests[2]).toBe('/weights.safetensors');
    }
  });

  test('whose part was damaged on disk starts again once, and is then correct', async () => {
    const { url, requests } = await serve((request, response, i) =>
      i === 0 ? sendBroken(response, 100_000) : sendFile(request, response),
    );
    await failure(url, { attempts: 1 });
    const part = readdirSync(cache).find((name) => name.endsWith('.part'))!;
    writeFileSync(join(cache, part), Buffer.alloc(100_000));
    expect(await fetchFile(url, { sha256: FILE_SHA256 })).toMatchObject({ verified: 'caller' });
    expect(requests).toHaveLength(3);
  });

  test('before a wrong hash does not start again for ever', async () => {
    const { url, requests } = await serve((request, response, i) =>
      i % 2 === 0 ? sendBroken(response, 100_000) : sendFile(request, response),
    );
    expect(await failure(url, { sha256: 'b'.repeat(64) })).toContain('by the caller');
    expect(requests).toHaveLength(4);
  });

  test('that breaks each time ends after the attempts, and says how to go on', async () => {
    const { url, requests } = await serve((_, response) => response.destroy());
    expect(await failure(url)).toBe(
      `${url}: the connection was closed: 3 attempts failed; run the same command again to continue`,
    );
    expect(requests).toHaveLength(3);
  });

  test('that stalls is given up, resumed, and finally refused', async () => {
    const { url, requests } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': FILE.length, etag: '"1"' });
      response.write(FILE.subarray(0, 1000));
    });
    expect(await failure(url, { attempts: 2 })).toContain('nothing came for too long');
    expect(requests[1]).toBe('/weights.safetensors bytes=1000-');
  });

  test('that never answers is refused', async () => {
    const { url } = await serve(() => {});
    expect(await failure(url, { attempts: 1 })).toContain('no answer came in time');
  });
});

describe('what the server says', () => {
  test.each([500, 502, 503, 429])('%i and then 200 is a file', async (status) => {
    const { url, requests } = await serve((request, response, i) => {
      if (i === 0) response.writeHead(status, { 'retry-after': '0' }).end('later');
      else sendFile(request, response);
    });
    expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256 });
    expect(requests).toHaveLength(2);
  });

  test('503 each time is refused after the attempts', async () => {
    const { url, requests } = await serve((_, response) => response.writeHead(503).end());
    expect(await failure(url)).toContain('the server answers 503: 3 attempts failed');
    expect(requests).toHaveLength(3);
  });

  test.each([
    [404, 'no such file'],
    [403, 'access is denied'],
    [204, '204'],
  ])('%i is refused at once: %s', async (status, reason) => {
    const { url, requests } = await serve((_, response) => response.writeHead(status).end());
    expect(await failure(url)).toContain(reason);
    expect(requests).toHaveLength(1);
  });

  test('a Content-Length larger than the body is a broken connection', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': FILE.length + 1 });
      response.write(FILE, () => response.destroy());
    });
    expect(await failure(url)).toContain('the connection was closed');
  });

  test('a Content-Length smaller than the body gives a file with a wrong hash', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).write(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n`);
      socket.write(FILE);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/weights.safetensors`;
    expect(await failure(url, { sha256: FILE_SHA256 })).toContain('its SHA-256 is');
    server.close();
  });

  test('a file with a Content-Encoding is refused', async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('…'),
    );
    expect(await failure(url)).toContain('is sent compressed, as gzip');
  });

  test('more bytes than are allowed are refused, announced or not', async () => {
    for (const announce of [true, false]) {
      const { url } = await serve((_, response) => {
        if (announce) response.setHeader('content-length', FILE.length);
        response.end(FILE);
      });
      const refused = fetchFile(url, { maxBytes: 299_999 });
      await expect(refused).rejects.toThrow('more than the 299999 bytes');
      expect(await fetchFile(url, { maxBytes: 300_000 })).toMatchObject({ bytes: 300_000 });
    }
  });
});

describe('redirects', () => {
  test('are followed, the hash of the first one holds', async () => {
    const { url, origin } = await serve((request, response) => {
      if (request.url === '/file') return sendFile(request, response);
      const headers = { location: '/file', 'x-linked-etag': `"${FILE_SHA256}"` };
      response.writeHead(302, headers).end();
    });
    expect(await fetchFile(url)).toMatchObject({ url, verified: 'server', sha256: FILE_SHA256 });
    expect(await fetchFile(`${origin}/file`)).toMatchObject({ verified: 'none' });
  });

  test('that state another hash than that of the file are refused, and the part is not kept', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/file') return sendFile(request, response);
      const headers = { location: '/file', 'x-linked-etag': `"${'0'.repeat(64)}"` };
      response.writeHead(302, headers).end();
    });
    expect(await failure(url)).toBe(
      `${url}: its SHA-256 is ${FILE_SHA256}, expected ${'0'.repeat(64)} by the server: this is not the published file; it is not kept`,
    );
    expect(readdirSync(cache)).toEqual([]);
  });

  test('that state a git hash: it is not used as the hash of the file', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/file') return sendFile(request, response);
      const headers = { location: '/file', 'x-linked-etag': `"${'a'.repeat(40)}"` };
      response.writeHead(302, headers).end();
    });
    expect(await fetchFile(url)).toMatchObject({ verified: 'none' });
  });

  test('are resumed from the first URL, because the last one may be signed for a short time', async () => {
    const { url, requests } = await serve((request, response, i) => {
      if (request.url === '/weights.safetensors') {
        response.writeHead(302, { location: `/signed-${i}` }).end();
      } else if (i === 1) sendBroken(response, 100_000);
      else sendFile(request, response);
    });
    expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256 });
    expect(requests.at(-1)).toBe('/signed-2 bytes=100000-');
  });

  test.each([
    ['a loop', '/weights.safetensors', 'more than 10 redirects'],
    ['another scheme', 'file:///etc/passwd', 'redirects from http: to file:, refused'],
    ['no URL', 'http://[', 'redirects to an invalid URL'],
  ])('to %s are refused', async (_, location, message) => {
    const { url } = await serve((_, response) => response.writeHead(302, { location }).end());
    expect(await failure(url)).toContain(message);
  });
});

describe('a hash', () => {
  test('that the caller gives is compared with that of the file', async () => {
    const { url } = await goodServer();
    expect(await failure(url, { sha256: 'f'.repeat(64) })).toContain('by the caller');
    const upper = FILE_SHA256.toUpperCase();
    expect(await fetchFile(url, { sha256: upper })).toMatchObject({ verified: 'caller' });
  });

  test('that differs from that of the cached file makes it fetch again', async () => {
    const { url, requests } = await goodServer();
    const { path } = await fetchFile(url);
    writeFileSync(path, 'damaged');
    expect(await fetchFile(url, { sha256: FILE_SHA256 })).toMatchObject({ cached: false });
    expect(readFileSync(path)).toEqual(FILE);
    expect(requests).toHaveLength(2);
  });

  test('of torchvision’s is in the name: a cached file without it is not taken', async () => {
    writeFileSync(join(cache, 'resnet18-f37072fd.pth'), 'damaged');
    const { url, tunnels } = await proxy(502);
    vi.stubEnv('HTTPS_PROXY', url);
    const error: Error = await fetchFile('torchvision/resnet18-v1').catch((reason) => reason);
    expect(error.message).toMatch(
      /^https:\/\/download\.pytorch\.org\/models\/resnet18-f37072fd\.pth: no connection through the proxy 127/,
    );
    expect(tunnels).toEqual(['download.pytorch.org:443']);
  });
});

describe('proxies', () => {
  test('of HTTP_PROXY are used, except for the hosts of NO_PROXY', async () => {
    const { url, origin } = await goodServer();
    const { url: proxyUrl, tunnels } = await proxy();
    vi.stubEnv('HTTP_PROXY', proxyUrl);
    expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256 });
    expect(tunnels).toEqual([new URL(origin).host]);
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    await fetchFile(url, { force: true });
    expect(tunnels).toHaveLength(1);
  });

  test('that do not answer are named, without their password', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://me:secret@127.0.0.1:9');
    const message = await failure('https://example.org/a.safetensors');
    expect(message).toContain(
      'cannot be reached through the proxy 127.0.0.1:9, the connection was',
    );
    expect(message).not.toContain('secret');
  });
});

describe('without a network', () => {
  test('it says what to do', async () => {
    expect(await failure('http://127.0.0.1:9/a.safetensors')).toBe(
      'http://127.0.0.1:9/a.safetensors: cannot be reached, the connection was refused: without internet access, download it elsewhere and give its path to --model; behind a proxy, set HTTPS_PROXY',
    );
  });
});

describe('names', () => {
  test.each([
    ['..%2f..%2fetc%2fpasswd', /^[\w.-]*etc-passwd-[0-9a-f]{12}$/],
    ['.hidden.pth', /^hidden-[0-9a-f]{12}\.pth$/],
    ['', /^model-[0-9a-f]{12}$/],
    [`${'x'.repeat(500)}.safetensors?token=secret`, /^x{60}-[0-9a-f]{12}\.safetensors$/],
    ['con%00%22%3a.pth', /^con----[0-9a-f]{12}\.pth$/],
  ])('of the URL …/%s stay in the cache and on every file system', async (path, pattern) => {
    const { origin } = await goodServer();
    const fetched = await fetchFile(`${origin}/${path}`);
    expect(join(cache, basename(fetched.path))).toBe(fetched.path);
    expect(basename(fetched.path)).toMatch(pattern);
  });

  test('of two URLs are never the same', async () => {
    const { origin } = await goodServer();
    const paths = await Promise.all(
      ['a/model.safetensors', 'b/model.safetensors', 'a/model.safetensors?revision=2'].map(
        async (path) => (await fetchFile(`${origin}/${path}`)).path,
      ),
    );
    expect(new Set(paths).size).toBe(3);
  });

  test.each([
    ['ftp://127.0.0.1/a', 'expected an http or https URL'],
    ['file:///etc/passwd', 'expected an http or https URL'],
    ['http://me:secret@127.0.0.1/a', '127.0.0.1: a URL with a password'],
    ['http://[', 'not a URL'],
    ['resnet51', 'not a known model and not a URL'],
  ])('%s is refused', async (name, message) => {
    await expect(fetchFile(name)).rejects.toThrow(message);
    await expect(fetchFile(name)).rejects.not.toThrow('secret');
  });

  test('a cache that cannot be made is refused with its path', async () => {
    const { url } = await goodServer();
    writeFileSync(join(cache, 'file'), '');
    vi.stubEnv('FASTCAM_CACHE', join(cache, 'file', 'below'));
    await expect(fetchFile(url)).rejects.toThrow(/below.*: a part of its path is not a directory/);
  });
});

describe('two at once', () => {
  test('in one process fetch the file once', async () => {
    const { url, requests } = await serve((request, response) =>
      setTimeout(() => sendFile(request, response), 100),
    );
    const onWait = vi.fn();
    const [a, b] = await Promise.all([fetchFile(url, { onWait }), fetchFile(url, { onWait })]);
    expect([a.cached, b.cached].sort()).toEqual([false, true]);
    expect(onWait).toHaveBeenCalledOnce();
    expect(requests).toHaveLength(1);
    expect(readdirSync(cache)).toEqual([basename(a.path)]);
  });

  test('processes fetch the file once, and both have it', async () => {
    const { url, requests } = await serve((request, response) => {
      setTimeout(() => sendFile(request, response), 500);
    });
    const outputs = await Promise.all(
      [0, 1].map(async () => {
        const { stdout } = await promisify(execFile)(process.execPath, [
          MAIN,
          'fetch',
          url,
          '--json',
        ]);
        return JSON.parse(stdout);
      }),
    );
    expect(outputs.map(({ sha256 }) => sha256)).toEqual([FILE_SHA256, FILE_SHA256]);
    expect(outputs.map(({ cached }) => cached).sort()).toEqual([false, true]);
    expect(requests).toHaveLength(1);
  });

  test('a process that is killed leaves a part, which the next one resumes', async () => {
    let half = () => {};
    const sent = new Promise<void>((resolve) => {
      half = resolve;
    });
    const { url, requests } = await serve((request, response, i) => {
      if (i > 0) return sendFile(request, response);
      response.writeHead(200, { 'content-length': FILE.length, etag: '"1"' });
      response.write(FILE.subarray(0, 100_000), () => setTimeout(half, 100));
    });
    const child = spawn(process.execPath, [MAIN, 'fetch', url], { stdio: 'ignore' });
    await sent;
    child.kill('SIGTERM');
    await once(child, 'close');
    expect(usable()).toEqual([]);
    expect(await fetchFile(url)).toMatchObject({ sha256: FILE_SHA256 });
    expect(requests[1]).toBe('/weights.safetensors bytes=100000-');
  });
});

describe('a model in the cache', () => {
  test('is opened by its name and its URL, with its preprocessing', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
    await expect(openModel({ model: 'microsoft/resnet-50' })).rejects.toThrow(
      `microsoft/resnet-50: not in the cache, ${cache}; to download it: fastcam fetch microsoft/resnet-50`,
    );
    const bytes = readFileSync('models/tiny-resnet50.safetensors');
    writeFileSync(join(cache, 'timm-resnet50.a1_in1k.safetensors'), bytes);
    const { net, name } = await openModel({ model: 'timm/resnet50.a1_in1k' });
    expect(name).toBe('timm/resnet50.a1_in1k');
    expect(net.preprocessing).toMatchObject({ size: 224, interpolation: 'bicubic' });

    const { url } = await serve((_, response) => response.end(bytes));
    await expect(openModel({ model: url })).rejects.toThrow(`fastcam fetch ${url}`);
    await fetchFile(url);
    expect((await openModel({ model: url })).net.architecture.classes).toBe(200);
  });
});
