import { type BertHead, bertEncoderDecoder } from '../../decoder/bertGeneration.js';
import { PolybeamError } from '../../errors.js';
import { bertConfigSchema, type RawConfig, readConfig } from '../config.js';
import { readBertConfig, repeatedInHead } from './bert.js';
import type { Architecture } from './definition.js';
import { defineEncoderDecoder } from './encoderDecoderForward.js';

/** What each side of an `encoder-decoder` can be, and the head it has as a decoder. */
export const sides: Readonly<Record<string, { segments: boolean; head: BertHead }>> = {
  bert: { segments: true, head: 'cls' },
  'bert-generation': { segments: false, head: 'lm_head' },
};

/** transformers' EncoderDecoderModel over BERT's family. */
export const encoderDecoder: Architecture = {
  modelType: 'encoder-decoder',
  repeated: (raw) => {
    const decoder = raw.decoder as RawConfig;
    const head = sides[String(decoder?.model_type)]?.head;
    if (!head) return {};
    const repeated = repeatedInHead(decoder, head === 'cls' ? 'cls.predictions' : head, 'decoder.');
    if (!sharesSides(raw)) return repeated;
    const table = (name: string) => name.replace(/^decoder\.bert\./, 'encoder.');
    return Object.fromEntries(Object.entries(repeated).map(([name, first]) => [name, table(first)]));
  },
  define: (raw, _weights, path) => {
    const encoder = readSide(raw, 'encoder', path);
    const decoder = readSide(raw, 'decoder', path);
    return defineEncoderDecoder(
      bertEncoderDecoder(
        encoder.config,
        {
          ...decoder.config,
          head: decoder.head,
          tieWordEmbeddings: decoder.tieWordEmbeddings,
        },
        sharesSides(raw),
      ),
      {
        embeddings: ['encoder.embeddings.', 'decoder.bert.embeddings.'],
        stacks: [
          { prefix: 'encoder.encoder.layer.', layers: encoder.config.numHiddenLayers },
          { prefix: 'decoder.bert.encoder.layer.', layers: decoder.config.numHiddenLayers },
        ],
        encoder: ['encoder.'],
      },
    );
  },
};

/** Whether one set of weights serves both sides. */
function sharesSides(raw: RawConfig): boolean {
  return raw.tie_encoder_decoder === true;
}

function readSide(raw: RawConfig, name: 'encoder' | 'decoder', path: string) {
  const side = raw[name] as RawConfig | undefined;
  const modelType = String(side?.model_type);
  const kind = sides[modelType];
  if (!side || !kind) {
    throw new PolybeamError(
      'MODEL_TYPE_UNKNOWN',
      `${path}: ${name}.model_type is ${modelType}; an encoder-decoder can be made of ${Object.keys(sides).join(' and ')}.`,
    );
  }
  const at = `${path} (${name})`;
  const { tie_word_embeddings: tieWordEmbeddings } = readConfig(bertConfigSchema, side, at);
  return { config: readBertConfig(side, at, kind.segments), head: kind.head, tieWordEmbeddings };
}
