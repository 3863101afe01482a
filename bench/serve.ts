import { createBatcher } from '../src/pretrained/batcher.js';
import { loadModel } from '../src/pretrained/loadModel.js';
import type { Model } from '../src/pretrained/model.js';
import { type BenchOptions, roundOptions, selectCases, withTemporaryDirectory } from './bench.js';
import { type DecodeDesign, decodeDesign, randomSources } from './decode.js';
import { transformerWeights, writeRandomModel } from './randomModel.js';
import { measureRounds, ownSide } from './rounds.js';
import { type Report, timedRow } from './rows.js';

/** Clients that each send one sentence after the other. */
const clients = 32;
const sentencesPerClient = 3;

/** All sentences at once, of one length as offline; or each client's as the one before is done, of different lengths. */
const arrivals = ['at once', 'one by one'] as const;

type Arrival = (typeof arrivals)[number];

const serveCases = (['float32', 'int8'] as const).flatMap((precision) =>
  [1, 4].flatMap((beams) =>
    arrivals.map((arrival) => ({
      name: `${precision} ${clients} clients ${arrival} beam ${beams}`,
      precision,
      beams,
      arrival,
    })),
  ),
);

/**
 * Serving: milliseconds per token of single sentences that many clients send, beside those of as many tokens decoded offline
 * in full batches, where all sentences have one length.
 */
export async function benchServe(
  options: BenchOptions,
  report: Report,
  design: DecodeDesign = decodeDesign,
): Promise<void> {
  const cases = selectCases(serveCases, options.case);
  await withTemporaryDirectory(async (directory) => {
    await writeRandomModel(directory, design.config, transformerWeights(design.config));
    for (const { name, precision, beams, arrival } of cases) {
      const model = await loadModel(directory, { threads: options.threads, weightPrecision: precision });
      const sides = [
        ownSide(() => serve(model, design, beams, arrival)),
        { ...ownSide(() => decodeOffline(model, design, beams)), name: 'offline' },
      ];
      const { times } = await measureRounds(sides, roundOptions(options, 1));
      const tokens = clients * sentencesPerClient * design.steps;
      const [served, offline] = times.map((side) => side.map((ms) => ms / tokens));
      report.row(
        timedRow({ bench: 'serve', case: name, times: served, peer: { name: 'offline', times: offline } }),
      );
      await model.dispose();
    }
  });
}

/** New tokens of a client's sentences: different for each client, and as many in all as offline. */
function lengthsOf(client: number, steps: number): number[] {
  const less = (client * 5) % Math.ceil(steps / 2);
  const lengths = [steps - less, steps, steps + less];
  return [...lengths.slice(client % 3), ...lengths.slice(0, client % 3)];
}

async function serve(model: Model, design: DecodeDesign, numBeams: number, arrival: Arrival): Promise<void> {
  const batcher = createBatcher(model, { batchSize: clients });
  const sources = randomSources(design, clients);
  const ask = (inputIds: number[], length: number) =>
    batcher.generate({ inputIds }, { numBeams, minNewTokens: length, maxNewTokens: length });
  if (arrival === 'at once') {
    for (let part = 0; part < sentencesPerClient; part++)
      await Promise.all(sources.map((inputIds) => ask(inputIds, design.steps)));
    return;
  }
  await Promise.all(
    sources.map(async (inputIds, client) => {
      for (const length of lengthsOf(client, design.steps)) await ask(inputIds, length);
    }),
  );
}

async function decodeOffline(model: Model, design: DecodeDesign, numBeams: number): Promise<void> {
  const inputs = randomSources(design, clients).map((inputIds) => ({ inputIds }));
  const length = { minNewTokens: design.steps, maxNewTokens: design.steps };
  for (let part = 0; part < sentencesPerClient; part++) {
    await model.generate(inputs, { numBeams, ...length }, { batchSize: clients });
  }
}
