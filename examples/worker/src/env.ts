/** What wrangler.jsonc binds. All of it is optional: without any, `POST /explain` works. */

import type { Job } from './batch.js';

export interface Env {
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
