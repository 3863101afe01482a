import type { z } from 'zod';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import type { PrefixParts } from '../decoder/prefixLm.js';
import { PolybeamError } from '../errors.js';
import { bart, bartOptionsSchema } from './bart.js';
import { bertLm, bertLmOptionsSchema } from './bertLm.js';
import { mass, massOptionsSchema } from './mass.js';
import type { PretrainedModelType } from './modelTypes.js';
import type { PretrainingObjective } from './objective.js';
import { roformerSim, roformerSimOptionsSchema } from './roformerSim.js';
import { simbert, simbertOptionsSchema } from './simbert.js';
import { supervisedMass, supervisedMassOptionsSchema } from './supervisedMass.js';
import { unilm, unilmOptionsSchema } from './unilm.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/** What an objective is made for. */
export interface ObjectiveContext {
  model: EncoderDecoder;
  /** Where one stack of layers both reads and writes. */
  prefix?: PrefixParts;
  facts: VocabularyFacts & { decoderStartTokenId: number };
  labelSmoothing: number;
}

/** An objective as configurations name it. */
export interface ObjectiveKind {
  /** The `model.type` it is meant for; other types of the same shape will do. */
  modelType: PretrainedModelType;
  /** Whether it trains one stack of layers that both reads and writes, or else an encoder with a decoder. */
  trainsStack: boolean;
  /** What it learns from: running text (`data.train`), or pairs of texts (`data.pairs`). */
  reads: PretrainingObjective['reads'];
  /** Two options that exclude each other, where there are such. */
  exclusive?: readonly [string, string];
  /** One line for the reference page. */
  summary: string;
  schema: z.ZodObject;
  make(context: ObjectiveContext, options: unknown): PretrainingObjective;
}

type Make<S extends z.ZodObject, C> = (context: C, options: z.output<S>) => PretrainingObjective;

/** What is said of an objective beside its options. */
type About = Pick<ObjectiveKind, 'summary' | 'exclusive'> &
  Partial<Pick<ObjectiveKind, 'reads' | 'modelType'>>;

function kind<S extends z.ZodObject>(
  { summary, exclusive, reads = 'text' }: About,
  schema: S,
  make: Make<S, ObjectiveContext>,
): ObjectiveKind {
  return {
    modelType: 'marian',
    trainsStack: false,
    exclusive,
    reads,
    summary,
    schema,
    make: (context, options) => {
      if (context.prefix) throw wrongModel('an encoder with a decoder', 'one stack of layers');
      return make(context, options as z.output<S>);
    },
  };
}

function stackKind<S extends z.ZodObject>(
  { summary, reads = 'text', modelType = 'unilm' }: About,
  schema: S,
  make: Make<S, ObjectiveContext & { prefix: PrefixParts }>,
): ObjectiveKind {
  return {
    modelType,
    trainsStack: true,
    reads,
    summary,
    schema,
    make: (context, options) => {
      const { prefix } = context;
      if (!prefix) throw wrongModel('one stack of layers that reads and writes', 'an encoder with a decoder');
      return make({ ...context, prefix }, options as z.output<S>);
    },
  };
}

function wrongModel(wanted: string, found: string): PolybeamError {
  return new PolybeamError(
    'CONFIG_INVALID',
    `The objective trains ${wanted}, and the model is ${found}: choose another objective, or another model.type or init.`,
  );
}

/** Every objective that `polybeam pretrain` knows. A new one is added here, and nowhere else. */
export const objectiveKinds = {
  mass: kind(
    {
      summary: 'MASS (Song et al. 2019): the decoder writes a masked fragment of the text.',
      exclusive: ['fragmentShare', 'fragmentLength'],
    },
    massOptionsSchema,
    ({ model, facts, labelSmoothing }, options) => mass(model, facts, options, labelSmoothing),
  ),
  supervisedMass: kind(
    {
      summary: 'Supervised MASS: the decoder writes the target of a source with a masked fragment.',
      reads: 'pairs',
    },
    supervisedMassOptionsSchema,
    ({ model, facts, labelSmoothing }, options) => supervisedMass(model, facts, options, labelSmoothing),
  ),
  bart: kind(
    {
      summary:
        "BART's denoising (Lewis et al. 2020): the decoder writes the text that the encoder reads corrupted.",
    },
    bartOptionsSchema,
    ({ model, facts, labelSmoothing }, options) => bart(model, facts, options, labelSmoothing),
  ),
  bertLm: kind(
    {
      summary:
        'BERT+LM (Song et al. 2019, section 4.2): masked language modelling for the encoder, language modelling for the decoder.',
    },
    bertLmOptionsSchema,
    ({ model, facts, labelSmoothing }, options) => bertLm(model, facts, options, labelSmoothing),
  ),
  unilm: stackKind(
    {
      summary:
        'UniLM (Dong et al. 2019): masked tokens are predicted reading in both directions, from the left, from the right, or behind a source.',
    },
    unilmOptionsSchema,
    ({ prefix, facts, labelSmoothing }, options) => unilm(prefix, facts, options, labelSmoothing),
  ),
  simbert: stackKind(
    {
      summary:
        'SimBERT (Su 2020): the stack writes the other text of a pair, and tells by vectors of [CLS] which texts belong together.',
      reads: 'pairs',
      modelType: 'bert',
    },
    simbertOptionsSchema,
    ({ prefix, facts, labelSmoothing }, options) => simbert(prefix, facts, options, labelSmoothing),
  ),
  roformerSim: stackKind(
    {
      summary:
        'RoFormer-Sim (Su 2021): SimBERT with sources that are partly corrupted; vectors can be distilled from a teacher.',
      reads: 'pairs',
      modelType: 'roformer',
    },
    roformerSimOptionsSchema,
    ({ prefix, facts, labelSmoothing }, options) => roformerSim(prefix, facts, options, labelSmoothing),
  ),
} satisfies Record<string, ObjectiveKind>;

/** Names of objectives. */
export type ObjectiveName = keyof typeof objectiveKinds;
