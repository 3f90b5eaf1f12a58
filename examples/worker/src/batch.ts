/**
 * Batches: keys of pictures in R2 → messages of a queue → results in R2. Which results, and how, the
 * query tells, as for a single picture.
 */

import { answer } from './answer.js';
import { announcedLength, withBytes } from './body.js';
import type { Env } from './env.js';
import { LIMITS } from './limits.js';
import { theModel } from './model.js';
import { explainOptions, viewOf } from './options.js';
import { asProblem, Problem } from './problem.js';

/** One picture to be explained. */
export interface Job {
  readonly key: string;
  /** The options, as a query. */
  readonly query: string;
}

/** Seconds: of the first retry, and the most that a queue waits. */
const RETRY_SECONDS = 10;
const MAX_RETRY_SECONDS = 12 * 3600;

/** Of a key in R2. */
const MAX_KEY_BYTES = 1024;

/**
 * Puts a job into the queue for each of `{ "keys": […] }`, and tells where the results will be.
 *
 * @throws {Problem} 400 for anything else, 503 where the worker has no queue
 */
export async function enqueue(request: Request, env: Env): Promise<Response> {
  if (env.JOBS === undefined || env.PICTURES === undefined) {
    throw new Problem(503, 'no-queue', 'this worker was deployed without a queue and a bucket');
  }
  const { searchParams } = new URL(request.url);
  if (searchParams.has('url')) throw new Problem(400, 'bad-option', 'url: not in a batch');
  explainOptions(searchParams);
  // Written out, since what asks is no longer there when the job is done.
  searchParams.set('as', viewOf(searchParams, request.headers.get('accept') ?? ''));
  const query = searchParams.toString();
  const jobs = (await readKeys(request)).map((key) => ({ key, query }));
  const results = jobs.map(resultKey);
  const long = results.find((key) => new TextEncoder().encode(key).length > MAX_KEY_BYTES);
  if (long !== undefined) {
    const message = `a result would have a key of more than ${MAX_KEY_BYTES} bytes: ${long.slice(0, 200)}…`;
    throw new Problem(400, 'bad-batch', message);
  }
  await env.JOBS.sendBatch(jobs.map((body) => ({ body })));
  return Response.json({ queued: jobs.length, results }, { status: 202 });
}

/**
 * Does the jobs of one delivery, one after the other. What cannot succeed is answered with an error
 * beside the results; what may, later, goes back into the queue, each time for twice as long, and after
 * `max_retries` into the dead-letter queue.
 */
export async function consume(
  batch: MessageBatch<unknown>,
  env: Env,
  ctx: Pick<ExecutionContext, 'waitUntil'>,
): Promise<void> {
  for (const message of batch.messages) {
    try {
      await run(message.body, env, ctx);
      message.ack();
    } catch (error) {
      const { code, message: text } = asProblem(error);
      console.warn(`job ${message.id}, attempt ${message.attempts}: ${code}: ${text}`);
      message.retry({ delaySeconds: backoff(env, message.attempts) });
    }
  }
}

async function run(
  job: unknown,
  env: Env,
  ctx: Pick<ExecutionContext, 'waitUntil'>,
): Promise<void> {
  if (env.PICTURES === undefined) throw new Problem(503, 'no-bucket', 'no bucket is bound');
  // Not this worker's message: the dead-letter queue shows it to somebody.
  if (!isJob(job)) throw new Problem(500, 'bad-message', 'expected { key, query }');
  try {
    const query = new URLSearchParams(job.query);
    const options = explainOptions(query);
    const net = await theModel(env, ctx);
    const object = await env.PICTURES.get(job.key);
    if (object === null) throw new Problem(404, 'not-found', `${job.key} is not in the bucket`);
    const source = { body: object.body, length: object.size };
    const reading = { limit: LIMITS.bodyBytes, signal: AbortSignal.timeout(LIMITS.bodyMs) };
    const { body, type } = await withBytes(source, reading, async (bytes) =>
      answer(net, bytes, options, viewOf(query)),
    );
    await env.PICTURES.put(resultKey(job), body, { httpMetadata: { contentType: type } });
  } catch (error) {
    const problem = asProblem(error);
    if (problem.temporary) throw problem;
    const httpMetadata = { contentType: 'application/json' };
    await env.PICTURES.put(errorKey(job), JSON.stringify(problem), { httpMetadata });
  }
}

async function readKeys(request: Request): Promise<readonly string[]> {
  const source = { body: request.body, length: announcedLength(request.headers) };
  const reading = { limit: LIMITS.batchBytes, signal: AbortSignal.timeout(LIMITS.bodyMs) };
  const keys = await withBytes(source, reading, async (bytes) => parseKeys(bytes));
  if (keys !== undefined) return keys;
  const message = `expected { "keys": […] } with 1…${LIMITS.batchKeys} keys of pictures`;
  throw new Problem(400, 'bad-batch', message);
}

function parseKeys(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const { keys } = JSON.parse(new TextDecoder().decode(bytes)) as { keys?: unknown };
    if (!Array.isArray(keys) || keys.length < 1 || keys.length > LIMITS.batchKeys) return undefined;
    return keys.every(isKey) ? keys : undefined;
  } catch {
    return undefined;
  }
}

function isJob(value: unknown): value is Job {
  const { key, query } = (value ?? {}) as Partial<Job>;
  return isKey(key) && typeof query === 'string';
}

/** A result is no picture to be explained. */
function isKey(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.startsWith(RESULTS);
}

const RESULTS = 'results/';

/** Ends with `.png` or `.json`, and the error of the same job with `.error`: no two can be the same. */
function resultKey(job: Job): string {
  const view = viewOf(new URLSearchParams(job.query));
  return `${folderOf(job)}${job.key}.${view === 'json' ? 'json' : 'png'}`;
}

function errorKey(job: Job): string {
  return `${folderOf(job)}${job.key}.error`;
}

/**
 * Says all options, so that jobs with different ones do not overwrite each other's results. They are in
 * the order of their names, each once: the same options give the same folder. `/` is escaped in a query.
 */
function folderOf({ query }: Job): string {
  const options = new URLSearchParams([...new Map(new URLSearchParams(query))]);
  options.sort();
  return `${RESULTS}${options}/`;
}

function backoff({ RETRY_SECONDS: first = RETRY_SECONDS }: Env, attempts: number): number {
  return Math.min(MAX_RETRY_SECONDS, first * 2 ** (attempts - 1));
}
