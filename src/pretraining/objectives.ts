import type { z } from 'zod';
import type { EncoderDecoder } from '../decoder/encoderDecoder.js';
import { bart, bartOptionsSchema } from './bart.js';
import { bertLm, bertLmOptionsSchema } from './bertLm.js';
import { mass, massOptionsSchema } from './mass.js';
import type { PretrainingObjective } from './objective.js';
import { supervisedMass, supervisedMassOptionsSchema } from './supervisedMass.js';
import type { VocabularyFacts } from './vocabularyFacts.js';

/** What an objective is made for. */
export interface ObjectiveContext {
  model: EncoderDecoder;
  facts: VocabularyFacts & { decoderStartTokenId: number };
  labelSmoothing: number;
}

/** An objective as configurations name it. */
export interface ObjectiveKind {
  /** One line for the reference page. */
  summary: string;
  schema: z.ZodObject;
  make(context: ObjectiveContext, options: unknown): PretrainingObjective;
}

function kind<S extends z.ZodObject>(
  summary: string,
  schema: S,
  make: (context: ObjectiveContext, options: z.output<S>) => PretrainingObjective,
): ObjectiveKind {
  return { summary, schema, make: (context, options) => make(context, options as z.output<S>) };
}

/** Every objective that `polybeam pretrain` knows. A new one is added here, and nowhere else. */
export const objectiveKinds = {
  mass: kind(
    'MASS (Song et al. 2019): the decoder writes a masked fragment of the text.',
    massOptionsSchema,
    ({ model, facts, labelSmoothing }, options) => mass(model, facts, options, labelSmoothing),
  ),
  supervisedMass: kind(
    'Supervised MASS: the decoder writes the target of a source with a masked fragment. Learns from data.pairs.',
    supervisedMassOptionsSchema,
    ({ model, facts, labelSmoothing }, options) => supervisedMass(model, facts, options, labelSmoothing),
  ),
  bart: kind(
    "BART's denoising (Lewis et al. 2020): the decoder writes the text that the encoder reads corrupted.",
    bartOptionsSchema,
    ({ model, facts, labelSmoothing }, options) => bart(model, facts, options, labelSmoothing),
  ),
  bertLm: kind(
    'BERT+LM (Song et al. 2019, section 4.2): masked language modelling for the encoder, language modelling for the decoder.',
    bertLmOptionsSchema,
    ({ model, facts, labelSmoothing }, options) => bertLm(model, facts, options, labelSmoothing),
  ),
} as const satisfies Record<string, ObjectiveKind>;

/** Names of objectives. */
export type ObjectiveName = keyof typeof objectiveKinds;
