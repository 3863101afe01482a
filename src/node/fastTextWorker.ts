import { parentPort, workerData } from 'node:worker_threads';
import type { SkipGramJob } from '../xlm/vectors/skipGram.js';
import { unitLines } from '../xlm/vectors/units.js';
import {
  type DeviceOperations,
  exceptionText,
  type FastTextModule,
  initializeVectors,
  readWordVectors,
  startFastText,
} from './fastTextModule.js';

/*
 * Trains vectors in a thread of its own, since WebAssembly computes without a break. fastText reads a file twice, once for the
 * dictionary, once to learn; that file is a device whose content is made as it is read, so that the texts are never in its memory.
 */

const textsPath = '/texts';
/** Milliseconds from one message of progress to the next. */
const pause = 200;

const port = parentPort!;
const module = await startFastText();
try {
  const { values, known } = train(workerData as SkipGramJob);
  port.postMessage({ result: { values, known } }, [values.buffer, known.buffer]);
} catch (error) {
  port.postMessage({ failure: exceptionText(module, error) });
}

function train({ words, units, cut, settings }: SkipGramJob) {
  const texts = serveTexts(module, () => unitLines(words, units, cut));
  const model = new module.FastText();
  const args = Object.assign(new module.Args(), settings, {
    model: module.ModelName.skipgram,
    loss: module.LossName.ns,
    input: textsPath,
    // The epochs are in the file, and so are only units of the vocabulary.
    epoch: 1,
    minCount: 1,
    thread: 1,
    // Two makes it compute the loss.
    verbose: 2,
  });
  let begun = false;
  let told = Number.NEGATIVE_INFINITY;
  model.train(args, (done, loss, unitsPerSecond) => {
    if (!begun) initializeVectors(module, model, settings.seed);
    begun = true;
    if (performance.now() - told < pause) return;
    told = performance.now();
    port.postMessage({ progress: { done, loss, unitsPerSecond } });
  });
  if (texts.error !== undefined) throw texts.error;
  const known = Uint8Array.from(units.spellings, (unit) => (model.getWordId(unit) < 0 ? 0 : 1));
  const values = readWordVectors(module, model, units.spellings, settings.dim);
  known.forEach((is, unit) => {
    if (!is) values.fill(0, unit * settings.dim, (unit + 1) * settings.dim);
  });
  return { values, known };
}

/**
 * Makes the file of texts, which begins anew whenever it is read from position 0.
 * @returns where an error of making texts is put, since fastText takes any for the end of the file
 */
function serveTexts({ FS }: FastTextModule, begin: () => Generator<Uint8Array>): { error?: unknown } {
  const failure: { error?: unknown } = {};
  let lines = begin();
  let chunk: Uint8Array = new Uint8Array(0);
  let position = 0;
  const read: DeviceOperations['read'] = (_, buffer, start, length, from) => {
    try {
      if (from === 0) {
        lines = begin();
        chunk = chunk.subarray(0, 0);
        position = 0;
      }
      if (from !== position) throw new Error(`the texts were read at ${from}, not at ${position}`);
      if (chunk.length === 0) chunk = lines.next().value ?? chunk;
      const part = chunk.subarray(0, length);
      buffer.set(part, start);
      chunk = chunk.subarray(part.length);
      position += part.length;
      return part.length;
    } catch (error) {
      failure.error = error;
      return 0;
    }
  };
  const device = FS.makedev(64, 0);
  FS.registerDevice(device, { read, write: () => 0 });
  FS.mkdev(textsPath, 0o666, device);
  return failure;
}
