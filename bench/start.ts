import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { embeddedModel } from '../src/cli/translate.js';
import { convertModel } from '../src/pretrained/saveModel.js';
import '../src/node.js';
import { type BenchOptions, roundOptions, selectCases, withTemporaryDirectory } from './bench.js';
import { measureRounds, type Side } from './rounds.js';
import { type Report, timedRow } from './rows.js';

/** What a process took, in milliseconds: user and system time of all its threads, and time by the clock. */
interface ProcessTimes {
  cpu: number;
  clock: number;
  output: string;
}

const run = promisify(execFile);
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Runs a program to its end; bash tells its times. */
async function timeProcess(program: string, args: readonly string[]): Promise<ProcessTimes> {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@"';
  const { stdout, stderr } = await run('bash', ['-c', script, 'bash', program, ...args]);
  const [clock, user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  return { cpu: 1000 * (user + system), clock: 1000 * clock, output: stdout.trim() };
}

const text = 'This package contains the documentation.';

interface StartCase {
  name: string;
  args: readonly string[];
}

const cases: StartCase[] = [
  { name: 'version', args: ['--version'] },
  { name: 'one sentence', args: ['translate', text] },
];

/** A side that starts a process for each run, and keeps what the runs took. */
interface ProcessSide extends Side {
  taken: ProcessTimes[];
}

function processSide(name: string, program: string, args: readonly string[]): ProcessSide {
  const taken: ProcessTimes[] = [];
  return {
    name,
    taken,
    cpuMs: () => 0,
    run: async () => {
      taken.push(await timeProcess(program, args));
      return taken.at(-1)!.cpu;
    },
  };
}

/** The command from its start to its end, beside a Python program that translates by CTranslate2. */
export async function benchStart(options: BenchOptions, report: Report): Promise<void> {
  // Makes dist/ of the sources as they are; a package has it.
  await run(process.execPath, [at('bin/polybeam.js'), '--version']);
  await withTemporaryDirectory(async (directory) => {
    for (const { name, args } of selectCases(cases, options.case)) {
      const translates = args.length > 1;
      const threads = translates ? ['--threads', String(options.threads)] : [];
      const sides = [
        processSide('polybeam', process.execPath, [at('dist/cli/main.js'), ...args, ...threads]),
      ];
      if (translates && options.peers) sides.push(await peerOf(options.peers, directory, options.threads));
      await measureRounds(sides, roundOptions(options, 1));
      const [own, peer] = sides.map(({ taken }) => taken.slice(1));
      if (peer && peer[0].output !== own[0].output) {
        report.note(`warning: ${name}: "${own[0].output}" here, "${peer[0].output}" of the peer`);
      }
      for (const kind of ['cpu', 'clock'] as const) {
        report.row(
          timedRow({
            bench: 'start',
            case: `${name}, ${kind === 'cpu' ? 'CPU time' : 'time'}`,
            times: own.map((times) => times[kind]),
            ...(peer ? { peer: { name: sides[1].name, times: peer.map((times) => times[kind]) } } : {}),
          }),
        );
      }
    }
  });
}

/** The same model in CTranslate2, in int8 as polybeam runs it. */
async function peerOf(python: string, directory: string, threads: number): Promise<ProcessSide> {
  const model = at(embeddedModel);
  const [floats, converted] = [join(directory, 'float32'), join(directory, 'ctranslate2')];
  await convertModel(model, floats, 'float32');
  await run(python, [at('bench/startPeer.py'), 'convert', floats, converted]);
  const { num_beams: beams } = JSON.parse(readFileSync(join(model, 'generation_config.json'), 'utf8'));
  const given = [converted, join(model, 'tokenizer.json'), String(beams), String(threads), text];
  return processSide('ctranslate2 int8', python, [at('bench/startPeer.py'), ...given]);
}
