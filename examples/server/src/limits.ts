/**
 * What strangers may take. A thread has one picture at a time, which takes 13 bytes a pixel while it is decoded (npm run
 * bench:files): 325 MB. Files that wait, or are still arriving, take at most 64 × 16 MiB.
 */
export const LIMITS = {
  /** Of a picture's file. */
  bodyBytes: 16 << 20,
  /** Of a picture: its header is asked before it is decoded. */
  pixels: 25_000_000,
  /** Pictures that wait for a thread. */
  queue: 32,
  /** Connections, idle ones too. One more is closed as it comes. */
  connections: 64,
  /** Until a request has arrived, body and all. */
  bodyMs: 15_000,
  /** Until a picture is explained, waiting included. */
  explainMs: 20_000,
  /** Short side of the network's input. */
  size: 512,
};

export type Limits = typeof LIMITS;
