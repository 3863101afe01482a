import type { z } from 'zod';
import { clm, clmOptionsSchema } from './clm.js';
import { cmlm } from './cmlm.js';
import { cmlmOptionsSchema } from './cmlmOptions.js';
import { mlm, mlmOptionsSchema } from './mlm.js';
import type { XlmContext, XlmObjective } from './objective.js';
import { tlm, tlmOptionsSchema } from './tlm.js';

/** An objective as configurations name it. */
export interface XlmObjectiveKind {
  reads: XlmObjective['reads'];
  /** One line for the reference page. */
  summary: string;
  schema: z.ZodObject;
  make(context: XlmContext, options: unknown): XlmObjective;
}

function kind<S extends z.ZodObject>(
  reads: XlmObjective['reads'],
  summary: string,
  schema: S,
  make: (context: XlmContext, options: z.output<S>) => XlmObjective,
): XlmObjectiveKind {
  return { reads, summary, schema, make: (context, options) => make(context, options as z.output<S>) };
}

/** Every objective that `polybeam xlm pretrain` knows. A new one is added here, and nowhere else. */
export const xlmObjectiveKinds = {
  mlm: kind(
    'streams',
    'Masked language modelling (Conneau and Lample 2019, section 3.3) on the running text of each language.',
    mlmOptionsSchema,
    mlm,
  ),
  clm: kind(
    'streams',
    'Causal language modelling (section 3.2): each token of the running text is predicted from those before it.',
    clmOptionsSchema,
    clm,
  ),
  tlm: kind(
    'pairs',
    'Translation language modelling (section 3.4): a sentence and its translation in one row, both masked.',
    tlmOptionsSchema,
    tlm,
  ),
  cmlm: kind(
    'streams',
    'Cross-lingual masked language modelling (Ren et al. 2019): masked n-grams are predicted as translations of a table.',
    cmlmOptionsSchema,
    cmlm,
  ),
} satisfies Record<string, XlmObjectiveKind>;

/** Names of objectives. */
export type XlmObjectiveName = keyof typeof xlmObjectiveKinds;
