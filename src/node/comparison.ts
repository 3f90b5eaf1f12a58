/** What a comparison of methods says, for programs. */

import type { ReportedModel } from './report.js';

/** What a method cost, or why it failed. */
export interface ComparedResult {
  readonly name: string;
  readonly title: string;
  readonly cost?: MethodCost;
  readonly error?: string;
}

export interface MethodCost {
  /** Of one call: from the decoded picture to the map at the size of the input. The least of all runs. */
  readonly ms: number;
  /** How often it ran: once if it is slow. */
  readonly runs: number;
  /** `ms` divided by that of a forward pass. */
  readonly ratio: number;
  /** Backward passes. */
  readonly passes: number;
  /** The most memory beside the weights. */
  readonly bytes: number;
}

export interface Comparison {
  readonly version: string;
  readonly input: {
    readonly path: string;
    readonly width: number;
    readonly height: number;
    /** [H, W] of the network's input. */
    readonly networkInput: readonly number[];
  };
  readonly model: ReportedModel;
  /** The class that the class maps and the gradients are for. */
  readonly target: { readonly index: number; readonly label: string; readonly probability: number };
  /** How the times were measured. */
  readonly timing: string;
  /** The forward pass alone, without taps. */
  readonly forward: { readonly ms: number; readonly bytes: number };
  readonly weightBytes: number;
  readonly methods: readonly ComparedResult[];
  readonly files: readonly string[];
}
