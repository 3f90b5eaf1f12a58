/** What wrangler.jsonc binds. All of it is optional: without any, `POST /explain` works. */

import type { Job } from './batch.js';

export interface Env {
  /** The secret that `POST /batch` needs: without it there are no batches. */
  readonly API_TOKEN?: string;
  /** Whether `POST /explain` needs it too. Any value but `false` is a yes: in the dashboard it is a text. */
  readonly EXPLAIN_NEEDS_TOKEN?: unknown;
  /** How often one address may ask. */
  readonly RATE_LIMITER?: RateLimit;
  /** Of pages on other sites that may call the worker, as `https://example.com`. */
  readonly ALLOWED_ORIGINS?: readonly string[];
  /** Hosts that `?url=` may name. */
  readonly URL_HOSTS?: readonly string[];
  /** The weights, at `MODEL_KEY`, in place of those in the bundle. */
  readonly MODELS?: R2Bucket;
  readonly MODEL_KEY?: string;
  /** Pictures of batches, and their results. */
  readonly PICTURES?: R2Bucket;
  readonly JOBS?: Queue<Job>;
  readonly RETRY_SECONDS?: number;
}
