import type { SourceBatch } from '../stepModel.js';

/** The ids of each source without its padding. */
export function sourceTokens({ inputIds, attentionMask, batch, source }: SourceBatch): number[][] {
  return Array.from({ length: batch }, (_, sentence) =>
    [...inputIds.subarray(sentence * source, (sentence + 1) * source)].filter(
      (_, at) => attentionMask[sentence * source + at] === 1,
    ),
  );
}
