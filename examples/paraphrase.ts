/**
 * Other ways to say a sentence, the nearest in meaning first, by a model that writes and compares (SimBERT): many are drawn at random,
 * and ranked by the cosine of their vectors with that of the sentence.
 *   npx tsx examples/paraphrase.ts [DIRECTORY SENTENCE ...]
 *
 * DIRECTORY is what `polybeam pretrain` made with the objective simbert or roformerSim, or a public SimBERT in Hugging Face's layout with
 * "polybeam": {"prefix_lm": true} in its config.json. Without one, a small model is trained first, in about a minute, on sentences of a
 * little grammar: it learns which words mean the same from pairs alone.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embedTexts, loadModel, type Model, parsePretrainConfig, pretrain, similarity } from '../src/node.js';

/** Words that mean the same, by what they name. */
const actions = [
  ['converts', 'transforms', 'turns over'],
  ['shows', 'displays', 'presents'],
  ['finds', 'searches', 'looks up'],
  ['copies', 'duplicates', 'backs up'],
];
const things = [
  ['images', 'pictures', 'photos'],
  ['documents', 'texts', 'papers'],
  ['songs', 'music', 'tunes'],
  ['films', 'movies', 'videos'],
  ['letters', 'mail', 'messages'],
];
const places = [
  ['on the desktop', 'in a window'],
  ['on the command line', 'in a terminal'],
  ['over the network', 'from afar'],
];
const tools = ['a program', 'a tool', 'an application', 'software'];

const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)];

/** One of many sentences with a meaning. */
function say([action, thing, place]: readonly string[][]): string {
  const [verb, noun, where] = [pick(action), pick(thing), pick(place)];
  return Math.random() < 0.5 ? `${pick(tools)} that ${verb} ${noun} ${where}` : `${where} it ${verb} ${noun}`;
}

const meaning = () => [pick(actions), pick(things), pick(places)];

async function trainSmallModel(directory: string): Promise<string> {
  const pairs = Array.from({ length: 4000 }, () => {
    const one = meaning();
    return `${say(one)}\t${say(one)}`;
  });
  const tsv = join(directory, 'pairs.tsv');
  await writeFile(tsv, `${pairs.join('\n')}\n`);
  const config = parsePretrainConfig({
    output: join(directory, 'run'),
    objectives: { type: 'simbert' },
    data: { pairs: { tsv }, maxLength: 24 },
    vocabulary: { train: { type: 'wordpiece', size: 400, lowercase: true } },
    model: {
      type: 'bert',
      encoderLayers: 2,
      dModel: 64,
      ffnDim: 128,
      attentionHeads: 4,
      dropout: 0.1,
      maxPositionEmbeddings: 64,
    },
    schedule: { learningRate: 0.003, warmupUpdates: 50 },
    batch: { maxTokens: 1024 },
    budget: { maxUpdates: 500 },
    checkpoints: { averageLast: 1 },
  });
  const output = { isTerminal: false, write: (text: string) => process.stderr.write(text) };
  return (await pretrain(config, { output })).modelDirectory!;
}

/** Prints what a model makes of a sentence, best first. */
async function paraphrase(model: Model, sentence: string): Promise<void> {
  const options = { doSample: true, topP: 0.95, numReturnSequences: 30, seed: 1 };
  const [{ sequences }] = await model.generate([{ text: sentence }], options);
  const candidates = [...new Set(sequences.map(({ text = '' }) => text.trim()))].filter(
    (text) => text !== '' && text !== sentence,
  );
  const [own, ...others] = await embedTexts(model, [sentence, ...candidates]);
  const ranked = candidates
    .map((text, index) => ({ text, cosine: similarity(own, others[index]) }))
    .sort((a, b) => b.cosine - a.cosine);
  console.log(sentence);
  for (const { text, cosine } of ranked.slice(0, 8)) console.log(`  ${cosine.toFixed(3)}  ${text}`);
}

const [given, ...sentences] = process.argv.slice(2);
const scratch = await mkdtemp(join(tmpdir(), 'polybeam-paraphrase-'));
try {
  const model = await loadModel(given ?? (await trainSmallModel(scratch)));
  const asked = sentences.length > 0 ? sentences : ['a tool that converts images on the command line'];
  for (const sentence of asked) await paraphrase(model, sentence);
  await model.dispose();
} finally {
  await rm(scratch, { recursive: true, force: true });
}
