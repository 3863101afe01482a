import { hasLanguages, type XlmConfig } from '../../encoder/xlm.js';
import { listFeed, padRows } from '../../pretraining/objective.js';
import type { TrainBatch } from '../../training/trainStep.js';
import type { MaskedRow } from './masking.js';
import type { Language } from './objective.js';

/** Feeds of rows of one length in one language, as `rowSignature` has them. */
export function streamFeeds(
  rows: readonly { inputIds: readonly number[] }[],
  model: XlmConfig,
  language: Language,
  padTokenId: number,
): TrainBatch['feeds'] {
  const inputIds = padRows(
    rows.map((row) => row.inputIds),
    padTokenId,
    1,
  );
  if (!hasLanguages(model)) return { inputIds };
  const data = new Int32Array(rows.length).fill(language.number);
  return { inputIds, languages: { dtype: 'int32', shape: [rows.length, 1], data } };
}

/** Labels of rows and where they are. @param width length that rows are padded to */
export function labelFeeds(rows: readonly MaskedRow[], width: number): TrainBatch['feeds'] {
  return {
    labelPositions: listFeed(
      rows.flatMap(({ labelPositions }, row) => labelPositions.map((at) => row * width + at)),
    ),
    labels: listFeed(rows.flatMap(({ labels }) => labels)),
  };
}

/** A batch with its counts. */
export function countedBatch(feeds: TrainBatch['feeds'], rows: readonly MaskedRow[]): TrainBatch {
  return {
    feeds,
    sentences: rows.length,
    sourceTokens: rows.reduce((sum, { inputIds }) => sum + inputIds.length, 0),
    targetTokens: rows.reduce((sum, { labels }) => sum + labels.length, 0),
  };
}
