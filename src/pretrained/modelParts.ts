import type { Scorer } from '../decoder/scorer.js';
import type { Program } from '../engine/program.js';
import type { ModelGeneration } from '../generation/generationConfig.js';
import type { GenerationInput } from '../generation/inputs.js';
import type { StepModel } from '../generation/stepModel.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { TruncationRule } from '../text/truncation.js';
import type { ModelDefinition } from './architectures/definition.js';
import type { RawConfig } from './config.js';
import type { ModelLanguages } from './languages.js';
import type { Lifetime } from './lifetime.js';

/** What an output begins with: a text, or token ids; empty for nothing. */
export type Prefix = string | readonly number[];

/** A text, alone or with what is demanded of its outputs, or token ids as the model's tokenizer would make them. */
export type ModelInput = string | ReadInput;

/** An input as an object. */
export type ReadInput =
  | ({ text: string } & InputConstraints)
  | ({
      inputIds: readonly number[];
      attentionMask?: readonly number[];
      decoderInputIds?: readonly number[];
    } & InputConstraints);

/** What is demanded of the outputs of one input; phrases beside those of the option of the same name. */
type InputConstraints = Pick<GenerationInput, 'forceWordsIds'> & {
  /** What they begin with; see `prefixIds`. */
  prefix?: Prefix;
};

/** What a model is made of; see `loadModel`. */
export interface ModelParts extends Lifetime {
  directory: string;
  config: RawConfig;
  tokenizer?: Tokenizer;
  languages: ModelLanguages;
  /** Where the model can generate. */
  generation?: { steps: StepModel; scorer: Scorer } & ModelGeneration;
  /** Compiles `forward` when it is first called. */
  forwardProgram: () => Promise<Program>;
  /** The same without logits, where it gives hidden states too. */
  statesProgram: () => Promise<Program>;
  /** Positions the source can have. */
  maxSource: number;
  /** What stays of a longer text, where config.json says it (`polybeam.truncation`). */
  truncation?: TruncationRule;
  /** Whether what it writes follows its source at once, as in a prefix language model. */
  followsSource?: boolean;
  idCounts: ModelDefinition['idCounts'];
  onWarning: (message: string) => void;
}
