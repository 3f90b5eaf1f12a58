import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FILE, FILE_SHA256, goodServer, serve } from '../node/model-server.js';
import { failure, fastcam, inTerminal } from './terminal.js';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'fastcam-cache-'));
  vi.stubEnv('FASTCAM_CACHE', cache);
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy']) {
    vi.stubEnv(name, '');
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

describe('fastcam fetch', () => {
  test('says what was fetched, where it is, its hash and how to use it', async () => {
    const { url } = await goodServer();
    const { code, stdout, stderr } = await fastcam('fetch', url);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [name, path, hash, use] = stdout.split('\n');
    expect(name).toBe(`${url}: 0.3 MB`);
    expect(readFileSync(path!.trim())).toEqual(FILE);
    expect(hash).toBe(`  SHA-256 ${FILE_SHA256}, not verified: there is no known hash`);
    expect(use).toBe(`To use it: fastcam explain photo.jpg --model ${url}`);

    const again = await fastcam('fetch', url, '--sha256', FILE_SHA256.toUpperCase());
    expect(again.stdout).toContain('0.3 MB, already in the cache');
    expect(again.stdout).toContain(`SHA-256 ${FILE_SHA256}, as given`);
  });

  test('--json prints one line of JSON for each model, and nothing else', async () => {
    const { origin } = await goodServer();
    const urls = [`${origin}/a.safetensors`, `${origin}/b.safetensors`];
    const { code, stdout } = await fastcam('fetch', ...urls, '--json');
    expect(code).toBe(0);
    const fetched = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(fetched.map(({ url }) => url)).toEqual(urls);
    expect(fetched[0]).toMatchObject({ bytes: 300_000, verified: 'none', cached: false });
  });

  test('shows the bytes and their rate on a terminal, and takes the bar away', async () => {
    const { url } = await goodServer();
    const { code, stderr } = await inTerminal(true, ['fetch', url]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/0\.3 of 0\.3 MB, [\d.]+ MB\/s …[\w:/.]+weights\.safetensors/);
    expect(stderr.endsWith('\n')).toBe(false);
  });

  test('fetches the others if one fails, with exit code 1', async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(request.url === '/good' ? 200 : 404).end('bytes');
    });
    const argv = ['fetch', `${origin}/bad`, `${origin}/good`, '--json'];
    const { code, stdout, stderr } = await fastcam(...argv);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ name: `${origin}/good` });
    expect(stderr).toBe(`fastcam: ${origin}/bad: the server answers 404, there is no such file\n`);
  });

  test('with a wrong hash, or with too many bytes, prints one line, exit code 1', async () => {
    const { url } = await goodServer();
    expect(await failure(1, 'fetch', url, '--sha256', 'a'.repeat(64))).toContain('expected aaaa');
    expect(await failure(1, 'fetch', url, '--max-bytes', '299kB')).toContain('299000 bytes');
    expect((await fastcam('fetch', url, '--max-bytes', '300kB')).code).toBe(0);
  });

  test('without a network says what to do', async () => {
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
    const line = await failure(1, 'fetch', 'resnet18');
    expect(line).toMatch(/^fastcam: resnet18: https:\/\/huggingface\.co\/timm\/resnet18\.tv_in1k/);
    expect(line).toContain(
      'without internet access, download it elsewhere and give its path to --model',
    );
  });

  test.each([
    ['fetch'],
    ['fetch', 'resnet51'],
    ['fetch', 'ftp://127.0.0.1/a.pth'],
    ['fetch', 'http://me:secret@127.0.0.1/a.pth'],
    ['fetch', 'resnet18', 'resnet34', '--sha256', 'a'.repeat(64)],
    ['fetch', 'resnet18', '--sha256', 'abc'],
    ['fetch', 'resnet18', '--max-bytes', 'much'],
    ['fetch', 'resnet18', '--max-bytes', '0'],
    ['fetch', 'resnet18', '--mirror'],
  ])('fastcam %s %s %s %s: one line that says what was expected, exit code 2', async (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    expect(await failure(2, ...words)).not.toContain('secret');
  });
});

describe('--model', () => {
  test('with a name that was not fetched says which command does, and asks nobody', async () => {
    const { url, requests } = await goodServer();
    vi.stubEnv('HTTPS_PROXY', url);
    expect(await failure(1, 'explain', 'samples/chelsea.png', '--model', 'resnet50')).toBe(
      `fastcam: resnet50: not in the cache, ${cache}; to download it: fastcam fetch resnet50\n`,
    );
    expect(requests).toEqual([]);
  });

  test('with a name that was fetched explains', async () => {
    const bytes = readFileSync('models/tiny-resnet50.safetensors');
    writeFileSync(join(cache, 'timm-resnet50.tv_in1k.safetensors'), bytes);
    const argv = ['explain', 'samples/chelsea.png', '--model', 'resnet50', '-o', cache, '--json'];
    const { code, stdout } = await fastcam(...argv);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).model).toMatchObject({ name: 'resnet50' });
  });
});
