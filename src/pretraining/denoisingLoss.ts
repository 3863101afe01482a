import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { teacherForcedLoss } from '../training/sequenceToSequence.js';
import type { Objective } from '../training/step.js';
import type { TrainBatch } from '../training/trainStep.js';
import { listFeed, onesLike, padRows } from './objective.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/** One row of a batch for an encoder-decoder that restores text. */
export interface DenoisingRow {
  /** What the encoder reads. */
  source: ArrayLike<number>;
  /** By position of `source`, 1 where the decoder's cross-attention may look. Default everywhere. */
  visible?: ArrayLike<number>;
  /** What the decoder reads: the token before each label, or the start token. */
  decoderInput: ArrayLike<number>;
  /** Position of each decoder token. Default 0, 1, 2, ... */
  positions?: ArrayLike<number>;
  /** What the decoder predicts at each of its positions. */
  labels: ArrayLike<number>;
}

/**
 * Cross entropy of the labels given the source: the loss of every objective that corrupts a text and has an encoder-decoder
 * restore it, or a part of it. Only real target tokens reach the vocabulary projection.
 */
export function denoisingLoss(model: EncoderDecoder, labelSmoothing: number): Objective {
  return {
    signature: {
      inputIds: { type: 'int32', shape: ['batch', 'source'] },
      attentionMask: { type: 'int32', shape: ['batch', 'source'] },
      memoryMask: { type: 'int32', shape: ['batch', 'source'] },
      decoderInputIds: { type: 'int32', shape: ['batch', 'target'] },
      decoderPositions: { type: 'int32', shape: ['batch', 'target'] },
      labelPositions: { type: 'int32', shape: ['tokens'] },
      labels: { type: 'int32', shape: ['tokens'] },
    },
    loss: (p, inputs, dropout) => teacherForcedLoss(model, p, inputs, labelSmoothing, dropout),
  };
}

/** Pads rows into the feeds of `denoisingLoss`. */
export function denoisingBatch(
  rows: readonly DenoisingRow[],
  { padTokenId }: Pick<VocabularyFacts, 'padTokenId'>,
  lengthMultiple: number,
): TrainBatch {
  const sources = rows.map((row) => row.source);
  const seen = onesLike(sources);
  const decoderInputs = padRows(
    rows.map((row) => row.decoderInput),
    padTokenId,
    lengthMultiple,
  );
  const width = decoderInputs.shape[1];
  const positions = rows
    .map((row) => row.positions ?? row.decoderInput)
    .map((own, row) => (rows[row].positions ? own : Array.from(own, (_, i) => i)));
  const labels: number[] = [];
  const labelPositions: number[] = [];
  rows.forEach((row, index) => {
    for (let i = 0; i < row.labels.length; i++) {
      labels.push(row.labels[i]);
      labelPositions.push(index * width + i);
    }
  });
  return {
    feeds: {
      inputIds: padRows(sources, padTokenId, lengthMultiple),
      attentionMask: padRows(seen, 0, lengthMultiple),
      memoryMask: padRows(
        rows.map((row, index) => row.visible ?? seen[index]),
        0,
        lengthMultiple,
      ),
      decoderInputIds: decoderInputs,
      decoderPositions: padRows(positions, 0, lengthMultiple),
      labelPositions: listFeed(labelPositions),
      labels: listFeed(labels),
    },
    sentences: rows.length,
    sourceTokens: sources.reduce((sum, source) => sum + source.length, 0),
    targetTokens: labels.length,
  };
}
