import type { GenerationOptions } from '../src/generation/options.js';
import { loadModel } from '../src/pretrained/loadModel.js';
import type { Model } from '../src/pretrained/model.js';
import { type BenchOptions, roundOptions, selectCases, withTemporaryDirectory } from './bench.js';
import { type DecodeDesign, decodeDesign, randomSources } from './decode.js';
import { padTokenOf, transformerWeights, writeRandomModel } from './randomModel.js';
import { measureRounds, ownSide } from './rounds.js';
import { type Report, timedRow } from './rows.js';

/** What people add to a beam of 4, each beside the same beam without it. */
function controlsOf(
  design: DecodeDesign,
): { name: string; options: GenerationOptions; streamed?: boolean }[] {
  const word = (id: number) => id % padTokenOf(design.config);
  const phrases = Array.from({ length: 10 }, (_, i) => [40 + 7 * i, 300 + 11 * i, 2000 + 13 * i].map(word));
  const forceWordsIds = [[40, 300].map(word), [[word(51)], [62, 311].map(word)]];
  return [
    { name: 'noRepeatNgramSize', options: { noRepeatNgramSize: 3 } },
    { name: 'repetitionPenalty', options: { repetitionPenalty: 1.2 } },
    { name: 'badWordsIds', options: { badWordsIds: phrases } },
    { name: 'sequenceBias', options: { sequenceBias: phrases.map((ids) => [ids, 2]) } },
    { name: 'forceWordsIds', options: { forceWordsIds } },
    { name: 'stream', options: {}, streamed: true },
  ];
}

/** Decodes one sentence once. */
async function decodeOne(
  model: Model,
  design: DecodeDesign,
  options: GenerationOptions,
  streamed = false,
): Promise<void> {
  const [inputIds] = randomSources(design, 1);
  const all = { ...options, numBeams: 4, minNewTokens: design.steps, maxNewTokens: design.steps };
  if (!streamed) await model.generate([{ inputIds }], all);
  else for await (const _ of model.stream({ inputIds }, all));
}

/** Controls of the search: milliseconds per step at batch 1, beam 4, beside the same search without each. */
export async function benchControls(
  options: BenchOptions,
  report: Report,
  design: DecodeDesign = decodeDesign,
): Promise<void> {
  const cases = selectCases(controlsOf(design), options.case);
  await withTemporaryDirectory(async (directory) => {
    await writeRandomModel(directory, design.config, transformerWeights(design.config));
    const model = await loadModel(directory, { threads: options.threads });
    for (const { name, options: own, streamed } of cases) {
      const sides = [
        ownSide(() => decodeOne(model, design, own, streamed)),
        { ...ownSide(() => decodeOne(model, design, {})), name: 'without' },
      ];
      const { times } = await measureRounds(sides, roundOptions(options, 2));
      const [controlled, plain] = times.map((side) => side.map((ms) => ms / design.steps));
      report.row(
        timedRow({
          bench: 'controls',
          case: name,
          times: controlled,
          peer: { name: 'without', times: plain },
        }),
      );
    }
    await model.dispose();
  });
}
