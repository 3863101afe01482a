import type { PrefixParts } from '../decoder/prefixLm.js';
import type { FineTuning } from '../training/fineTuning.js';
import { createDraws } from './draws.js';
import { stackBatch, stackLoss } from './stackLoss.js';
import { maskRow, visibleRow } from './unilm.js';
import { maskingFacts } from './vocabularyFacts.js';

/** Share of a target's tokens, its end among them, that is masked (Dong et al. 2019, official code: 0.7). */
const targetMaskRate = 0.7;

/** Few distinct shapes, little padding. */
const lengthMultiple = 8;

const choice = {
  rate: targetMaskRate,
  wholeWord: false,
  ngramShare: 0,
  maxNgram: 2,
  replacement: { mask: 0.8, keep: 0.1, random: 0.1 },
};

/**
 * How UniLM is fine-tuned (section 2.5): tokens of the target are masked at random, another choice in each epoch, and predicted from
 * the source and what is before them. The end token is among them, so that the model learns when to stop.
 */
export function unilmFineTuning({ stack, config }: PrefixParts): FineTuning {
  return ({ rules, tokenizer, labelSmoothing, seed }) => {
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
          return maskRow(row, [[source.length, whole.length]], facts, choice, draws);
        });
        return stackBatch(rows, facts, lengthMultiple);
      },
    };
  };
}
