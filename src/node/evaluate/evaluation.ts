/** What an evaluation says, for programs: means over pictures, and the scores of each picture. */

import {
  DEFAULT_SHARES,
  DEFAULT_STEPS,
  EVALUATED_METHODS,
  type Mean,
  meanOf,
  meansOf,
} from '../../evaluate/index.js';
import type { Model } from '../model-file.js';
import { describeModel, type ReportedModel } from '../report.js';
import { VERSION } from '../version.js';
import type { MethodRecord, PictureRecord } from './picture.js';
import type { RunOptions } from './records.js';

/** The scores that are one number for a map: name, title, unit, and whether a large one is good. */
export const SCORES = {
  insertion: { title: 'Insertion', label: 'area under the curve', isLargeGood: true },
  deletion: { title: 'Deletion', label: 'area under the curve', isLargeGood: false },
  road: { title: 'ROAD', label: 'mean of (LeRF − MoRF)/2', isLargeGood: true },
  drop: { title: 'Average drop', label: 'share of the probability', isLargeGood: false },
  increase: { title: 'Increase', label: 'share of the pictures', isLargeGood: true },
  pointing: { title: 'Pointing game', label: 'share of hits', isLargeGood: true },
  energy: { title: 'Energy in the box', label: 'share of the map', isLargeGood: true },
  seconds: { title: 'Seconds', label: 'seconds for a map', isLargeGood: false },
} as const;
export type ScoreName = keyof typeof SCORES;
export const SCORE_NAMES = Object.keys(SCORES) as readonly ScoreName[];

/** What is there for each method, by its name. */
export type ByMethod<T> = Readonly<Record<string, T>>;

export interface Evaluation {
  readonly version: string;
  readonly folder: string;
  readonly model: ReportedModel;
  readonly options: RunOptions;
  /** Pictures that were measured. */
  readonly pictures: number;
  /** Pictures that could not be read or measured. */
  readonly failures: readonly { readonly picture: string; readonly error: string }[];
  /** Share of the pictures whose class is the most likely one. */
  readonly accuracy: number;
  readonly methods: readonly EvaluatedResult[];
  /** Means of the curves at each place. */
  readonly curves: {
    /** Shares of replaced pixels, for insertion and deletion. */
    readonly shares: readonly number[];
    readonly insertion: ByMethod<readonly Mean[]>;
    readonly deletion: ByMethod<readonly Mean[]>;
    /** Shares of removed pixels. */
    readonly roadShares: readonly number[];
    readonly morf: ByMethod<readonly Mean[]>;
    readonly lerf: ByMethod<readonly Mean[]>;
    /** Accuracies, as ROAD's paper has them. */
    readonly morfAccuracy: ByMethod<readonly Mean[]>;
    readonly lerfAccuracy: ByMethod<readonly Mean[]>;
  };
  /** Means over pictures, in the order of its `methods`. */
  readonly agreement?: {
    readonly methods: readonly string[];
    readonly rho: readonly (readonly number[])[];
    readonly overlap: readonly (readonly number[])[];
  };
  readonly randomization?: {
    readonly depths: readonly string[];
    readonly pictures: number;
    /** Spearman’s ρ at each depth. */
    readonly rho: ByMethod<readonly Mean[]>;
  };
  /** The scores of each picture; the curves are in pictures.jsonl. */
  readonly perPicture: readonly PictureScores[];
  readonly files: readonly string[];
}

/** Means of a method. */
export interface EvaluatedResult {
  readonly name: string;
  readonly title: string;
  readonly isFloor: boolean;
  readonly scores: Readonly<Partial<Record<ScoreName, Mean>>>;
  /** Why it has no maps, of the first picture for which it has none. */
  readonly error?: string;
}

export interface PictureScores {
  readonly picture: string;
  readonly target: number;
  readonly probability: number;
  readonly isTop: boolean;
  readonly methods: ByMethod<Readonly<Partial<Record<ScoreName, number>>>>;
}

export interface EvaluationContext extends Pick<Evaluation, 'folder' | 'options' | 'failures'> {
  readonly model: Model;
  readonly methods: readonly string[];
  readonly files: readonly string[];
}

/** @param records at least one */
export function evaluationOf(
  records: readonly PictureRecord[],
  { folder, model, options, methods, failures, files }: EvaluationContext,
): Evaluation {
  const of = (name: string): MethodRecord[] =>
    records.flatMap((record) => record.methods[name] ?? []);
  const curves = (pick: (method: MethodRecord) => readonly number[] | undefined) =>
    byMethod(methods, (name) => {
      const lists = of(name).flatMap((method) => {
        const list = pick(method);
        return list ? [list] : [];
      });
      return lists.length > 0 ? meansOf(lists) : undefined;
    });
  return {
    version: VERSION,
    ...{ folder, model: describeModel(model), options, pictures: records.length, failures },
    accuracy: records.filter(({ isTop }) => isTop).length / records.length,
    methods: EVALUATED_METHODS.filter(({ name }) => methods.includes(name)).map((method) =>
      resultOf(method, of(method.name)),
    ),
    curves: {
      shares: Array.from({ length: DEFAULT_STEPS + 1 }, (_, k) => k / DEFAULT_STEPS),
      insertion: curves(({ insertion }) => insertion?.probabilities),
      deletion: curves(({ deletion }) => deletion?.probabilities),
      roadShares: DEFAULT_SHARES,
      morf: curves(({ road }) => road?.morf),
      lerf: curves(({ road }) => road?.lerf),
      morfAccuracy: curves(({ road }) => road?.morfTop),
      lerfAccuracy: curves(({ road }) => road?.lerfTop),
    },
    ...agreement(records, methods),
    ...randomization(records, methods),
    perPicture: records.map(({ picture, target, probability, isTop, methods: own }) => ({
      ...{ picture, target, probability, isTop },
      methods: Object.fromEntries(
        Object.entries(own).map(([name, method]) => [name, scoresOf(method)]),
      ),
    })),
    files,
  };
}

function byMethod<T>(
  methods: readonly string[],
  value: (name: string) => T | undefined,
): ByMethod<T> {
  return Object.fromEntries(
    methods.flatMap((name) => {
      const own = value(name);
      return own === undefined ? [] : [[name, own]];
    }),
  );
}

/** The scores that a method has for a picture. */
function scoresOf(method: MethodRecord): Partial<Record<ScoreName, number>> {
  const { insertion, deletion, road, ms, error, drop, increase, pointing, energy } = method;
  const all: Record<ScoreName, number | undefined> = {
    ...{ insertion: insertion?.area, deletion: deletion?.area, road: road?.score },
    ...{ drop, increase, pointing, energy },
    seconds: error === undefined ? ms / 1000 : undefined,
  };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as Partial<Record<ScoreName, number>>;
}

function resultOf(
  { name, title, isFloor }: (typeof EVALUATED_METHODS)[number],
  records: readonly MethodRecord[],
): EvaluatedResult {
  const scores = records.map(scoresOf);
  const error = records.find((record) => record.error !== undefined)?.error;
  return {
    ...{ name, title, isFloor },
    scores: Object.fromEntries(
      SCORE_NAMES.flatMap((score) => {
        const mean = meanOf(scores.map((own) => own[score]));
        return mean ? [[score, mean]] : [];
      }),
    ),
    ...(error !== undefined && { error }),
  };
}

/** Means of the pairs that are there; a method that failed for a picture is not in its table. */
function agreement(
  records: readonly PictureRecord[],
  methods: readonly string[],
): Pick<Evaluation, 'agreement'> {
  const tables = records.flatMap((record) => record.agreement ?? []);
  if (tables.length === 0) return {};
  const names = methods.filter((name) => tables.some((table) => table.methods.includes(name)));
  const mean = (key: 'rho' | 'overlap') =>
    names.map((a) =>
      names.map((b) => {
        const values = tables.map(
          (table) => table[key][table.methods.indexOf(a)]?.[table.methods.indexOf(b)],
        );
        return meanOf(values)?.mean ?? Number.NaN;
      }),
    );
  return { agreement: { methods: names, rho: mean('rho'), overlap: mean('overlap') } };
}

function randomization(
  records: readonly PictureRecord[],
  methods: readonly string[],
): Pick<Evaluation, 'randomization'> {
  const there = records.flatMap((record) => record.randomization ?? []);
  if (there.length === 0) return {};
  const rho = byMethod(methods, (name) => {
    // A ρ that could not be computed is null in the file.
    const lists = there.flatMap((own) => {
      const list = own.rho[name];
      return list?.every(Number.isFinite) ? [list] : [];
    });
    return lists.length > 0 ? meansOf(lists) : undefined;
  });
  return { randomization: { depths: there[0]!.depths, pictures: there.length, rho } };
}
