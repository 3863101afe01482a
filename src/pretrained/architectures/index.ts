import { PolybeamError } from '../../errors.js';
import { nearestName } from '../../generation/nearestName.js';
import type { RawConfig } from '../config.js';
import { bart, m2m100, mbart, pegasus } from './bart.js';
import { bert } from './bert.js';
import { bertGeneration } from './bertGeneration.js';
import type { Architecture } from './definition.js';
import { encoderDecoder } from './encoderDecoder.js';
import { gpt2 } from './gpt2.js';
import { marian } from './marian.js';
import { roformer } from './roformer.js';
import { mt5, t5 } from './t5.js';
import { unilm } from './unilm.js';
import { xlm } from './xlm.js';
import { xlmEncoderDecoder } from './xlmEncoderDecoder.js';
import { xlmRoberta } from './xlmRoberta.js';

/** Every model type that can be loaded. A new architecture is added here, and nowhere else. */
export const architectures: readonly Architecture[] = [
  bart,
  bert,
  bertGeneration,
  encoderDecoder,
  gpt2,
  m2m100,
  marian,
  mbart,
  mt5,
  pegasus,
  roformer,
  t5,
  unilm,
  xlm,
  xlmEncoderDecoder,
  xlmRoberta,
];

/**
 * The architecture that a config.json names.
 * @throws MODEL_TYPE_UNKNOWN
 */
export function architectureOf(raw: RawConfig, path: string): Architecture {
  const modelType = raw.model_type;
  const found = architectures.find((architecture) => architecture.modelType === modelType);
  if (found) return found;
  const known = architectures.map((architecture) => architecture.modelType);
  const near = typeof modelType === 'string' ? nearestName(modelType, known) : undefined;
  throw new PolybeamError(
    'MODEL_TYPE_UNKNOWN',
    `${path}: model_type is ${JSON.stringify(modelType) ?? 'missing'}; polybeam has ${known.join(', ')}${near ? ` (did you mean ${near}?)` : ''}.`,
  );
}
