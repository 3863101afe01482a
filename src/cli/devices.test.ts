import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeStreams } from '../../test/support/cli/fakeStreams.js';
import { setFileAccess } from '../files.js';
import { nodeFiles } from '../node/files.js';
import { runProgram } from './program.js';

const directory = mkdtempSync(join(tmpdir(), 'polybeam-devices-'));
beforeAll(() => setFileAccess(nodeFiles));
afterAll(() => rmSync(directory, { recursive: true }));

const config = (name: string, sections: string) => {
  const path = join(directory, `${name}.yaml`);
  const output = join(directory, name);
  writeFileSync(path, `output: ${output}\ndevice: cudda\n${sections}\n`);
  return path;
};
const budget = 'budget: { maxUpdates: 1 }';
const monolingual = 'data: { train: { en: absent.en, fr: absent.fr } }';

// No file that is named here exists, so that one that is looked for first would be missed.
const commands: string[][] = [
  ['train', config('train', `data: { train: { tsv: absent.tsv } }\n${budget}`)],
  ['finetune', config('finetune', `init: absent\ndata: { train: { tsv: absent.tsv } }\n${budget}`)],
  [
    'pretrain',
    config('pretrain', `objectives: { type: mass }\ndata: { train: { text: absent } }\n${budget}`),
  ],
  ['xlm', 'pretrain', config('xlm', `objectives: { type: mlm }\n${monolingual}\n${budget}`)],
  ['xlm', 'train', config('translator', `${monolingual}\n${budget}`)],
  ['xlm', 'run', config('run', `${monolingual}\ntrain: { ${budget} }`)],
  ['translate', '--model', 'absent', '--device', 'cudda', 'text'],
  ['summarize', '--model', 'absent', '--device', 'cudda', 'text'],
  ['generate', '--model', 'absent', '--device', 'cudda'],
  ['score', '--model', 'absent', '--device', 'cudda'],
  ['forward', '--model', 'absent', '--device', 'cudda'],
  'xlm map --device cudda --source a --target b --output-source c --output-target d'.split(' '),
  'xlm table build --device cudda --source a --target b --output c'.split(' '),
  'xlm table translate --device cudda --table a --lm b text'.split(' '),
  'xlm accuracy --device cudda --model a --table b --from en --to fr c'.split(' '),
  'evaluate lexicon --device cudda --dictionary a b c'.split(' '),
];

describe('a device that cannot be used', () => {
  test.each(commands.map((args) => [args.join(' ').replaceAll(`${directory}/`, ''), args] as const))(
    'is refused once, before anything is read or made: %s',
    async (_, args) => {
      const streams = fakeStreams();
      expect(await runProgram(args, streams)).toBe(1);
      expect(streams.err()).toBe(
        'polybeam: There is no device "cudda"; use cpu, webgpu, cuda or tfjs:<backend>. [DEVICE_UNKNOWN]\n',
      );
      expect(readdirSync(directory).every((name) => name.endsWith('.yaml'))).toBe(true);
    },
  );
});
