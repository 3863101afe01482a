import { printable } from './printable.js';

/**
 * The catalogue of polybeam's errors. Codes are stable: scripts may match on them.
 * The line of a code describes the kind of error; the message of an error names the value and the remedy.
 */
export const errorCatalogue = {
  OPTION_UNKNOWN: 'An option name that does not exist.',
  OPTION_INVALID: 'An option value outside what the option accepts.',
  OPTION_CONFLICT: 'Two options that exclude each other.',
  KERNEL_UNMAPPED: 'A tfjs operation that the tracer cannot express as ONNX nodes.',
  TRACE_VALUE_READ: 'A value was read while tracing, when no values exist yet.',
  TRACE_SHAPE: 'A size that cannot be expressed by the named dimensions of the program.',
  FEED_INVALID: 'A program was run with a missing, unknown or wrongly shaped input.',
  DEVICE_UNKNOWN: 'A device name that polybeam does not know.',
  DEVICE_UNAVAILABLE: 'A device that exists but is not installed or not usable here.',
  RUNTIME_MISSING: 'No ONNX runtime was set before a program was compiled.',
  RUNTIME_UNFIT: 'An ONNX runtime that does not write outputs into the arrays it is given.',
  WEIGHT_MISSING: 'A weight that the architecture needs is not in the checkpoint.',
  WEIGHT_SHAPE: 'A weight has another shape than the architecture requires.',
  WEIGHT_DTYPE: 'A weight is stored in a number format that polybeam does not read.',
  FILE_NOT_FOUND: 'A file or directory does not exist.',
  FILE_CORRUPT: 'A file is truncated or not in its format.',
  FILE_CHANGED: 'A file of weights was replaced, changed or removed while a model that reads it was in use.',
  FILE_WRITE: 'A file could not be written; the existing file is unchanged.',
  CONFIG_INVALID: 'A configuration file has a wrong or missing value.',
  MODEL_TYPE_UNKNOWN: 'A config.json names a model type that polybeam does not implement.',
  ENSEMBLE_MISMATCH: 'Models of an ensemble do not share a vocabulary.',
  MODEL_CANNOT_GENERATE: 'A model cannot generate or translate.',
  MODEL_DISPOSED: 'A model or a program was used after it was disposed, or was disposed while it was used.',
  ATTENTION_MISSING: 'Attention over the source was requested from a model without cross-attention.',
  TOKENIZER_MISSING: 'Text was given to a model directory without tokenizer files.',
  TOKENIZER_INVALID: 'A tokenizer file that cannot be read.',
  LANGUAGE_UNKNOWN: 'A target language that the model was not trained for.',
  INPUT_INVALID: 'An input line or value that cannot be used.',
  ABORTED: 'A search was stopped by its AbortSignal.',
  QUEUE_FULL: 'A batcher got more requests than may wait.',
  LOGITS_INVALID: 'A model computed a next-token distribution that is not a number.',
  TRAINING_DIVERGED: 'The loss became NaN or infinite.',
  MAPPING_FAILED:
    "A mapping of two languages' vectors did not converge, its objective stayed low, or it does not find its own pairs again.",
  RUN_IN_USE: 'A run directory that another process works in.',
  CHECKPOINT_MISMATCH: 'A training checkpoint belongs to another configuration.',
} as const;

/** A stable error code; see `errorCatalogue`. */
export type ErrorCode = keyof typeof errorCatalogue;

/**
 * Every error polybeam throws on purpose: one sentence with the value and the remedy, and a stable `code`. Messages quote files
 * and arguments, so they are made printable.
 */
export class PolybeamError extends Error {
  override readonly name = 'PolybeamError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(printable(message), options);
  }
}
