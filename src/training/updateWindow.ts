import type { UpdateRow } from './runLog.js';
import type { LossSums, TrainBatch } from './trainStep.js';

/** What the next row of the log will average. */
export interface Window {
  sums: LossSums;
  /** Sums of batches that have a kind. */
  kinds: Map<string, { nllSum: number; targetTokens: number }>;
  gradientNorms: number;
  updates: number;
  /** Milliseconds that making batches took, and seconds of parts of it that batches tell of. */
  makingMs: number;
  parts: Map<string, number>;
  startedAt: number;
}

/** An empty window. @param startedAt milliseconds */
export function newWindow(startedAt: number): Window {
  return {
    sums: { lossSum: 0, nllSum: 0, targetTokens: 0 },
    kinds: new Map(),
    gradientNorms: 0,
    updates: 0,
    makingMs: 0,
    parts: new Map(),
    startedAt,
  };
}

/** Adds what the step said of a batch. */
export function addBatch({ sums, kinds, parts }: Window, batch: TrainBatch, part: LossSums): void {
  sums.lossSum += part.lossSum;
  sums.nllSum += part.nllSum;
  sums.targetTokens += part.targetTokens;
  if (batch.kind !== undefined) {
    const own = kinds.get(batch.kind) ?? { nllSum: 0, targetTokens: 0 };
    own.nllSum += part.nllSum;
    own.targetTokens += part.targetTokens;
    kinds.set(batch.kind, own);
  }
  for (const [name, seconds] of Object.entries(batch.seconds ?? {})) {
    parts.set(name, (parts.get(name) ?? 0) + seconds);
  }
}

/** Adds an update, whose batches are there already. */
export function addUpdate(window: Window, gradientNorm: number): void {
  window.gradientNorms += gradientNorm;
  window.updates++;
}

type Means = Pick<
  UpdateRow,
  'loss' | 'negativeLogLikelihood' | 'gradientNorm' | 'tokensPerSecond' | 'losses' | 'times'
>;

/** The means. @param now milliseconds */
export function windowRow(window: Window, now: number): Means {
  const { sums, kinds, parts, makingMs } = window;
  const seconds = Math.max(1e-9, (now - window.startedAt) / 1000);
  const told = [...parts.values()].reduce((sum, one) => sum + one, 0);
  const making = makingMs / 1000;
  return {
    loss: sums.lossSum / sums.targetTokens,
    negativeLogLikelihood: sums.nllSum / sums.targetTokens,
    gradientNorm: window.gradientNorms / window.updates,
    tokensPerSecond: sums.targetTokens / seconds,
    ...(kinds.size > 0 && {
      losses: Object.fromEntries(
        [...kinds].map(([kind, { nllSum, targetTokens }]) => [kind, nllSum / targetTokens]),
      ),
    }),
    ...(parts.size > 0 && {
      times: {
        training: seconds - making,
        ...Object.fromEntries(parts),
        data: Math.max(0, making - told),
      },
    }),
  };
}
