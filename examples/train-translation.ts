/**
 * Trains a small Transformer to write English numbers in French, then translates numbers it has not seen.
 * Takes half a minute or so on two cores.
 *   npx tsx examples/train-translation.ts
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel, parseTrainConfig, train } from '../src/node.js';

const englishUnits =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const englishTens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const frenchUnits =
  'zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf'.split(
    ' ',
  );
const frenchTens = 'vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt'.split(' ');

function english(n: number): string {
  if (n < 20) return englishUnits[n];
  if (n < 100) return englishTens[Math.floor(n / 10) - 2] + (n % 10 ? ` ${englishUnits[n % 10]}` : '');
  return `${englishUnits[Math.floor(n / 100)]} hundred${n % 100 ? ` ${english(n % 100)}` : ''}`;
}

function french(n: number): string {
  if (n < 20) return frenchUnits[n];
  if (n < 100) {
    const tens = Math.floor(n / 10);
    // Seventy and ninety count on from sixty and eighty: soixante-quinze is 60 + 15.
    const rest = tens === 7 || tens === 9 ? (n % 10) + 10 : n % 10;
    const word = frenchTens[tens - 2];
    if (rest === 0) return tens === 8 ? 'quatre-vingts' : word;
    const joined = (rest === 1 || rest === 11) && tens < 8 ? ' et ' : '-';
    return word + joined + frenchUnits[rest];
  }
  const hundreds = Math.floor(n / 100);
  const word = hundreds === 1 ? 'cent' : `${frenchUnits[hundreds]} cent`;
  return n % 100 ? `${word} ${french(n % 100)}` : word + (hundreds > 1 ? 's' : '');
}

const directory = await mkdtemp(join(tmpdir(), 'polybeam-numbers-'));
try {
  // Every seventh number is held out.
  const all = Array.from({ length: 1000 }, (_, n) => n);
  const lines = (numbers: number[]) => `${numbers.map((n) => `${english(n)}\t${french(n)}`).join('\n')}\n`;
  const heldOut = all.filter((n) => n % 7 === 3);
  await writeFile(join(directory, 'train.tsv'), lines(all.filter((n) => n % 7 !== 3)));
  await writeFile(join(directory, 'validation.tsv'), lines(heldOut));

  const config = parseTrainConfig({
    output: join(directory, 'run'),
    data: {
      train: [{ tsv: join(directory, 'train.tsv') }],
      validation: [{ tsv: join(directory, 'validation.tsv') }],
      languages: { source: 'en', target: 'fr' },
    },
    vocabulary: { train: { type: 'bpe', size: 120 } },
    model: { preset: 'tiny', encoderLayers: 2, decoderLayers: 2, dropout: 0.1 },
    schedule: { learningRate: 0.003, warmupUpdates: 100 },
    batch: { maxTokens: 1024 },
    budget: { maxUpdates: 300 },
    validation: { everyUpdates: 100 },
    checkpoints: { everyUpdates: 100, averageLast: 0 },
  });
  const output = {
    write: (text: string) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY ?? false,
  };
  const result = await train(config, { output });
  console.log(`BLEU on ${heldOut.length} numbers it has not seen: ${result.best?.score.toFixed(1)}`);

  const model = await loadModel(result.modelDirectory!);
  const shown = [3, 80, 171, 297, 374, 598, 773, 997];
  const written = await model.translate(shown.map(english), { to: 'fr' });
  shown.forEach((n, index) => {
    const right = written[index] === french(n) ? '' : `   (${french(n)})`;
    console.log(`${String(n).padStart(4)}  ${english(n)} -> ${written[index]}${right}`);
  });
  await model.dispose();
} finally {
  await rm(directory, { recursive: true, force: true });
}
