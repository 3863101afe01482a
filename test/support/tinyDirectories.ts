import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Ids of the special tokens of a fixture model; the rest of its vocabulary become words. */
const specialIds: Record<string, [pad: number, start: number, end: number, unknown: number, mask: number]> = {
  bart: [1, 0, 2, 3, 4],
  bert: [0, 2, 3, 1, 4],
  'bert-generation-decoder': [0, 2, 3, 1, 4],
  'bert-generation-encoder': [0, 2, 3, 1, 4],
  'encoder-decoder': [0, 2, 3, 1, 4],
  'encoder-decoder-bert-generation': [0, 2, 3, 1, 4],
  'encoder-decoder-projected': [0, 2, 3, 1, 4],
  gpt2: [1, 2, 3, 4, 5],
  m2m100: [1, 0, 2, 3, 4],
  marian: [71, 1, 0, 2, 3],
  'marian-untied': [71, 1, 0, 2, 3],
  mbart: [1, 0, 2, 3, 4],
  pegasus: [0, 2, 1, 3, 4],
  'roformer-sim': [0, 2, 3, 1, 4],
  simbert: [0, 2, 3, 1, 4],
  unilm: [0, 2, 3, 1, 4],
  t5: [0, 2, 1, 3, 4],
  't5-gated': [0, 2, 1, 3, 4],
};

/** Words of the tokenizers that `fixtureWithTokenizer` makes: a, b, c and so on. */
export const words = Array.from({ length: 20 }, (_, at) => String.fromCharCode(97 + at));

/** Copies a fixture of test/fixtures/models below `root` and gives it a tokenizer of its vocabulary's size. */
export async function fixtureWithTokenizer(
  root: string,
  name: string,
  change: (config: Record<string, unknown>) => Record<string, unknown> = (config) => config,
): Promise<string> {
  const directory = join(root, `${name}-${Math.random().toString(36).slice(2)}`);
  await mkdir(directory, { recursive: true });
  await cp(`test/fixtures/models/${name}`, directory, { recursive: true });
  const path = join(directory, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify(change(config)));
  // A tokenizer for both sides has no more ids than either.
  const size: number = config.vocab_size ?? Math.min(config.encoder.vocab_size, config.decoder.vocab_size);
  const special = new Map(
    specialIds[name].map((id, at) => [id, ['[PAD]', '[CLS]', '[SEP]', '[UNK]', '[MASK]'][at]]),
  );
  let word = 0;
  const tokens = Array.from({ length: size }, (_, id) => special.get(id) ?? words[word++] ?? `unused${word}`);
  await writeFile(join(directory, 'vocab.txt'), `${tokens.join('\n')}\n`);
  await writeFile(join(directory, 'tokenizer_config.json'), '{"tokenizer_class": "BertTokenizer"}');
  return directory;
}

/** Tab-separated pairs: the target is the source backwards. */
export async function reversedPairs(path: string, count = 48): Promise<string> {
  const lines = Array.from({ length: count }, (_, line) => {
    const source = Array.from(
      { length: 2 + (line % 6) },
      (_, at) => words[(line * 7 + at * (1 + (line % 5))) % 20],
    );
    return `${source.join(' ')}\t${[...source].reverse().join(' ')}`;
  });
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}
