import type { StoredWeight, WeightStore } from '../engine/weights.js';
import { PolybeamError } from '../errors.js';
import { fileAccess } from '../files.js';
import { decodeUtf8Lines } from '../text/utf8.js';
import { bertConfigSchema, type RawConfig, readConfig } from './config.js';
import { readJson, tensorflowBertConfig } from './modelDirectory.js';
import { asFloats } from './numberFormats.js';
import { weightStore } from './openWeights.js';
import { readTensorflowCheckpoint, type TensorflowTensor } from './tensorflowCheckpoint.js';

/** A BERT of Google's TensorFlow code, as a model directory holds it. */
export interface ConvertedBert {
  config: RawConfig;
  weights: WeightStore;
  /** vocab.txt and tokenizer_config.json. */
  tokenizerFiles: Map<string, Uint8Array>;
}

const indexSuffix = '.index';

/**
 * Reads `bert_config.json`, `vocab.txt` and the checkpoint (`bert_model.ckpt.index` and its data) of Google's BERT (Devlin et al.
 * 2019) by the names of Hugging Face's `bert`: kernels are transposed, the masked-LM head, the next-sentence head and the pooler are
 * kept, moments of the optimizer are not.
 * @throws FILE_NOT_FOUND, FILE_CORRUPT, CONFIG_INVALID, WEIGHT_DTYPE; WEIGHT_MISSING where a variable has no place in BERT
 */
export async function openTensorflowBert(directory: string): Promise<ConvertedBert> {
  const raw = await readJson(`${directory}/${tensorflowBertConfig}`);
  const { max_position_embeddings: positions } = readConfig(
    bertConfigSchema,
    raw,
    `${directory}/${tensorflowBertConfig}`,
  );
  const prefix = await findCheckpoint(directory);
  const weights = new Map<string, StoredWeight>();
  for (const [variable, tensor] of await readTensorflowCheckpoint(prefix)) {
    if (isOptimizers(variable)) continue;
    const name = bertName(variable);
    if (name === undefined) throw unknownVariable(variable, prefix);
    weights.set(name, await storedWeight(variable, tensor));
  }
  const heads = ['cls.seq_relationship.weight', 'cls.predictions.bias'];
  const kinds = ['BertForPreTraining', 'BertForMaskedLM', 'BertModel'];
  const kind = heads.findIndex((head) => weights.has(head));
  return {
    config: {
      ...raw,
      architectures: [kinds[kind < 0 ? 2 : kind]],
      model_type: 'bert',
      // Of the code, not of its configuration.
      layer_norm_eps: 1e-12,
      pad_token_id: 0,
    },
    weights: weightStore(weights),
    tokenizerFiles: await tokenizerOf(directory, positions),
  };
}

/** The path of the only checkpoint, without `.index`. */
async function findCheckpoint(directory: string): Promise<string> {
  const found = (await fileAccess().list(directory)).filter((name) => name.endsWith(indexSuffix));
  if (found.length === 1) return `${directory}/${found[0].slice(0, -indexSuffix.length)}`;
  throw new PolybeamError(
    'FILE_NOT_FOUND',
    found.length === 0
      ? `${directory} has ${tensorflowBertConfig} but no checkpoint beside it: put bert_model.ckpt.index and bert_model.ckpt.data-00000-of-00001 there.`
      : `${directory} has ${found.length} checkpoints (${found.sort().join(', ')}): leave the one to convert.`,
  );
}

/** Adam's moments, and the number of steps. */
function isOptimizers(variable: string): boolean {
  return /(^|\/)(adam_[mv]|AdamWeightDecayOptimizer(_\d+)?|global_step)(\/|$)/.test(variable);
}

/** The name in Hugging Face's `bert`, or undefined where the variable is none of BERT's. */
function bertName(variable: string): string | undefined {
  if (!/^(bert|cls)\//.test(variable)) return undefined;
  const name = variable
    .replaceAll('/', '.')
    .replace(/\blayer_(\d+)\b/, 'layer.$1')
    .replace(/LayerNorm\.gamma$/, 'LayerNorm.weight')
    .replace(/LayerNorm\.beta$/, 'LayerNorm.bias')
    .replace(/\.kernel$/, '.weight')
    .replace(/\.output_weights$/, '.weight')
    .replace(/\.output_bias$/, '.bias')
    .replace(/_embeddings$/, '_embeddings.weight');
  return /\.(weight|bias)$/.test(name) ? name : undefined;
}

function unknownVariable(variable: string, prefix: string): PolybeamError {
  return new PolybeamError(
    'WEIGHT_MISSING',
    `${prefix} has a variable ${variable}, which BERT has no place for: convert the checkpoint that was pre-trained, not one of a model built on it.`,
  );
}

/** A tensor where it lies, or transposed: TensorFlow multiplies by kernels [inputs, outputs], PyTorch by [outputs, inputs]. */
async function storedWeight(variable: string, tensor: TensorflowTensor): Promise<StoredWeight> {
  if (tensor.format === undefined) {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `The variable ${variable} is of a type that no weight has; convert the checkpoint that was pre-trained.`,
    );
  }
  // Read in any case, which checks it.
  const bytes = await tensor.read();
  const { format, shape, path, offset, length } = tensor;
  if (!variable.endsWith('/kernel')) return { format, shape, data: { kind: 'file', path, offset, length } };
  if (format !== 'F32' || shape.length !== 2) {
    throw new PolybeamError(
      'WEIGHT_DTYPE',
      `The kernel ${variable} is ${format} [${shape.join(', ')}], but a matrix of F32 is wanted; save it as float32.`,
    );
  }
  const turned = transpose(asFloats(bytes), shape[0], shape[1]);
  const data = new Uint8Array(turned.buffer, turned.byteOffset, turned.byteLength);
  return { format, shape: [shape[1], shape[0]], data: { kind: 'memory', data } };
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column];
  return turned;
}

/** The vocabulary, and how it is used: nothing in the checkpoint says whether text is lower-cased, but the vocabulary shows it. */
async function tokenizerOf(directory: string, positions: number): Promise<Map<string, Uint8Array>> {
  const vocabulary = await fileAccess().read(`${directory}/vocab.txt`);
  const { lines } = decodeUtf8Lines(vocabulary);
  const isCased = lines.some((token) => !/^\[.*\]$/.test(token) && /\p{Lu}/u.test(token));
  const settings = {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: !isCased,
    model_max_length: positions,
  };
  return new Map([
    ['vocab.txt', vocabulary],
    ['tokenizer_config.json', new TextEncoder().encode(`${JSON.stringify(settings, null, 2)}\n`)],
  ]);
}
