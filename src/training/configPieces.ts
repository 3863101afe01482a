import { z } from 'zod';

/*
 * Sections that the configurations of training, fine-tuning and pre-training share. Each description gives the meaning, the
 * default where it is not a plain value, and the reason; the reference pages are made from them.
 */

/** A whole number, 1 or more. */
export const count = z.int().min(1);

/** From 0 to below 1. */
export const rate = z.number().min(0).lt(1);

/** A file or directory. */
export const path = z.string().min(1);

/** AdamW and the loss. */
export const optimizerSchema = z.strictObject({
  adamBeta1: rate.default(0.9).describe("AdamW's decay of the mean gradient."),
  adamBeta2: rate
    .default(0.98)
    .describe(
      "AdamW's decay of the mean squared gradient; 0.98 as in Vaswani et al., since Transformers need a shorter memory than " +
        '0.999.',
    ),
  adamEpsilon: z.number().gt(0).default(1e-9).describe('Added to the root of the mean squared gradient.'),
  weightDecay: z
    .number()
    .min(0)
    .default(0)
    .describe('Decoupled weight decay (AdamW), times the learning rate; none on biases and layer norms.'),
  clipNorm: z
    .number()
    .min(0)
    .default(1)
    .describe(
      'Maximum L2 norm of the gradient of an update; larger gradients are scaled down. 0 is no clipping.',
    ),
  labelSmoothing: rate
    .default(0.1)
    .describe('Share of the label probability spread over the vocabulary (Szegedy et al. 2016).'),
});

/** Learning rate over the run. */
export const scheduleSchema = z.strictObject({
  type: z
    .enum(['inverseSquareRoot', 'linear', 'cosine', 'slantedTriangular', 'constant'])
    .default('inverseSquareRoot')
    .describe(
      'How the learning rate falls after warm-up: linear and cosine reach 0 at totalUpdates, slantedTriangular (Howard and ' +
        'Ruder 2018) reaches learningRate / ratio, at which it also starts; the others need no end.',
    ),
  learningRate: z.number().gt(0).default(5e-4).describe('The highest learning rate, reached after warm-up.'),
  warmupUpdates: z
    .int()
    .min(0)
    .default(4000)
    .describe("Updates over which the rate rises from 0: Adam's first estimates are poor."),
  totalUpdates: count
    .optional()
    .describe(
      'Update at which linear, cosine and slantedTriangular reach their end. Default budget.maxUpdates.',
    ),
  ratio: z
    .number()
    .gt(1)
    .optional()
    .describe('slantedTriangular: ratio of the highest rate to the lowest. Default 32.'),
});

/** How examples are grouped. */
export const batchSchema = z.strictObject({
  maxTokens: count
    .default(4096)
    .describe('Maximum size of a batch: sentences x longest padded side. Choose what fits in memory.'),
  accumulate: count
    .default(1)
    .describe(
      'Number of batches whose gradients are summed in an update, for larger updates than fit in memory. The last update of an ' +
        'epoch may have fewer.',
    ),
  sortWindow: count
    .default(20_000)
    .describe('Shuffled pairs are sorted by length within windows of this many, which reduces padding.'),
  lengthMultiple: count
    .default(4)
    .describe(
      'Lengths are padded to multiples of this, which gives fewer distinct shapes with little more padding.',
    ),
});

/** When to end. */
export const budgetSchema = z.strictObject({
  maxUpdates: count.optional().describe('Updates after which training ends.'),
  maxEpochs: count.optional().describe('Passes over the training text after which training ends.'),
  maxMinutes: z
    .number()
    .gt(0)
    .optional()
    .describe('Minutes of training (validation included, interruptions not) after which training ends.'),
});

/** Ending when validation stops improving. */
export const earlyStoppingSchema = z.strictObject({
  patience: count
    .optional()
    .describe('Validations in a row without a new best after which training ends. Default: never.'),
});

/** What is saved, and when. */
export const checkpointsSchema = z.strictObject({
  everyUpdates: count.default(1000).describe('Updates between checkpoints that are kept and averaged.'),
  everyMinutes: z
    .number()
    .gt(0)
    .default(10)
    .describe('Maximum number of minutes between checkpoints: the most that a crash can lose.'),
  keep: count
    .default(5)
    .describe(
      'Number of checkpoints to keep, besides the best and the last; older ones keep only their weights.',
    ),
  averageLast: z
    .int()
    .min(0)
    .default(5)
    .describe(
      'The final model is the mean of the weights of this many last kept checkpoints (Vaswani et al. 2017, section 6.1); ' +
        '0 takes the best checkpoint instead, or the last without validation.',
    ),
});

/** The log of the run. */
export const logSchema = z.strictObject({
  everyUpdates: count.default(50).describe('Updates between rows of log.jsonl, each a mean over them.'),
});

/** The configuration file of `polybeam train` as written; `parseTrainConfig` gives it with presets and cross-checks. */

/** Everything that every run has besides. */
export const runSchema = {
  seed: z
    .int()
    .min(0)
    .max(4294967295)
    .default(1)
    .describe('Seed of initial weights, order of the data and dropout: the same seed gives the same run.'),
  device: z.string().default('cpu').describe('Device to compute on; `polybeam doctor` lists the devices.'),
  threads: count.optional().describe('Threads on the CPU. Default: one for each core.'),
};

/** The sections that every configuration of a training has, whatever it learns. */
export const runSections = {
  schedule: scheduleSchema.prefault({}).describe('Learning rate over the run.'),
  budget: budgetSchema
    .prefault({})
    .describe('When training ends: at the first of these. At least one, or earlyStopping, is required.'),
  earlyStopping: earlyStoppingSchema.prefault({}).describe('Ends training when validation stops improving.'),
  checkpoints: checkpointsSchema.prefault({}).describe('What is saved, and when.'),
  log: logSchema.prefault({}).describe('The log of the run.'),
  ...runSchema,
};
