import { createEnsemble, type EnsembleOptions } from '../decoder/ensemble.js';
import type { ScoredTarget, Scorer } from '../decoder/scorer.js';
import { PolybeamError } from '../errors.js';
import { requireOptionNames, requireTexts } from '../inputs.js';
import { createLifetime } from './lifetime.js';
import { type LoadOptions, loadOptionNames, loadParts } from './loadModel.js';
import { type Model, makeModel } from './model.js';
import type { ModelParts } from './modelParts.js';

/** Several models as one; a single pass over ids has no meaning for them. */
export type EnsembleModel = Omit<Model, 'forward'>;

/**
 * Loads models of one vocabulary that decode together, by the weighted mean of their distributions. Tokenizer,
 * languages and defaults are those of the first.
 * @throws as `loadModel`, and OPTION_INVALID, ENSEMBLE_MISMATCH, MODEL_CANNOT_GENERATE
 */
export async function loadEnsemble(
  directories: readonly string[],
  options: LoadOptions & EnsembleOptions = {},
): Promise<EnsembleModel> {
  requireTexts(directories, 'directories');
  requireOptionNames(options, [...loadOptionNames, 'weights', 'combine'], 'loadEnsemble');
  const { weights, combine, ...load } = options;
  const members: ModelParts[] = [];
  for (const directory of directories) members.push(await loadParts(directory, load));
  const generations = members.map(requireGeneration);
  checkStarts(members);
  await checkTokenizers(members);
  const { device, threads } = load;
  const steps = createEnsemble(
    generations.map((generation) => generation.steps),
    { weights, combine },
    { device, ...(threads === undefined ? {} : { threads }) },
  );
  const scorer = combinedScorer(
    generations.map((generation) => generation.scorer),
    { weights, combine },
  );
  const { forward: _, ...model } = makeModel({
    ...members[0],
    directory: directories.join(' + '),
    generation: { ...generations[0], steps, scorer },
    // What all of them can read.
    maxSource: Math.min(...members.map((member) => member.maxSource)),
    idCounts: {
      ...members[0].idCounts,
      inputIds: Math.min(...members.map(({ idCounts }) => idCounts.inputIds)),
    },
    ...createLifetime([steps.release, ...members.map(({ dispose }) => dispose)]),
  });
  return model;
}

function requireGeneration({ generation, directory, config }: ModelParts) {
  if (generation) return generation;
  throw new PolybeamError(
    'MODEL_CANNOT_GENERATE',
    `${directory} is a ${String(config.model_type)} model without a decoder; leave it out of the ensemble.`,
  );
}

/** A source is a text to continue to all, or to none. */
function checkStarts(members: readonly ModelParts[]): void {
  const continues = ({ generation }: ModelParts) => generation?.rules.decoderStartTokenId === undefined;
  const different = members.find((member) => continues(member) !== continues(members[0]));
  if (!different) return;
  const [one, other] = continues(different) ? [different, members[0]] : [members[0], different];
  throw new PolybeamError(
    'ENSEMBLE_MISMATCH',
    `${one.directory} continues texts and ${other.directory} reads a source; take models of one kind.`,
  );
}

/** Letters, digits, marks and capitals, so that different vocabularies hardly agree on it. */
const probe = 'The 2 quick brown foxes; naïve Straßen, 1984 (Übung)!';

/** One id must mean one token to all. */
async function checkTokenizers(members: readonly ModelParts[]): Promise<void> {
  const read = async ({ tokenizer }: ModelParts) => tokenizer && (await tokenizer.encode(probe)).ids.join();
  const [first, ...others] = await Promise.all(members.map(read));
  const different = others.findIndex((ids) => ids !== first);
  if (different < 0) return;
  throw new PolybeamError(
    'ENSEMBLE_MISMATCH',
    `${members[different + 1].directory} splits text otherwise than ${members[0].directory}; take models of one vocabulary.`,
  );
}

/** The weighted mean of probabilities of given tokens, and of attention. */
function combinedScorer(scorers: readonly Scorer[], { weights, combine }: EnsembleOptions): Scorer {
  const total = (weights ?? scorers).reduce<number>((sum, weight) => sum + (weights ? Number(weight) : 1), 0);
  return {
    score: async (pairs, batchSize, attention) => {
      if (combine === 'logLinear') {
        throw new PolybeamError(
          'OPTION_CONFLICT',
          'A log-linear ensemble can be scored by searching only; combine it linearly, or score each member.',
        );
      }
      const all: ScoredTarget[][] = [];
      for (const scorer of scorers) all.push(await scorer.score(pairs, batchSize, attention));
      const mean = (read: (one: ScoredTarget[]) => number) =>
        all.reduce((sum, one, i) => sum + ((weights?.[i] ?? 1) / total) * read(one), 0);
      return pairs.map((_, pair) => {
        const first = all[0][pair];
        return {
          logProbabilities: first.logProbabilities.map((__, token) =>
            Math.log(mean((one) => Math.exp(one[pair].logProbabilities[token]))),
          ),
          ...(first.attention && {
            attention: first.attention.map((row, token) =>
              row.map((__, place) => mean((one) => one[pair].attention![token][place])),
            ),
          }),
        };
      });
    },
    release: async () => {
      for (const scorer of scorers) await scorer.release();
    },
  };
}
