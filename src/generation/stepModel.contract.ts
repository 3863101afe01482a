import { describe, expect, it } from 'vitest';
import { joinAndLeave } from '../../test/support/generation/contractBoarding.js';
import { extendAndGoBack } from '../../test/support/generation/contractExtension.js';
import {
  attentionRows,
  type ContractSubject,
  expectAttention,
  expectCandidates,
  expectClose,
  randomHistory,
  rawLogits,
  start,
} from '../../test/support/generation/contractSubject.js';
import { someTokens, walk } from '../../test/support/generation/contractWalk.js';
import { everyLogit, type SelectionSpec } from './stepModel.js';

const everything = everyLogit;

/**
 * The tests every StepModel must pass, whatever its architecture. The reference is the model itself, started afresh on
 * one sentence with the whole history as its prompt and asked for every raw logit: no cache, ancestry, padding, edit or
 * selection is involved in that.
 *
 * @param skip why it cannot be tested here, where it cannot
 */
export function stepModelContract(name: string, setUp: () => Promise<ContractSubject>, skip?: string): void {
  // In software, WebGPU compiles each of its programs for seconds.
  describe.skipIf(skip)(`StepModel contract: ${name}`, { timeout: 300_000 }, () => {
    it('starts sentences of different lengths as if each were alone', async () => {
      const subject = await setUp();
      const prompts = subject.sources.map(() => [subject.decoderStartTokenId]);
      const { candidates, finish } = await start(subject, subject.sources, prompts, 2, 4, everything);
      const alone = await rawLogits(subject, subject.sources, prompts);
      expectCandidates(candidates, alone, everything, {}, subject);
      finish();
    });

    it('reads prompts of several tokens', async () => {
      const subject = await setUp();
      const prompts = subject.sources.map((_, i) => randomHistory(subject, 4, i));
      const { candidates, finish } = await start(subject, subject.sources, prompts, 1, 6, everything);
      expectCandidates(
        candidates,
        await rawLogits(subject, subject.sources, prompts),
        everything,
        {},
        subject,
      );
      finish();
    });

    it('reads every position from the row that the ancestry table names', async () => {
      const subject = await setUp();
      await walk(subject, { ...everything, candidates: 5 }, 3, 6);
    });

    it('returns every logit where no number of candidates is given', async () => {
      const subject = await setUp();
      await walk(subject, everything, 2, 3);
    });

    it('extends a row by several tokens as by one after the other, and goes back', async () => {
      await extendAndGoBack(await setUp());
    });

    it('bans tokens, in start and in steps, and leaves the log-sum-exp alone', async () => {
      const subject = await setUp();
      await walk(subject, { ...everything, candidates: 4, edits: 'bans' }, 3, 3, { bans: true });
    });

    it('takes steps without bans where bans were announced', async () => {
      const subject = await setUp();
      await walk(subject, { ...everything, candidates: 4, edits: 'bans' }, 2, 3);
    });

    it('takes the log-sum-exp after bans where it renormalizes', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates: 4, edits: 'bans', renormalize: true };
      await walk(subject, selection, 3, 3, { bans: true });
    });

    it.each(['logits', 'logProbabilities'] as const)(
      'penalizes listed tokens once, in %s',
      async (penaltySpace) => {
        const subject = await setUp();
        const selection = { ...everything, candidates: 4, repetitionPenalty: 1.7, penaltySpace };
        await walk(subject, selection, 3, 3, { penalize: true });
        await walk(subject, { ...selection, repetitionPenalty: 0.6 }, 2, 2, { penalize: true });
      },
    );

    it('adds values to logits, -Infinity among them', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates: 4, edits: 'values' };
      await walk(subject, selection, 2, 2, { values: true });
      await walk(subject, selection, 1, 1);
      await walk(subject, { ...selection, candidates: 0, renormalize: true }, 2, 1, { values: true });
    });

    it.each(['logits', 'logProbabilities'] as const)(
      'rescales %s by the factor for their sign',
      async (space) => {
        const subject = await setUp();
        const selection = { ...everything, candidates: 4, rescale: true, penaltySpace: space };
        await walk(subject, selection, 2, 2, { rescale: true });
        await walk(subject, selection, 1, 1);
      },
    );

    it.each([0, 3])('offers allowed tokens only, with %i candidates', async (candidates) => {
      const subject = await setUp();
      const selection = { ...everything, candidates, allowed: true };
      await walk(subject, selection, 2, 2, { allowed: true });
      await walk(subject, { ...selection, renormalize: true, ownLogits: true }, 2, 1, { allowed: true });
      await walk(subject, selection, 1, 1);
    });

    it.each([0, 5])('returns its own logits beside edited ones, with %i candidates', async (candidates) => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates, edits: 'values', ownLogits: true };
      await walk(subject, selection, 2, 2, { values: true });
    });

    it('gives the hidden states of what it read, the same by steps as by a prompt', async () => {
      const subject = await setUp();
      const selection = { ...everything, hidden: subject.model.givesHidden };
      const prompts = subject.sources.map((_, i) => randomHistory(subject, 4, i));
      const whole = await start(subject, subject.sources, prompts, 1, 4, selection);
      const begun = await start(
        subject,
        subject.sources,
        prompts.map((prompt) => prompt.slice(0, 1)),
        1,
        4,
        selection,
      );
      const all = whole.candidates.hidden;
      expect(all === undefined).toBe(!subject.model.givesHidden);
      const batch = prompts.length;
      const size = (all?.length ?? 0) / batch / 4;
      for (let position = 0; position < 4; position++) {
        const tokens = Int32Array.from(prompts, (prompt) => prompt[position]);
        const ancestry = new Int32Array(batch * 4);
        const { hidden } =
          position === 0
            ? begun.candidates
            : await subject.model.step(begun.state, { tokens, position, ancestry });
        for (let i = 0; all && i < batch * size; i++) {
          const at = (Math.floor(i / size) * 4 + position) * size + (i % size);
          expectClose(hidden![i], all[at], subject.tolerance ?? 1e-4);
        }
      }
      whole.finish();
      begun.finish();
    });

    it('returns every logit as it was, beside edited candidates', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates: 3, edits: 'bans', rawLogits: true };
      await walk(subject, selection, 2, 2, { bans: true });
    });

    it('looks up the edited logits of any tokens', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates: 3, edits: 'bans', lookup: true };
      await walk(subject, selection, 2, 2, { bans: true });
    });

    it('combines all edits with renormalization', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = {
        candidates: 5,
        edits: 'values',
        repetitionPenalty: 1.3,
        penaltySpace: 'logProbabilities',
        renormalize: true,
        rescale: true,
        allowed: true,
        lookup: true,
        ownLogits: true,
      };
      const plan = { values: true, penalize: true, rescale: true, allowed: true };
      await walk(subject, selection, 3, 2, plan);
      const bans: SelectionSpec = {
        ...selection,
        edits: 'bans',
        rescale: false,
        allowed: false,
        lookup: false,
      };
      await walk(subject, bans, 2, 2, { bans: true, penalize: true });
    });

    it('returns its attention over the source, if it has any', async () => {
      const subject = await setUp();
      const { attention } = subject.model;
      const unasked = await start(
        subject,
        subject.sources,
        subject.sources.map(() => [subject.decoderStartTokenId]),
        1,
        3,
        everything,
      );
      expect(unasked.candidates.attention).toBeUndefined();
      unasked.finish();
      if (!attention) return;
      const last = { layer: attention.layers - 1, heads: [attention.heads - 1] };
      for (const spec of [{}, { layer: 0 }, last]) {
        await walk(subject, { ...everything, candidates: 4, attention: spec }, 3, 3, { keepAt: [2] });
      }
      const prompts = subject.sources.map((_, i) => randomHistory(subject, 4, i));
      const selection = { ...everything, attention: last };
      const { candidates, finish } = await start(subject, subject.sources, prompts, 2, 6, selection);
      const beginnings = prompts.flatMap((prompt) => [1, 2, 3].map((length) => prompt.slice(0, length)));
      const sources = beginnings.map((_, row) => subject.sources[Math.floor(row / 3)]);
      expectAttention(
        candidates.promptAttention,
        await attentionRows(subject, sources, beginnings, last),
        subject,
      );
      finish();
    });

    it('goes on with the sentences it is told to keep', async () => {
      const subject = await setUp();
      await walk(subject, { ...everything, candidates: 5 }, 3, 5, { keepAt: [1, 3] });
    });

    it.each([1, 3])('takes sentences in between steps, wherever they are, with %i beams', async (beams) => {
      const subject = await setUp();
      if (subject.model.adopt) await joinAndLeave(subject, beams);
    });

    it.each([0, 4])('holds itself to a part of the vocabulary, with %i candidates', async (candidates) => {
      const subject = await setUp();
      const selection: SelectionSpec = { ...everything, candidates, rawLogits: true };
      await walk(subject, selection, 3, 3, { vocabulary: someTokens(subject, 2), keepAt: [1] });
      // Fewer tokens than candidates.
      await walk(subject, selection, 2, 1, { vocabulary: someTokens(subject, 7) });
    });

    it('edits a part of the vocabulary by the ids of its tokens', async () => {
      const subject = await setUp();
      const selection: SelectionSpec = {
        candidates: 5,
        edits: 'values',
        repetitionPenalty: 1.3,
        penaltySpace: 'logProbabilities',
        renormalize: true,
        rescale: true,
        allowed: true,
        lookup: true,
        ownLogits: true,
      };
      const plan = { values: true, penalize: true, rescale: true, allowed: true };
      await walk(subject, selection, 3, 2, { ...plan, vocabulary: someTokens(subject, 2) });
      const bans: SelectionSpec = { ...selection, edits: 'bans', rescale: false, allowed: false };
      await walk(subject, bans, 2, 2, { bans: true, penalize: true, vocabulary: someTokens(subject, 3) });
      await walk(subject, { ...bans, candidates: 0 }, 2, 1, {
        bans: true,
        penalize: true,
        vocabulary: someTokens(subject, 3),
      });
    });
  });
}
