import { PolybeamError } from '../errors.js';
import type { GenerationOptions } from '../generation/options.js';
import type { Model } from '../pretrained/model.js';

/**
 * The options with what `--stop-strings` needs: a way to text, which is the model's tokenizer.
 *
 * @throws PolybeamError TOKENIZER_MISSING
 */
export function withDecoder(options: GenerationOptions, { tokenizer, directory }: Model): GenerationOptions {
  if (options.stopStrings === undefined) return options;
  if (tokenizer) return { ...options, decode: (outputs) => tokenizer.decodeBatch(outputs) };
  throw new PolybeamError(
    'TOKENIZER_MISSING',
    `${directory} has no tokenizer files, which --stop-strings needs; leave it out.`,
  );
}
