/** Weights and pictures in R2, jobs in a queue. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, it } from 'node:test';
import { cat, LABELS, MODEL, rocket, sizeOf } from './pictures.mjs';
import { built, eventually, start } from './workerd.mjs';

const KEY = 'tiny-resnet50.safetensors';
const TOKEN = 'a-secret-of-the-tests';
const weights = readFileSync(MODEL);
const CLASSES = JSON.parse(readFileSync(LABELS, 'utf8'));

/** Keeps what dies, to be looked at. */
const UNDERTAKER = `export default {
  async queue({ messages }, { DEAD }) {
    for (const { id, body } of messages) await DEAD.put(id, JSON.stringify(body));
  },
};`;

let worker;
let models;
let pictures;
let dead;

/** Every test begins with empty buckets, and with no network loaded. */
async function startAnew() {
  await worker?.stop();
  worker = await start({
    workers: [
      built({
        name: 'worker',
        bindings: { MODEL_KEY: KEY, RETRY_SECONDS: 0, API_TOKEN: TOKEN },
        r2Buckets: { MODELS: 'models', PICTURES: 'pictures' },
        queueProducers: { JOBS: 'jobs' },
        queueConsumers: {
          jobs: { maxBatchSize: 10, maxBatchTimeout: 0.1, maxRetries: 3, deadLetterQueue: 'dead' },
        },
      }),
      {
        name: 'undertaker',
        modules: true,
        script: UNDERTAKER,
        compatibilityDate: '2026-07-30',
        r2Buckets: { DEAD: 'dead' },
        queueConsumers: { dead: { maxBatchTimeout: 0 } },
      },
    ],
  });
  models = await worker.miniflare.getR2Bucket('MODELS', 'worker');
  pictures = await worker.miniflare.getR2Bucket('PICTURES', 'worker');
  dead = await worker.miniflare.getR2Bucket('DEAD', 'undertaker');
}
after(() => worker.stop());

function enqueue(keys, query = '') {
  return post(JSON.stringify({ keys }), query);
}

function post(body, query = '') {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return worker.post(`/batch${query}`, body, 'application/json', headers);
}

/** @param query of the job, its options in order */
function result(query, key) {
  return eventually(() => pictures.get(`results/${query}/${key}`));
}

it('has no network while R2 has none, and then loads it once for all who wait', async () => {
  await startAnew();
  const early = await worker.post('/explain', cat);
  assert.equal(early.status, 503);
  assert.equal(early.json.error.code, 'no-model');
  assert.equal(early.headers.get('retry-after'), '5');
  await models.put(KEY, weights);
  const requests = Array.from({ length: 20 }, () => worker.post('/explain?as=json', cat));
  const answers = await Promise.all(requests);
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(worker.loads(), 1);
});

it('has no network where R2 has something else', async () => {
  await startAnew();
  await models.put(KEY, weights.subarray(0, 1000));
  assert.equal((await worker.post('/explain', cat)).json.error.code, 'no-model');
});

it('explains a batch, and tells beside the results what cannot be explained', async () => {
  await startAnew();
  await models.put(KEY, weights);
  await pictures.put('cat.png', cat);
  await pictures.put('trips/rocket.jpg', rocket);
  await pictures.put('notes.txt', 'no picture');
  await pictures.put('large.png', Buffer.alloc((4 << 20) + 1));
  const keys = ['cat.png', 'trips/rocket.jpg', 'notes.txt', 'large.png', 'missing.png'];
  const { status, json } = await enqueue(keys, '?statistic=sd&as=lovi');
  assert.equal(status, 202);
  assert.equal(json.queued, 5);
  const query = 'as=lovi&statistic=sd';
  assert.equal(json.results[1], `results/${query}/trips/rocket.jpg.png`);
  const lovi = await result(query, 'cat.png.png');
  assert.equal(lovi.httpMetadata.contentType, 'image/png');
  assert.deepEqual(sizeOf(Buffer.from(await lovi.arrayBuffer())), [451, 300]);
  await result(query, 'trips/rocket.jpg.png');
  const codes = [];
  for (const key of keys.slice(2)) {
    codes.push((await (await result(query, `${key}.error`)).json()).error.code);
  }
  assert.deepEqual(codes, ['not-a-picture', 'too-large', 'not-found']);
});

it('keeps the results of one picture apart by their options', async () => {
  await startAnew();
  await models.put(KEY, weights);
  await pictures.put('cat.png', cat);
  const queries = [
    'as=json',
    'as=json&statistic=sd',
    'as=json&size=96',
    'as=json&class=tabby%2Fcat',
    'as=overlay',
  ];
  for (const query of queries) await enqueue(['cat.png'], `?${query}`);
  const endings = ['json', 'json', 'json', 'error', 'png'];
  const stored = await Promise.all(
    queries.map(async (query, i) => (await result(query, `cat.png.${endings[i]}`)).text()),
  );
  assert.equal(new Set(stored).size, queries.length);
  const [usual, , small, error] = stored.slice(0, 4).map((text) => JSON.parse(text));
  assert.notDeepEqual(usual.input.networkInput, small.input.networkInput);
  assert.equal(error.error.code, 'bad-option');
  assert.equal((await pictures.list({ prefix: 'results/' })).objects.length, queries.length);
});

it('gives one key to the same options, however they are asked for', async () => {
  await startAnew();
  const keys = await Promise.all(
    [
      '?as=json&fit=crop&size=96',
      '?size=96&fit=crop&as=json',
      '?size=48&fit=whole&size=96&as=json&fit=crop',
    ].map(async (query) => (await enqueue(['cat.png'], query)).json.results[0]),
  );
  assert.deepEqual(keys, new Array(3).fill('results/as=json&fit=crop&size=96/cat.png.json'));
  assert.equal((await enqueue(['cat.png'])).json.results[0], 'results/as=overlay/cat.png.png');
});

it('gives no key to two jobs, whatever their pictures are called', async () => {
  await startAnew();
  const names = ['a.error', 'a', 'a.png', 'a/b', 'class=tabby/a', '../a'];
  const keys = [];
  for (const query of ['?as=json', '?as=json&class=tabby', '?as=json&class=tabby%2Fa']) {
    const { json } = await enqueue(names, query);
    keys.push(...json.results, ...json.results.map((key) => key.replace(/json$/, 'error')));
  }
  assert.equal(new Set(keys).size, keys.length);
});

it('refuses a picture whose result would have too long a key', async () => {
  await startAnew();
  const longest = 1024 - 'results/as=overlay/.png'.length;
  assert.equal((await enqueue(['é'.repeat(longest / 2)])).status, 202);
  for (const [key, query] of [
    ['a'.repeat(longest + 1), ''],
    ['a'.repeat(longest), '?size=96'],
  ]) {
    const { status, json } = await enqueue([key], query);
    assert.equal(json.error.code, 'bad-batch');
    assert.equal(status, 400);
  }
});

it('tries again what may succeed later', async () => {
  await startAnew();
  await pictures.put('cat.png', cat);
  await enqueue(['cat.png'], '?as=json');
  // The first attempt finds no network.
  await eventually(() => worker.log().includes('attempt 1: no-model'));
  await models.put(KEY, weights);
  const { top } = await (await result('as=json', 'cat.png.json')).json();
  assert.equal(top[0].index, CLASSES.indexOf('Egyptian cat'));
  assert.equal((await dead.list()).objects.length, 0);
});

it('gives up in the end: the dead-letter queue has the job, and what is no job', async () => {
  await startAnew();
  await pictures.put('cat.png', cat);
  await enqueue(['cat.png']);
  const jobs = await worker.miniflare.getQueueProducer('JOBS', 'worker');
  await jobs.send('no job');
  const { objects } = await eventually(async () => {
    const list = await dead.list();
    return list.objects.length === 2 && list;
  });
  const bodies = await Promise.all(objects.map(async ({ key }) => (await dead.get(key)).json()));
  assert.ok(bodies.includes('no job'));
  assert.ok(bodies.some(({ key, query }) => key === 'cat.png' && query === 'as=overlay'));
});

for (const [what, body] of [
  ['no JSON', 'cat.png'],
  ['no keys', '{}'],
  ['an empty list', '{"keys":[]}'],
  ['too many', JSON.stringify({ keys: new Array(101).fill('a') })],
  ['a number', '{"keys":[1]}'],
  ['a result', '{"keys":["results/cat.png.json"]}'],
]) {
  it(`refuses a batch of ${what}`, async () => {
    const { status, json } = await post(body);
    assert.equal(json.error.code, 'bad-batch');
    assert.equal(status, 400);
  });
}
