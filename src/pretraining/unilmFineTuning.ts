import type { PrefixParts } from '../decoder/prefixLm.js';
import type { FineTuning } from '../training/fineTuningTask.js';
import { createDraws } from './draws.js';
import { stackBatch, stackLoss } from './stackLoss.js';
import { maskRow, visibleRow } from './unilm.js';
import { maskingFacts } from './vocabularyFacts.js';

/** Few distinct shapes, little padding. */
const lengthMultiple = 8;

const choice = {
  wholeWord: false,
  ngramShare: 0,
  maxNgram: 2,
  replacement: { mask: 0.8, keep: 0.1, random: 0.1 },
};

/**
 * How UniLM is fine-tuned (section 2.5): 70 % of the target's tokens (official code) are masked at random, another choice in each epoch, and predicted from
 * the source and what is before them. The end token is among them, so that the model learns when to stop.
 */
export function unilmFineTuning({ stack, config }: PrefixParts): FineTuning {
  return ({ rules, tokenizer, labelSmoothing, targetMaskRate: rate = 0.7, seed }) => {
    const facts = { ...maskingFacts(tokenizer, config.maskTokenId!), padTokenId: rules.padTokenId };
    return {
      objective: stackLoss(stack, labelSmoothing),
      maxTogether: stack.maxPositions,
      collate: ({ pairs, members, epoch }) => {
        const rows = pairs.map(({ source, target }, at) => {
          const whole = [...Array.from(source), ...Array.from(target)];
          const { sourceTypeId, targetTypeId } = config;
          const row = visibleRow(whole, source.length, sourceTypeId, targetTypeId, 'sequenceToSequence');
          const draws = createDraws(seed, 'finetune', epoch, members[at]);
          return maskRow(row, [[source.length, whole.length]], facts, { ...choice, rate }, draws);
        });
        return stackBatch(rows, facts, lengthMultiple);
      },
    };
  };
}
