import { dirname } from 'node:path';
import { readAlignment } from '../../eval/report/alignments.js';
import { readLines as readEvaluated } from '../../src/cli/evaluate/input.js';
import { readInputs, tokenIds } from '../../src/cli/jsonLines.js';
import '../../src/node/install.js';
import { z } from 'zod';
import { fileAccess } from '../../src/files.js';
import { loadModel } from '../../src/pretrained/loadModel.js';
import { openWeights, weightStore } from '../../src/pretrained/openWeights.js';
import { readPytorchBin } from '../../src/pretrained/pytorchBin.js';
import { readSafetensors } from '../../src/pretrained/safetensors.js';
import { loadShortlist } from '../../src/pretrained/shortlistFile.js';
import { openTensorflowBert } from '../../src/pretrained/tensorflowBert.js';
import { readDictionary as readReplacements } from '../../src/pretrained/unknownWords.js';
import { parsePretrainConfigText } from '../../src/pretraining/parseConfig.js';
import { loadTokenizer } from '../../src/text/loadTokenizer.js';
import { readTextFiles } from '../../src/text/trainVocabulary.js';
import { readParallelText } from '../../src/training/data.js';
import { parseTrainConfigText } from '../../src/training/parseConfig.js';
import { parseFinetuneConfigText } from '../../src/training/parseFinetuneConfig.js';
import { openRun } from '../../src/training/runCheckpoint.js';
import { createRunLog } from '../../src/training/runLog.js';
import { readDictionary } from '../../src/xlm/mapping/dictionaryFile.js';
import { parseXlmPretrainConfigText } from '../../src/xlm/pretraining/parseConfig.js';
import { parseXlmRunConfigText } from '../../src/xlm/run/config.js';
import { openRecord } from '../../src/xlm/run/record.js';
import { openTable } from '../../src/xlm/table/translationTable.js';
import { textsOf } from '../../src/xlm/texts.js';
import { parseTranslationConfigText } from '../../src/xlm/translation/parseConfig.js';
import { readNgrams } from '../../src/xlm/vectors/ngrams.js';
import { readVectors } from '../../src/xlm/vectors/vectorFile.js';
import { damageJson } from './damage.js';
import { insideGzip, jsonLines, type Layer, safetensorsHeader, tableBlock } from './layers.js';

/** Something that reads files of others. A new one is a line of `readers`. */
export interface Reader {
  name: string;
  /** Files that are damaged, one a case, each in a copy of its directory. */
  seeds: readonly string[];
  /** How the content is damaged, beside the bytes. */
  layers: readonly Layer[];
  /** Reads the damaged file, and uses what it read as far as users do. It may throw errors with a code, and no others. */
  read(path: string): Promise<unknown>;
}

const own = (name: string) => `tools/fuzz/seeds/${name}`;
const fixture = (name: string) => `test/fixtures/${name}`;
const model = (name: string) => fixture(`models/${name}`);

const models = [
  'marian',
  'bart',
  'mbart',
  'm2m100',
  'pegasus',
  't5',
  't5-gated',
  'gpt2',
  'unilm',
  'simbert',
  'roformer-sim',
  'bert',
  'bert-generation-decoder',
  'encoder-decoder',
  'roformer',
  'xlm',
  'xlm-causal',
  'xlm-encoder-decoder',
  'xlm-roberta',
];
const withoutGeneration = ['bert', 'roformer', 'xlm', 'xlm-roberta'];
const tokenizerFiles = [
  't5/spiece.model',
  'bertGeneration/spiece.model',
  'm2m100/vocab.json',
  'm2m100/sentencepiece.bpe.model',
  'm2m100/special_tokens_map.json',
  'm2m100/tokenizer_config.json',
  'marian/source.spm',
  'marian/target.spm',
  'marian/vocab.json',
  'marian/tokenizer_config.json',
  'marian-separate/target_vocab.json',
  'xlmRoberta/sentencepiece.bpe.model',
  'bert/vocab.txt',
];

/** Every reader of files. */
export const readers: readonly Reader[] = [
  {
    name: 'safetensors',
    seeds: [fixture('pretrained/all.safetensors')],
    layers: [safetensorsHeader],
    read: (path) => readSafetensors(path).then(readAll),
  },
  {
    name: 'pytorch',
    seeds: ['zip', 'legacy', 'nested', 'command'].map((name) => fixture(`pretrained/${name}.bin`)),
    layers: [],
    read: (path) => readPytorchBin(path).then(readAll),
  },
  {
    name: 'shards',
    seeds: [model('marian-sharded/model.safetensors.index.json')],
    layers: [damageJson],
    read: (path) => openWeights(dirname(path)),
  },
  {
    name: 'tensorflow',
    seeds: [
      'bert_model.ckpt.index',
      'bert_config.json',
      'vocab.txt',
      'bert_model.ckpt.data-00000-of-00001',
    ].map((name) => fixture(`pretrained/tensorflow-bert/${name}`)),
    layers: [],
    read: (path) => openTensorflowBert(dirname(path)),
  },
  {
    name: 'tensorflow-index',
    seeds: [fixture('pretrained/tensorflow-bert/bert_model.ckpt.index')],
    layers: [tableBlock],
    read: (path) => openTensorflowBert(dirname(path)),
  },
  {
    name: 'config',
    seeds: models.map((name) => model(`${name}/config.json`)),
    layers: [damageJson, damageJson],
    read: useModel,
  },
  {
    name: 'generation-config',
    seeds: models
      .filter((name) => !withoutGeneration.includes(name))
      .map((name) => model(`${name}/generation_config.json`)),
    layers: [damageJson, damageJson],
    read: useModel,
  },
  {
    name: 'model',
    seeds: [
      model('marian/model.safetensors'),
      model('t5/model.safetensors'),
      model('unilm/pytorch_model.bin'),
      own('int8/model.safetensors'),
      own('int4/model.safetensors'),
    ],
    layers: [safetensorsHeader],
    read: useModel,
  },
  {
    name: 'tokenizer',
    seeds: tokenizerFiles.map((name) => fixture(`text/${name}`)),
    layers: [damageJson],
    read: useTokenizer,
  },
  {
    name: 'tokenizer-json',
    seeds: [own('bpe/tokenizer.json')],
    layers: [damageJson, damageJson],
    read: useTokenizer,
  },
  {
    name: 'vectors',
    seeds: [own('vectors.vec'), own('vectors.vec.gz'), own('model.bin')],
    layers: [],
    read: (path) => readVectors(path),
  },
  {
    name: 'vectors-gzip',
    seeds: [own('vectors.vec.gz')],
    layers: [insideGzip],
    read: (path) => readVectors(path),
  },
  {
    name: 'table',
    seeds: [own('table.tsv')],
    layers: [],
    read: async (path) => (await openTable(path)).get('game'),
  },
  { name: 'ngrams', seeds: [own('ngrams.tsv')], layers: [], read: readNgrams },
  {
    name: 'dictionary',
    seeds: [own('dictionary.tsv')],
    layers: [],
    read: async (path) => [await readDictionary(path), await readReplacements(path)],
  },
  {
    name: 'shortlist',
    seeds: [own('shortlist.safetensors')],
    layers: [safetensorsHeader],
    read: loadShortlist,
  },
  { name: 'texts', seeds: [own('lines.txt'), own('lines.txt.gz')], layers: [], read: readTexts },
  { name: 'texts-gzip', seeds: [own('lines.txt.gz')], layers: [insideGzip], read: readTexts },
  {
    name: 'pairs',
    seeds: [own('pairs.tsv')],
    layers: [],
    read: (tsv) => readParallelText([{ tsv, sourceColumn: 1, targetColumn: 2 }]),
  },
  {
    name: 'alignments',
    seeds: [own('alignments.txt')],
    layers: [],
    read: async (path) =>
      (await textOf(path)).split('\n').map((line) => readAlignment(line, 'a b', 'c d', 'line')),
  },
  { name: 'inputs', seeds: [own('inputs.jsonl')], layers: [jsonLines], read: readJsonLines },
  {
    name: 'pointer',
    seeds: [own('run/latest.json')],
    layers: [damageJson],
    read: (path) => openRun({ directory: dirname(path), identity: {} }),
  },
  {
    name: 'log',
    seeds: [own('run/log.jsonl')],
    layers: [jsonLines],
    read: (path) => createRunLog(path).rewind({ update: 20, lastValidation: 20 }),
  },
  {
    name: 'stages',
    seeds: [own('stages.json')],
    layers: [damageJson],
    read: async (path) =>
      (await openRecord(path, () => {})).stage('table', { limit: 2 }, [path], async () => {}),
  },
  {
    name: 'train-yaml',
    seeds: ['models/en-fr-software/train.yaml'],
    layers: [],
    read: async (path) => parseTrainConfigText(await textOf(path), path),
  },
  {
    name: 'finetune-yaml',
    seeds: [own('finetune.yaml'), 'examples/configs/mass-finetune.yaml'],
    layers: [],
    read: async (path) => parseFinetuneConfigText(await textOf(path), path),
  },
  {
    name: 'pretrain-yaml',
    seeds: [own('pretrain.yaml'), 'examples/configs/mass-pretrain.yaml'],
    layers: [],
    read: async (path) => parsePretrainConfigText(await textOf(path), path),
  },
  {
    name: 'xlm-pretrain-yaml',
    seeds: [own('xlm-pretrain.yaml'), 'examples/configs/cmlm-xlm.yaml', 'examples/configs/mlm-xlm.yaml'],
    layers: [],
    read: async (path) => parseXlmPretrainConfigText(await textOf(path), path),
  },
  {
    name: 'xlm-run-yaml',
    seeds: [own('xlm-run.yaml')],
    layers: [],
    read: async (path) => parseXlmRunConfigText(await textOf(path), path),
  },
  {
    name: 'xlm-train-yaml',
    seeds: [own('xlm-train.yaml')],
    layers: [],
    read: async (path) => parseTranslationConfigText(await textOf(path), path),
  },
];

async function textOf(path: string): Promise<string> {
  return new TextDecoder().decode(await fileAccess().read(path));
}

/** Reads all tensors that can be read as weights. */
async function readAll(weights: Parameters<typeof weightStore>[0]): Promise<void> {
  const store = weightStore(weights);
  for (const name of store.names()) if (/^(F|BF)/.test(store.get(name)!.format)) await store.read(name);
}

async function useTokenizer(path: string): Promise<void> {
  const tokenizer = await loadTokenizer(dirname(path));
  const { ids } = await tokenizer.encode('Read the manual. ünknown 日本');
  await tokenizer.decode(ids);
}

/** Loads a model and decodes ids; one that writes nothing computes its outputs once. */
async function useModel(path: string): Promise<void> {
  const loaded = await loadModel(dirname(path), { threads: 1, cache: false });
  const input = { inputIds: [5, 9, 12] };
  try {
    const options = { maxNewTokens: 3, numBeams: 2, numReturnSequences: 1 };
    if (withoutGeneration.some((name) => dirname(path).endsWith(`/${name}`))) await loaded.forward(input);
    else await loaded.generate([input], options);
  } finally {
    await loaded.dispose();
  }
}

async function readTexts(path: string): Promise<void> {
  await readTextFiles([path]);
  for await (const _ of textsOf([{ path }])());
  await readEvaluated(path, noStreams);
}

const nothing = { write: () => true };
const noStreams = { stdin: (async function* () {})(), stdout: nothing, stderr: nothing };

async function readJsonLines(path: string): Promise<void> {
  const bytes = await fileAccess().read(path);
  const streams = {
    ...noStreams,
    stdin: (async function* () {
      yield bytes;
    })(),
  };
  const schema = z.union([
    z.strictObject({ text: z.string(), prefix: z.string().optional() }),
    z.strictObject({ input_ids: tokenIds }),
  ]);
  for await (const _ of readInputs(streams, schema));
}
