import { readLines } from '../../src/cli/evaluate/input.js';
import { readTextFiles } from '../../src/text/trainVocabulary.js';
import { readLines as readTrainingLines } from '../../src/training/data.js';
import { textsOf } from '../../src/xlm/texts.js';

/** What each reader of text files takes a file for. */
export async function linesByReader(path: string): Promise<Record<string, string>> {
  const xlm: string[] = [];
  for await (const lines of textsOf([{ path }])()) xlm.push(...lines);
  const streams = { stdin: (async function* () {})(), stdout: process.stdout, stderr: process.stderr };
  const all = {
    vocab: (await readTextFiles([path])).lines,
    train: (await readTrainingLines(path)).lines,
    xlm,
    evaluate: await readLines(path, streams),
  };
  return Object.fromEntries(Object.entries(all).map(([reader, lines]) => [reader, `${lines.join('\n')}\n`]));
}
